// Iterations of K-means as Python calls them. Included by binding.cpp alone, inside an anonymous namespace.
#pragma once

#ifdef MIXTURA_X86
const Settle settles[] = {avx512::settle, avx2::settle, baseline::settle};
const Sow sowers[] = {avx512::sow, avx2::sow, baseline::sow};
#else
const Settle settles[] = {baseline::settle};
const Sow sowers[] = {baseline::sow};
#endif

// The iterations made, and why no more. The arrays, in this order, None for no weights: rows, weight, centers; labels, film.
nb::tuple settle(std::size_t variant, Index block, double tolerance, double best, nb::args arrays) {
    const Array rows(arrays[0]), weight(arrays[1]), centers(arrays[2]), labels(arrays[3], true), film(arrays[4], true);
    if (block < 1) throw std::invalid_argument("there are rows in a block");
    Lloyd lloyd{};
    const Index n = lloyd.pass.n = rows.size(0), d = lloyd.pass.d = rows.size(1), k = lloyd.pass.k = centers.size(0);
    lloyd.pass.rows64 = rows.is('f') ? nullptr : rows.values<const double>({n, d});
    lloyd.pass.rows32 = rows.is('f') ? rows.values<const float>({n, d}) : nullptr;
    lloyd.pass.weight = weight.values<const double>({n});
    lloyd.pass.means = centers.values<const double>({k, d});
    lloyd.block = block, lloyd.tolerance = tolerance, lloyd.best = best, lloyd.n_steps = film.size(0);
    lloyd.labels = labels.values<std::intptr_t>({n});
    lloyd.film = film.values<double>({lloyd.n_steps, lloyd.frame()});
    if (!(lloyd.pass.rows64 || lloyd.pass.rows32) || k < 1 || !lloyd.pass.means || !lloyd.labels || !lloyd.film)
        throw std::invalid_argument("rows, centers, labels and a film are needed");
    variant_at(variant);
    Index done = 0;
    Halt halt;
    {
        nb::gil_scoped_release unlocked;
        halt = settles[variant](lloyd, &done);
    }
    return nb::make_tuple(done, static_cast<int>(halt));
}

// Seeds. The arrays, in this order, None for no weights: rows, weight, draws; seeds.
void sow(std::size_t variant, nb::args arrays) {
    const Array rows(arrays[0]), weight(arrays[1]), draws(arrays[2]), seeds(arrays[3], true);
    Seeding s{};
    const Index n = s.pass.n = rows.size(0), d = s.pass.d = rows.size(1);
    s.n_seeds = seeds.size(0), s.n_trials = draws.size(0) > 1 && s.n_seeds > 1 ? (draws.size(0) - 1) / (s.n_seeds - 1) : 1;
    s.pass.rows64 = rows.is('f') ? nullptr : rows.values<const double>({n, d});
    s.pass.rows32 = rows.is('f') ? rows.values<const float>({n, d}) : nullptr;
    s.pass.weight = weight.values<const double>({n});
    s.draws = draws.values<const double>({1 + (s.n_seeds - 1) * s.n_trials});
    s.seeds = seeds.values<std::intptr_t>({s.n_seeds});
    if (!(s.pass.rows64 || s.pass.rows32) || n < 1 || s.n_seeds < 1 || s.n_trials < 1 || !s.draws || !s.seeds)
        throw std::invalid_argument("rows, draws and seeds are needed");
    variant_at(variant);
    bool done;
    {
        nb::gil_scoped_release unlocked;
        done = sowers[variant](s);
    }
    if (!done) throw std::bad_alloc();
}

void define_lloyd(nb::module_& m) {
    m.def("settle", &settle);
    m.def("sow", &sow);
    m.attr("LLOYD") = 2;  // raised where a function is added or called otherwise
}
