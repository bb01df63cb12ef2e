// The one file that knows Python: arrays in, the chosen variant runs without the interpreter lock.
// Arrays come by the buffer protocol, which costs a few tens of nanoseconds each; what does not fit raises
// TypeError or ValueError, and kernels/native.py says in words what was wrong.
#include <nanobind/nanobind.h>

#include <new>
#include <stdexcept>
#include <vector>

#include "algebra/algebra.hpp"
#include "arrays.hpp"
#include "pass/kernel.hpp"


namespace mixtura {
namespace {

#ifdef MIXTURA_X86
const Variant* const variants[] = {&avx512::variant, &avx2::variant, &baseline::variant};
const Algebra* const algebras[] = {&avx512::algebra, &avx2::algebra, &baseline::algebra};
#else
const Variant* const variants[] = {&baseline::variant};
const Algebra* const algebras[] = {&baseline::algebra};
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

const Algebra& algebra_at(std::size_t index) {
    variant_at(index);
    return *algebras[index];
}

// One pass. The arrays, in this order, None for what is not given or not wanted: rows, weight, means, sums;
// factors, offsets, log_density, memberships, labels; or responsibilities, or labels, that are given.
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
    pass.sums = sums.values<double>({sums_size(pass.layout, k, d, pass.freedom)});
    pass.log_density = log_density.values<double>({n});
    pass.memberships = memberships.values<double>({n, k});
    pass.labels = labels.values<std::intptr_t>({n});
    const Variant& chosen = variant_at(variant);
    bool done;
    {
        nb::gil_scoped_release unlocked;
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

// y <- exp(x) or log(x), for tests of their accuracy.
void elementwise(std::size_t variant, bool logarithm, nb::handle x_, nb::handle y_) {
    const Array x(x_), y(y_, true);
    const Index n = x.size(0);
    if (n % 8 != 0) throw std::invalid_argument("the length must be a multiple of 8");
    (logarithm ? variant_at(variant).log : variant_at(variant).exp)(x.values<const double>({n}), y.values<double>({n}), n);
}

// What is wrong with each component: an empty tuple where all are good.
nb::tuple verdict(bool all_good, const std::vector<Status>& status) {
    if (all_good) return nb::tuple();
    nb::list each;
    for (Status one : status) each.append(static_cast<int>(one));
    return nb::tuple(each);
}

// A closed-form M-step. The arrays, in this order: means, sums, bound or None; weights, centers, covariances,
// whitening, log_determinants, offsets.
nb::tuple closed_form(std::size_t variant, bool pooled, bool diagonal, bool averaged, double ridge, double fewest, double added,
                      nb::args arrays) {
    const Array means(arrays[0]), sums(arrays[1]), bound(arrays[2]), weights(arrays[3], true), centers(arrays[4], true),
        covariances(arrays[5], true), whitening(arrays[6], true), log_determinants(arrays[7], true),
        offsets(arrays[8], true);
    ClosedForm f{};
    const Index k = f.k = means.size(0), d = f.d = means.size(1), plain = 2 + k * (1 + d);
    const Index packed = k * d * (d + 1) / 2;
    const bool one = pooled && !diagonal;
    f.pooled = pooled, f.diagonal = diagonal, f.averaged = averaged, f.ridge = ridge, f.fewest = fewest;
    f.added = added;
    f.packed = sums.size(0) == plain + packed;
    f.means = means.values<const double>({k, d});
    f.sums = sums.values<const double>({plain + (!f.packed && pooled ? d * d : !f.packed && diagonal ? k * d : packed)});
    f.bound = diagonal ? bound.values<const double>({d}) : bound.values<const double>({d, d});
    f.weights = weights.values<double>({k});
    f.centers = centers.values<double>({k, d});
    f.covariances = one                   ? covariances.values<double>({d, d})
                    : !diagonal           ? covariances.values<double>({k, d, d})
                    : averaged && !pooled ? covariances.values<double>({k})
                                          : covariances.values<double>({k, d});
    f.whitening = one         ? whitening.values<double>({d, d})
                  : !diagonal ? whitening.values<double>({k, d, d})
                              : whitening.values<double>({k, d});
    f.log_determinants = log_determinants.values<double>({one ? 1 : k});
    f.offsets = offsets.values<double>({k});
    std::vector<Status> status(static_cast<std::size_t>(k));
    f.status = status.data();
    const Algebra& chosen = algebra_at(variant);
    bool good;
    {
        nb::gil_scoped_release unlocked;
        good = chosen.closed_form(f);
    }
    return verdict(good, status);
}

void scatter(std::size_t variant, nb::handle means_, nb::handle sums_, nb::handle centers_, nb::handle out_) {
    const Array means(means_), sums(sums_), centers(centers_), out(out_, true);
    const Index k = means.size(0), d = means.size(1);
    const double* about = means.values<const double>({k, d});
    const double* from = sums.values<const double>({sums_size(Layout::dense, k, d)});
    const double* new_means = centers.values<const double>({k, d});
    double* to = out.values<double>({k, d, d});
    const Algebra& chosen = algebra_at(variant);
    nb::gil_scoped_release unlocked;
    chosen.scatter(k, d, about, from, new_means, to);
}

nb::tuple factor(std::size_t variant, nb::handle matrices_, nb::handle whitening_, nb::handle log_determinants_) {
    const Array matrices(matrices_), whitening(whitening_, true), log_determinants(log_determinants_, true);
    const Index k = matrices.size(0), d = matrices.size(1);
    const double* from = matrices.values<const double>({k, d, d});
    double *to = whitening.values<double>({k, d, d}), *logs = log_determinants.values<double>({k});
    std::vector<Status> status(static_cast<std::size_t>(k));
    const Algebra& chosen = algebra_at(variant);
    bool good;
    {
        nb::gil_scoped_release unlocked;
        good = chosen.factor(k, d, from, to, logs, status.data());
    }
    return verdict(good, status);
}

// The matrices are lost.
void eigen(std::size_t variant, nb::handle matrices_, nb::handle values_, nb::handle axes_) {
    const Array matrices(matrices_, true), values(values_, true), axes(axes_, true);
    const Index k = matrices.size(0), d = matrices.size(1);
    double *from = matrices.values<double>({k, d, d}), *to = values.values<double>({k, d});
    double* vectors = axes.values<double>({k, d, d});
    const Algebra& chosen = algebra_at(variant);
    nb::gil_scoped_release unlocked;
    chosen.eigen(k, d, from, to, vectors);
}

// Axes (k, d, d), or (d, d) for all.
void congruence(std::size_t variant, nb::handle axes_, nb::handle matrices_, nb::handle out_) {
    const Array axes(axes_), matrices(matrices_), out(out_, true);
    const Index k = matrices.size(0), d = matrices.size(1);
    const bool common = axes.size(2) < 0;
    const double* a = common ? axes.values<const double>({d, d}) : axes.values<const double>({k, d, d});
    const double* m = matrices.values<const double>({k, d, d});
    double* to = out.values<double>({k, d, d});
    const Algebra& chosen = algebra_at(variant);
    nb::gil_scoped_release unlocked;
    if (!chosen.congruence(k, d, common, a, m, to)) throw std::bad_alloc();
}

// Volumes (k) of variances (k, d) or matrices (k, d, d) of one shape, in place; whether Newton's method found them.
bool volumes(std::size_t variant, nb::handle volumes_, nb::handle counts_, nb::handle own_) {
    const Array volumes(volumes_, true), counts(counts_), own(own_);
    const Index k = own.size(0), d = own.size(1);
    const bool diagonal = own.size(2) < 0;
    double* found = volumes.values<double>({k});
    const double* n = counts.values<const double>({k});
    const double* s = diagonal ? own.values<const double>({k, d}) : own.values<const double>({k, d, d});
    const Algebra& chosen = algebra_at(variant);
    nb::gil_scoped_release unlocked;
    return chosen.volumes(k, d, diagonal, n, s, found);
}

// Coordinates (h, length) of the sums (h, size) of h passes about means (h, k, d).
void whiten_sums(std::size_t variant, int layout, nb::handle means_, nb::handle sums_, nb::handle about_,
                 nb::handle factors_, nb::handle roots_, nb::handle out_) {
    const Array means(means_), sums(sums_), about(about_), factors(factors_), roots(roots_), out(out_, true);
    const Index h = means.size(0), k = about.size(0), d = about.size(1);
    Whitened w{h, k, d, layout, means.values<const double>({h, k, d}), nullptr, about.values<const double>({k, d}),
               nullptr, roots.values<const double>({k}), nullptr};
    const Index length = k * (1 + d + w.moments());
    w.sums = sums.values<const double>({h, 2 + length});
    w.factors = layout == 0   ? factors.values<const double>({k, d, d})
                : layout == 1 ? factors.values<const double>({k, d})
                              : factors.values<const double>({d, d});
    w.out = out.values<double>({h, length});
    const Algebra& chosen = algebra_at(variant);
    nb::gil_scoped_release unlocked;
    if (!chosen.whiten_sums(w)) throw std::bad_alloc();
}

// Sums (size) but for their first two numbers, of coordinates (length).
void color_sums(std::size_t variant, int layout, nb::handle point_, nb::handle inverse_, nb::handle roots_,
                nb::handle out_) {
    const Array point(point_), inverse(inverse_), roots(roots_), out(out_, true);
    const Index k = roots.size(0), d = inverse.size(layout == 0 ? 2 : 1);
    Whitened w{1, k, d, layout, nullptr, nullptr, nullptr, nullptr, roots.values<const double>({k}), nullptr};
    const Index length = k * (1 + d + w.moments());
    w.sums = point.values<const double>({length});
    w.factors = layout == 0   ? inverse.values<const double>({k, d, d})
                : layout == 1 ? inverse.values<const double>({k, d})
                              : inverse.values<const double>({d, d});
    w.out = out.values<double>({2 + length});
    const Algebra& chosen = algebra_at(variant);
    nb::gil_scoped_release unlocked;
    if (!chosen.color_sums(w)) throw std::bad_alloc();
}

// Common axes (d, d), in place; whether they have settled.
bool turn_axes(std::size_t variant, bool equal_volume, nb::handle axes_, nb::handle counts_, nb::handle own_) {
    const Array axes(axes_, true), counts(counts_), own(own_);
    const Index k = own.size(0), d = own.size(1);
    double* a = axes.values<double>({d, d});
    const double* n = counts.values<const double>({k});
    const double* s = own.values<const double>({k, d, d});
    const Algebra& chosen = algebra_at(variant);
    nb::gil_scoped_release unlocked;
    return chosen.turn_axes(k, d, equal_volume, n, s, a);
}

}  // namespace
}  // namespace mixtura

NB_MODULE(_native, m) {
    m.def("run", &mixtura::run);
    m.def("add_levels", &mixtura::add_levels);
    m.def("count_levels", &mixtura::count_levels, nb::arg(), nb::arg(), nb::arg().none(), nb::arg(), nb::arg());
    m.def("elementwise", &mixtura::elementwise);
    m.def("closed_form", &mixtura::closed_form);
    m.def("scatter", &mixtura::scatter);
    m.def("factor", &mixtura::factor);
    m.def("eigen", &mixtura::eigen);
    m.def("congruence", &mixtura::congruence);
    m.def("volumes", &mixtura::volumes);
    m.def("whiten_sums", &mixtura::whiten_sums);
    m.def("color_sums", &mixtura::color_sums);
    m.def("turn_axes", &mixtura::turn_axes);
    m.attr("ALGEBRA") = 1;  // raised where a function of the algebra is added or called otherwise
    m.def("built", [] { return mixtura::names(false); });
    m.def("supported", [] { return mixtura::names(true); });
    m.def("compiler", [] { return MIXTURA_COMPILER; });
}
