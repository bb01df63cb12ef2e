// Iterations of K-means as Python calls them. Included by binding.cpp alone, inside an anonymous namespace.
#pragma once

#ifdef MIXTURA_X86
const Settle settles[] = {avx512::settle, avx2::settle, baseline::settle};
#else
const Settle settles[] = {baseline::settle};
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

void define_lloyd(nb::module_& m) {
    m.def("settle", &settle);
    m.attr("LLOYD") = 1;
}
