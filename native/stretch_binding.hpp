// A stretch of EM as Python calls it. Included by binding.cpp alone, inside an anonymous namespace.
#pragma once

#ifdef MIXTURA_X86
const Advance advances[] = {avx512::advance, avx2::advance, baseline::advance};
#else
const Advance advances[] = {baseline::advance};
#endif

// The steps made, and why no more. `form` holds three flags of a closed form, or four of a common one. The arrays, in this
// order, None for what is not given: rows, weight, bound, total_mean, total_second; state, film.
nb::tuple advance(std::size_t variant, int layout, Index n_components, nb::tuple form, Index block, Index warmup,
                  double fewest, double negligible, double tolerance, double enough, nb::args arrays) {
    const Array rows(arrays[0]), weight(arrays[1]), bound(arrays[2]), total_mean(arrays[3]), total_second(arrays[4]),
        state(arrays[5], true), film(arrays[6], true);
    if (layout < 0 || layout > 2) throw std::invalid_argument("the layout is 0, 1 or 2");
    if (n_components < 1 || block < 1) throw std::invalid_argument("there are components, and rows in a block");
    if (!(negligible >= 0.0 && negligible < 1.0)) throw std::invalid_argument("a share is from 0 to 1");
    Stretch s{};
    s.pass.layout = static_cast<Layout>(layout), s.pass.negligible = negligible;
    const Index n = s.pass.n = rows.size(0), d = s.pass.d = rows.size(1), k = s.pass.k = n_components;
    s.pass.rows64 = rows.is('f') ? nullptr : rows.values<const double>({n, d});
    s.pass.rows32 = rows.is('f') ? rows.values<const float>({n, d}) : nullptr;
    s.pass.weight = weight.values<const double>({n});
    s.is_common = form.size() == 4;
    const auto flag = [&form](std::size_t number) { return nb::cast<bool>(form[number]); };
    ClosedForm& f = s.form.step;
    f.k = k, f.d = d, f.fewest = fewest;
    if (s.is_common) {
        f.diagonal = flag(0), s.form.equal_volume = flag(1), s.form.equal_shape = flag(2), s.form.own_axes = flag(3);
    } else {
        f.pooled = flag(0), f.diagonal = flag(1), f.averaged = flag(2);
    }
    if ((s.pass.layout == Layout::shared) != f.pooled || (!f.pooled && (s.pass.layout == Layout::diagonal) != f.diagonal))
        throw std::invalid_argument("the layout is not that of the form");
    f.bound = f.diagonal ? bound.values<const double>({d}) : bound.values<const double>({d, d});
    s.total_mean = total_mean.values<const double>({d}), s.total_second = total_second.values<const double>({d, d});
    if (f.pooled && !(s.total_mean && s.total_second)) throw std::invalid_argument("pooled moments need those of all rows");
    s.block = block, s.warmup = warmup, s.tolerance = tolerance, s.enough = enough, s.n_steps = film.size(0);
    const StretchSizes sizes(s);
    s.state = state.values<double>({sizes.state()}), s.film = film.values<double>({s.n_steps, sizes.frame()});
    if (!(s.pass.rows64 || s.pass.rows32) || !s.state || !s.film) throw std::invalid_argument("rows, a state and a film are needed");
    variant_at(variant);
    Index done = 0;
    Ending ending;
    {
        nb::gil_scoped_release unlocked;
        ending = advances[variant](s, &done);
    }
    return nb::make_tuple(done, static_cast<int>(ending));
}

void define_stretch(nb::module_& m) {
    m.def("advance", &advance);
    m.attr("STRETCH") = 1;
}
