// A stretch of EM as Python calls it. Included by binding.cpp alone, inside an anonymous namespace.
#pragma once

#ifdef MIXTURA_X86
const Advance advances[] = {avx512::advance, avx2::advance, baseline::advance};
const Finish finishes[] = {avx512::finish, avx2::finish, baseline::finish};
#else
const Advance advances[] = {baseline::advance};
const Finish finishes[] = {baseline::finish};
#endif

// What a stretch is made of but for its arrays. `form` holds three flags of a closed form, or four of a common one.
Stretch described(std::size_t variant, int layout, Index n_components, const nb::tuple& form, Index block, Index warmup,
                  double fewest, double negligible, double tolerance, double enough) {
    if (layout < 0 || layout > 2) throw std::invalid_argument("the layout is 0, 1 or 2");
    if (n_components < 1 || block < 1) throw std::invalid_argument("there are components, and rows in a block");
    if (!(negligible >= 0.0 && negligible < 1.0)) throw std::invalid_argument("a share is from 0 to 1");
    variant_at(variant);
    Stretch s{};
    s.pass.layout = static_cast<Layout>(layout), s.pass.negligible = negligible, s.pass.k = n_components;
    s.is_common = form.size() == 4;
    const auto flag = [&form](std::size_t number) { return nb::cast<bool>(form[number]); };
    ClosedForm& f = s.form.step;
    f.k = n_components, f.fewest = fewest;
    if (s.is_common) {
        f.diagonal = flag(0), s.form.equal_volume = flag(1), s.form.equal_shape = flag(2), s.form.own_axes = flag(3);
    } else {
        f.pooled = flag(0), f.diagonal = flag(1), f.averaged = flag(2);
    }
    const bool shared = s.pass.layout == Layout::shared, own = !f.pooled && (s.pass.layout == Layout::diagonal) == f.diagonal;
    if (!(shared ? f.pooled : own || (f.pooled && s.pass.layout == Layout::dense)))
        throw std::invalid_argument("the layout is not that of the form");
    s.block = block, s.warmup = warmup, s.tolerance = tolerance, s.enough = enough;
    return s;
}

// Levels of rows (n, j), where the columns' begin (j + 1), their kinds (j) and pseudo-counts (size).
Levels levels_of(Index n, const Array& of_rows, const Array& starts, const Array& kinds, const Array& prior) {
    Levels found{};
    if (!of_rows.given()) return found;
    const Index j = found.n_columns = of_rows.size(1), size = found.size = prior.size(0);
    found.of_rows = of_rows.values<const std::int32_t>({n, j}), found.prior = prior.values<const double>({size});
    found.starts = starts.values<const std::intptr_t>({j + 1}), found.kinds = kinds.values<const std::intptr_t>({j});
    bool fits = found.starts && found.kinds && found.prior && found.starts[0] == 0 && found.starts[j] == size - 1;
    for (Index c = 0; c < j && fits; ++c)
        fits = found.kinds[c] >= category && found.kinds[c] <= poisson && found.starts[c + 1] > found.starts[c] + (found.kinds[c] != category);
    for (Index i = 0; i < n * j && fits; ++i) fits = found.of_rows[i] >= 0 && found.of_rows[i] < size;
    if (!fits) throw std::invalid_argument("levels must be numbers of a table whose columns follow each other");
    return found;
}

// The rows, their bound and their total are n x d each.
void set_rows(Stretch& s, Index n, Index d) {
    s.pass.n = n, s.pass.d = s.form.step.d = d;
    if (s.pass.layout == Layout::shared && !(s.total_mean && s.total_second))
        throw std::invalid_argument("pooled moments need those of all rows");
}

// How many runs were begun. The arrays, in this order, None for what is not given: rows, weight, bound, total_mean,
// total_second; states (r, size), film, found (r, 3); race, known; order, that of each block by its own row numbers; levels,
// starts, kinds, prior; noise, freedom. Where runs begin their states hold a model alone, and nobody looks at those close.
Index advance(std::size_t variant, int layout, Index n_components, nb::tuple form, Index block, Index warmup,
              double fewest, double negligible, double tolerance, double enough, Index n_steps, bool begins, nb::args arrays) {
    const Array rows(arrays[0]), weight(arrays[1]), bound(arrays[2]), total_mean(arrays[3]), total_second(arrays[4]),
        states(arrays[5], true), film(arrays[6], true), found(arrays[7], true), race(arrays[8]), known(arrays[9], true),
        order(arrays[10]), levels(arrays[11]), starts(arrays[12]), kinds(arrays[13]), prior(arrays[14]), noise(arrays[15]),
        freedom(arrays[16]);
    Contest contest{};
    Stretch& s = contest.stretch = described(variant, layout, n_components, form, block, warmup, fewest, negligible, tolerance, enough);
    const Index n = rows.size(0), d = rows.size(1);
    s.pass.rows64 = rows.is('f') ? nullptr : rows.values<const double>({n, d});
    s.pass.rows32 = rows.is('f') ? rows.values<const float>({n, d}) : nullptr;
    s.pass.weight = weight.values<const double>({n});
    s.form.step.bound = s.form.step.diagonal ? bound.values<const double>({d}) : bound.values<const double>({d, d});
    s.total_mean = total_mean.values<const double>({d}), s.total_second = total_second.values<const double>({d, d});
    s.pass.order = order.values<const std::intptr_t>({n});
    for (Index i = 0; i < n && s.pass.order; ++i)
        if (s.pass.order[i] < 0 || s.pass.order[i] >= std::min(s.block, n - i / s.block * s.block))
            throw std::invalid_argument("the order must hold row numbers of each block");
    s.levels = levels_of(n, levels, starts, kinds, prior);
    s.noise = noise.values<const double>({n}), s.freedom = freedom.values<const double>({3});
    if ((s.noise || s.freedom) && s.pass.layout == Layout::shared)
        throw std::invalid_argument("rows that weigh less than one are whole in the total");
    if (s.freedom && !(s.freedom[1] > 0.0 && s.freedom[2] >= s.freedom[1]))
        throw std::invalid_argument("degrees of freedom have two bounds");
    set_rows(s, n, d);
    s.n_steps = n_steps, contest.begins = s.alone = begins;
    Race numbers;
    if (race.given()) std::memcpy(&numbers, race.values<const double>({race_numbers}), sizeof(Race));
    s.race = race.given() ? &numbers : nullptr;
    const StretchSizes sizes(s);
    const Index n_runs = contest.n_runs = states.size(0), n_frames = contest.n_frames = film.size(0);
    s.known = known.values<double>({sizes.model});
    contest.states = states.values<double>({n_runs, sizes.state()}), contest.film = film.values<double>({n_frames, sizes.frame()});
    contest.found = found.values<double>({n_runs, 3});
    if (!(s.pass.rows64 || s.pass.rows32) || !contest.states || !contest.film || !contest.found)
        throw std::invalid_argument("rows, states, a film and room for what is found are needed");
    Index begun;
    {
        nb::gil_scoped_release unlocked;
        begun = advances[variant](contest);
    }
    if (begun < 0) throw std::bad_alloc();
    return begun;
}

// Runs to their ends. The arrays: rows of samples (s, n, d), their bounds and totals, None for what is not given; for each
// run its sample and its start; where its end and what was found are written.
void finish_runs(std::size_t variant, int layout, Index n_components, nb::tuple form, Index block, Index warmup,
                 double fewest, double negligible, double tolerance, double enough, Index n_steps, nb::args arrays) {
    const Array rows(arrays[0]), bound(arrays[1]), total_mean(arrays[2]), total_second(arrays[3]), samples(arrays[4]),
        starts(arrays[5]), ends(arrays[6], true), found(arrays[7], true);
    Runs runs{};
    Stretch& s = runs.stretch =
        described(variant, layout, n_components, form, block, warmup, fewest, negligible, tolerance, enough);
    const Index size = rows.size(0), n = rows.size(1), d = rows.size(2);
    s.pass.rows64 = rows.values<const double>({size, n, d});
    s.form.step.bound =
        s.form.step.diagonal ? bound.values<const double>({size, d}) : bound.values<const double>({size, d, d});
    s.total_mean = total_mean.values<const double>({size, d});
    s.total_second = total_second.values<const double>({size, d, d});
    set_rows(s, n, d);
    s.n_steps = n_steps;
    const StretchSizes sizes(s);
    const Index n_runs = runs.n_runs = samples.size(0);
    runs.samples = samples.values<const std::intptr_t>({n_runs});
    runs.starts = starts.values<const double>({n_runs, sizes.model}), runs.ends = ends.values<double>({n_runs, sizes.model});
    runs.found = found.values<double>({n_runs, 3});
    if (!s.pass.rows64 || !runs.samples || !runs.starts || !runs.ends || !runs.found)
        throw std::invalid_argument("rows, samples, starts and ends are needed");
    for (Index r = 0; r < n_runs; ++r)
        if (runs.samples[r] < 0 || runs.samples[r] >= size) throw std::invalid_argument("there is no such sample");
    bool good;
    {
        nb::gil_scoped_release unlocked;
        good = finishes[variant](runs);
    }
    if (!good) throw std::bad_alloc();
}

void define_stretch(nb::module_& m) {
    m.def("advance", &advance);
    m.def("finish_runs", &finish_runs);
    m.attr("STRETCH") = 5;
}
