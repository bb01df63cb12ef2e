// With the other bindings what knows Python: arrays in, the chosen variant runs, mostly unlocked.
// Arrays come by the buffer protocol, which costs a few tens of nanoseconds each; what does not fit raises
// TypeError or ValueError, and kernels/native.py says in words what was wrong.
#include <nanobind/nanobind.h>

#include <new>
#include <stdexcept>
#include <vector>

#include "algebra/algebra.hpp"
#include "arrays.hpp"
#include "lloyd/lloyd.hpp"
#include "pass/kernel.hpp"
#include "stretch/stretch.hpp"
#include "trees/agglomeration.hpp"

namespace mixtura {
namespace {

#ifdef MIXTURA_X86
const Variant* const variants[] = {&avx512::variant, &avx2::variant, &baseline::variant};
#else
const Variant* const variants[] = {&baseline::variant};
#endif

// Whether this machine, and its operating system, run the variant.
bool runs(const Variant* variant) {
#ifdef MIXTURA_X86
    __builtin_cpu_init();
    if (variant == &avx512::variant)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
    if (variant == &avx2::variant) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return variant == &baseline::variant;
}

nb::list names(bool supported) {
    nb::list out;
    for (const Variant* variant : variants)
        if (!supported || runs(variant)) out.append(variant->name);
    return out;
}

const Variant& variant_at(std::size_t index) {
    if (index >= sizeof(variants) / sizeof(variants[0]) || !runs(variants[index]))
        throw std::invalid_argument("this machine does not run that instruction set");
    return *variants[index];
}

// One pass. The arrays, in this order, None for what is not given or not wanted: rows, weight, means, sums;
// factors, offsets, log_density, memberships, labels; or responsibilities, or labels, that are given; order, beside,
// background, freedom, tails. A number may follow, the share that components left out of a row may have, and scores.
void run(std::size_t variant, int layout, bool hard, nb::args arrays) {
    const Array rows(arrays[0]), weight(arrays[1]), means(arrays[2]), sums(arrays[3], true), factors(arrays[4]),
        offsets(arrays[5]), log_density(arrays[6], true), memberships(arrays[7], true), labels(arrays[8], true),
        responsibilities(arrays[9]), given_labels(arrays[10]), order(arrays[11]), beside(arrays[12]), background(arrays[13]),
        freedom(arrays[14]), tails(arrays[15]);
    if (factors.given() + responsibilities.given() + given_labels.given() != 1 || factors.given() != offsets.given())
        throw std::invalid_argument("either factors and offsets, or responsibilities, or labels are needed");
    if (layout < 0 || layout > 2) throw std::invalid_argument("the layout is 0, 1 or 2");
    Pass pass{};
    pass.layout = static_cast<Layout>(layout);
    const Index n = pass.n = rows.size(0), d = pass.d = means.size(1), k = pass.k = means.size(0);
    pass.rows64 = rows.is('f') ? nullptr : rows.values<const double>({n, d});
    pass.rows32 = rows.is('f') ? rows.values<const float>({n, d}) : nullptr;
    pass.weight = weight.values<const double>({n});
    pass.means = means.values<const double>({k, d});
    pass.factors = pass.layout == Layout::dense      ? factors.values<const double>({k, d, d})
                   : pass.layout == Layout::diagonal ? factors.values<const double>({k, d})
                                                     : factors.values<const double>({d, d});
    pass.offsets = offsets.values<const double>({k});
    pass.responsibilities = responsibilities.values<const double>({n, k});
    pass.given_labels = given_labels.values<const std::intptr_t>({n});
    pass.order = order.values<const std::intptr_t>({n});
    for (Index i = 0; i < n && pass.order; ++i)
        if (pass.order[i] < 0 || pass.order[i] >= n) throw std::invalid_argument("the order must hold row numbers");
    if (pass.order && !pass.factors) throw std::invalid_argument("the order of rows is for passes that evaluate");
    pass.beside = beside.values<const double>({n, k});
    pass.background = background.values<const double>({n});
    pass.freedom = freedom.values<const double>({k});
    pass.tails = tails.values<const double>({2, k, d + 1});
    if (!pass.freedom != !pass.tails) throw std::invalid_argument("t components need degrees of freedom and tables");
    pass.hard = hard;
    pass.negligible = arrays.size() > 16 ? nb::cast<double>(arrays[16]) : 0.0;
    if (!(pass.negligible >= 0.0 && pass.negligible < 1.0)) throw std::invalid_argument("a share is from 0 to 1");
    pass.sums = sums.values<double>({sums_size(pass.layout, k, d, pass.freedom)});
    pass.log_density = log_density.values<double>({n});
    pass.memberships = memberships.values<double>({n, k});
    pass.labels = labels.values<std::intptr_t>({n});
    const Array scores(arrays.size() > 17 ? nb::handle(arrays[17]) : nb::handle(nb::none()), true);
    pass.scores = scores.values<double>({3});
    const Variant& chosen = variant_at(variant);
    bool done;
    {
        const Unlocked unlocked(n * k * (30 + (pass.layout == Layout::dense ? 2 * d * (d + 3) : 8 * d)));
        done = chosen.run(pass);
    }
    if (!done) throw std::bad_alloc();
}

// Levels of discrete columns, all from 0 to l - 1.
const std::int32_t* checked_levels(const Array& levels, Index l) {
    const Index n = levels.size(0), j = levels.size(1);
    const std::int32_t* values = levels.values<const std::int32_t>({n, j});
    bool within = values != nullptr;
    for (Index i = 0; within && i < n * j; ++i) within = values[i] >= 0 && values[i] < l;
    if (!within) throw std::invalid_argument("the levels must be rows of the table");
    return values;
}

void add_levels(std::size_t variant, nb::handle levels_, nb::handle table_, nb::handle out_) {
    const Array levels(levels_), table(table_), out(out_, true);
    const Index n = levels.size(0), j = levels.size(1), l = table.size(0), k = table.size(1);
    const double* from = table.values<const double>({l, k});
    double* to = out.values<double>({n, k});
    if (!from || !to) throw std::invalid_argument("a table and an output are needed");
    const Variant& chosen = variant_at(variant);
    nb::gil_scoped_release unlocked;
    chosen.add_levels(n, j, k, checked_levels(levels, l), from, to);
}

void count_levels(std::size_t variant, nb::handle levels_, nb::handle weight_, nb::handle shares_, nb::handle counts_) {
    const Array levels(levels_), weight(weight_), shares(shares_), counts(counts_, true);
    const Index n = levels.size(0), j = levels.size(1), l = counts.size(0), k = counts.size(1);
    const double* w = weight.values<const double>({n});
    const double* from = shares.values<const double>({n, k});
    double* to = counts.values<double>({l, k});
    if (!from || !to) throw std::invalid_argument("memberships and counts are needed");
    const Variant& chosen = variant_at(variant);
    nb::gil_scoped_release unlocked;
    chosen.count_levels(n, j, k, checked_levels(levels, l), w, from, to);
}

// What candidates for a seed leave of the distances of rows.
void add_masses(std::size_t variant, nb::handle rows_, nb::handle weight_, nb::handle distances_, nb::handle candidates_,
                nb::handle masses_) {
    const Array rows(rows_), weight(weight_), distances(distances_), candidates(candidates_), masses(masses_, true);
    const Index n = rows.size(0), t = candidates.size(0), d = candidates.size(1);
    const float* rows32 = rows.is('f') ? rows.values<const float>({n, d}) : nullptr;
    const double* rows64 = rows.is('f') ? nullptr : rows.values<const double>({n, d});
    const double *w = weight.values<const double>({n}), *left = distances.values<const double>({n});
    const double* from = candidates.values<const double>({t, d});
    double* to = masses.values<double>({t});
    if (!(rows32 || rows64) || !left || !from || !to) throw std::invalid_argument("rows, distances and candidates are needed");
    const Variant& chosen = variant_at(variant);
    bool done;
    {
        nb::gil_scoped_release unlocked;
        done = rows32 ? chosen.add_masses_32(n, d, t, rows32, w, left, from, to)
                      : chosen.add_masses(n, d, t, rows64, w, left, from, to);
    }
    if (!done) throw std::bad_alloc();
}

// Distances of rows to the nearest seed, where one of some further seeds is nearer.
void lower_distances(std::size_t variant, nb::handle rows_, nb::handle seeds_, nb::handle distances_) {
    const Array rows(rows_), seeds(seeds_), distances(distances_, true);
    const Index n = rows.size(0), s = seeds.size(0), d = seeds.size(1);
    const float* rows32 = rows.is('f') ? rows.values<const float>({n, d}) : nullptr;
    const double* rows64 = rows.is('f') ? nullptr : rows.values<const double>({n, d});
    const double* from = seeds.values<const double>({s, d});
    double* to = distances.values<double>({n});
    if (!(rows32 || rows64) || !from || !to) throw std::invalid_argument("rows, seeds and distances are needed");
    const Variant& chosen = variant_at(variant);
    bool done;
    {
        nb::gil_scoped_release unlocked;
        done = rows32 ? chosen.lower_distances_32(n, d, s, rows32, from, to) : chosen.lower_distances(n, d, s, rows64, from, to);
    }
    if (!done) throw std::bad_alloc();
}

// y <- exp(x) or log(x), for tests of their accuracy.
void elementwise(std::size_t variant, bool logarithm, nb::handle x_, nb::handle y_) {
    const Array x(x_), y(y_, true);
    const Index n = x.size(0);
    if (n % 8 != 0) throw std::invalid_argument("the length must be a multiple of 8");
    (logarithm ? variant_at(variant).log : variant_at(variant).exp)(x.values<const double>({n}), y.values<double>({n}), n);
}

#include "algebra_binding.hpp"
#include "lloyd_binding.hpp"
#include "stretch_binding.hpp"

}  // namespace
}  // namespace mixtura

NB_MODULE(_native, m) {
    m.def("run", &mixtura::run);
    m.attr("adds_scores") = true;
    m.def("add_levels", &mixtura::add_levels);
    m.def("count_levels", &mixtura::count_levels, nb::arg(), nb::arg(), nb::arg().none(), nb::arg(), nb::arg());
    m.def("add_masses", &mixtura::add_masses, nb::arg(), nb::arg(), nb::arg().none(), nb::arg(), nb::arg(), nb::arg());
    m.def("lower_distances", &mixtura::lower_distances);
    m.def("elementwise", &mixtura::elementwise);
    mixtura::define_algebra(m);
    mixtura::define_stretch(m);
    mixtura::define_lloyd(m);
    m.def("built", [] { return mixtura::names(false); });
    m.def("supported", [] { return mixtura::names(true); });
    m.def("compiler", [] { return MIXTURA_COMPILER; });
}
