// The algebra's functions as Python calls them. Included by binding.cpp alone, inside an anonymous namespace.
#pragma once

#ifdef MIXTURA_X86
const Algebra* const algebras[] = {&avx512::algebra, &avx2::algebra, &baseline::algebra};
const Trees* const forests[] = {&avx512::trees, &avx2::trees, &baseline::trees};
#else
const Algebra* const algebras[] = {&baseline::algebra};
const Trees* const forests[] = {&baseline::trees};
#endif

const Algebra& algebra_at(std::size_t index) {
    variant_at(index);
    return *algebras[index];
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
        const Unlocked unlocked(60 * k * d * d * d);
        good = chosen.closed_form(f);
    }
    return verdict(good, status);
}

// The M-step of covariances with something in common. The arrays are those of a closed form; last the covariances before,
// and their whitening, or None.
nb::tuple common_form(std::size_t variant, bool diagonal, bool equal_volume, bool equal_shape, bool own_axes, double ridge,
                      double fewest, double added, nb::args arrays) {
    const Array means(arrays[0]), sums(arrays[1]), bound(arrays[2]), weights(arrays[3], true), centers(arrays[4], true),
        covariances(arrays[5], true), whitening(arrays[6], true), log_determinants(arrays[7], true),
        offsets(arrays[8], true), before(arrays[9]), factors(arrays[10]);
    CommonForm g{};
    ClosedForm& f = g.step;
    const Index k = f.k = means.size(0), d = f.d = means.size(1), plain = 2 + k * (1 + d), packed = k * d * (d + 1) / 2;
    f.diagonal = diagonal, f.ridge = ridge, f.fewest = fewest, f.added = added;
    f.packed = sums.size(0) == plain + packed;
    g.equal_volume = equal_volume, g.equal_shape = equal_shape, g.own_axes = own_axes;
    const auto stored = [&](const Array& one) {
        return diagonal ? one.values<double>({k, d}) : one.values<double>({k, d, d});
    };
    f.means = means.values<const double>({k, d});
    f.sums = sums.values<const double>({plain + (!f.packed && diagonal ? k * d : packed)});
    f.bound = diagonal ? bound.values<const double>({d}) : bound.values<const double>({d, d});
    f.weights = weights.values<double>({k});
    f.centers = centers.values<double>({k, d});
    f.covariances = stored(covariances), f.whitening = stored(whitening);
    f.log_determinants = log_determinants.values<double>({k});
    f.offsets = offsets.values<double>({k});
    g.before = stored(before), g.whitening = stored(factors);
    std::vector<Status> status(static_cast<std::size_t>(k));
    f.status = status.data();
    const Algebra& chosen = algebra_at(variant);
    bool good;
    {
        const Unlocked unlocked(400 * k * d * d * d);
        good = chosen.common_form(g);
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
    const Unlocked unlocked(10 * k * d * d);
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
        const Unlocked unlocked(60 * k * d * d * d);
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
    const Unlocked unlocked(200 * k * d * d * d);
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
    const Unlocked unlocked(20 * k * d * d * d);
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
    const Unlocked unlocked(200 * k * d);
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
    const Unlocked unlocked(20 * h * k * d * d * d);
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
    const Unlocked unlocked(60 * k * d * d * d);
    if (!chosen.color_sums(w)) throw std::bad_alloc();
}

// The step (p) that differences of points and gradients (h, p) show.
void newton_direction(std::size_t variant, nb::handle moves_, nb::handle drops_, nb::handle gradient_, nb::handle out_) {
    const Array moves(moves_), drops(drops_), gradient(gradient_), out(out_, true);
    const Index h = moves.size(0), p = gradient.size(0);
    const double *s = moves.values<const double>({h, p}), *y = drops.values<const double>({h, p});
    const double* g = gradient.values<const double>({p});
    double* to = out.values<double>({p});
    const Algebra& chosen = algebra_at(variant);
    const Unlocked unlocked(20 * h * p);
    if (!chosen.newton_direction(h, p, s, y, g, to)) throw std::bad_alloc();
}

double largest_change(std::size_t variant, Index d, nb::handle step_, nb::handle roots_) {
    const Array step(step_), roots(roots_);
    const Index k = roots.size(0), p = step.size(0), m = k > 0 ? p / k - 1 - d : -1;
    if (d < 0 || m < 0 || p != k * (1 + d + m)) throw std::invalid_argument("a step has counts, means and moments");
    return algebra_at(variant).largest_change(k, d, m, step.values<const double>({p}), roots.values<const double>({k}));
}

// Common axes (d, d), in place; whether they have settled.
bool turn_axes(std::size_t variant, bool equal_volume, nb::handle axes_, nb::handle counts_, nb::handle own_) {
    const Array axes(axes_, true), counts(counts_), own(own_);
    const Index k = own.size(0), d = own.size(1);
    double* a = axes.values<double>({d, d});
    const double* n = counts.values<const double>({k});
    const double* s = own.values<const double>({k, d, d});
    const Algebra& chosen = algebra_at(variant);
    const Unlocked unlocked(200 * k * d * d * d);
    return chosen.turn_axes(k, d, equal_volume, n, s, a);
}

void sweep_axes(std::size_t variant, bool equal_volume, Index most_sweeps, nb::handle axes_, nb::handle counts_,
                nb::handle own_) {
    const Array axes(axes_, true), counts(counts_), own(own_);
    const Index k = own.size(0), d = own.size(1);
    double* a = axes.values<double>({d, d});
    const double* n = counts.values<const double>({k});
    const double* s = own.values<const double>({k, d, d});
    const Algebra& chosen = algebra_at(variant);
    const Unlocked unlocked(20 * most_sweeps * k * d * d * d);
    if (!chosen.sweep_axes(k, d, equal_volume, most_sweeps, n, s, a)) throw std::bad_alloc();
}

// Axes (d, d) in place, and the variances (k, d) along them; returns their loss, the least so far where there are none.
double floored_axes(std::size_t variant, bool equal_volume, double least, nb::handle axes_, nb::handle counts_,
                    nb::handle own_, nb::handle root_, nb::handle spread_) {
    const Array axes(axes_, true), counts(counts_), own(own_), root(root_), spread(spread_, true);
    const Index k = own.size(0), d = own.size(1);
    double *a = axes.values<double>({d, d}), *g = spread.values<double>({k, d});
    const double* n = counts.values<const double>({k});
    const double *s = own.values<const double>({k, d, d}), *r = root.values<const double>({d, d});
    const Algebra& chosen = algebra_at(variant);
    const Unlocked unlocked(200 * k * d * d * d);
    if (!chosen.floored_axes(k, d, equal_volume, n, s, r, a, g, &least)) throw std::bad_alloc();
    return least;
}

// Distributions of counts (v, k): log probabilities (v, k), means and sizes (k).
void negative_binomials(std::size_t variant, nb::handle counts_, nb::handle logs_, nb::handle means_, nb::handle sizes_) {
    const Array counts(counts_), logs(logs_, true), means(means_, true), sizes(sizes_, true);
    const Index v = counts.size(0), k = counts.size(1);
    const double* n = counts.values<const double>({v, k});
    double *found = logs.values<double>({v, k}), *mean = means.values<double>({k}), *size = sizes.values<double>({k});
    const Algebra& chosen = algebra_at(variant);
    const Unlocked unlocked(10000 * v * k);
    if (!chosen.negative_binomials(v, k, n, found, mean, size)) throw std::bad_alloc();
}

// The pairs (m - 1, 2) joined at each step; heads has room for (m).
void agglomerate(std::size_t variant, int criterion, double floor, nb::handle rows_, nb::handle counts_, nb::handle pairs_,
                 nb::handle heads_) {
    const Array rows(rows_), counts(counts_), pairs(pairs_, true), heads(heads_, true);
    if (criterion < 0 || criterion > 2) throw std::invalid_argument("the criterion is 0, 1 or 2");
    const Index m = rows.size(0), d = rows.size(1);
    const Agglomeration a{static_cast<Criterion>(criterion), m, d, floor, rows.values<const double>({m, d}),
                          counts.values<const double>({m}), pairs.values<std::intptr_t>({m - 1, 2}),
                          heads.values<std::intptr_t>({m})};
    variant_at(variant);
    nb::gil_scoped_release unlocked;
    if (!forests[variant]->agglomerate(a)) throw std::bad_alloc();
}

void define_algebra(nb::module_& m) {
    m.def("closed_form", &closed_form);
    m.def("common_form", &common_form);
    m.def("scatter", &scatter);
    m.def("factor", &factor);
    m.def("eigen", &eigen);
    m.def("congruence", &congruence);
    m.def("volumes", &volumes);
    m.def("whiten_sums", &whiten_sums);
    m.def("color_sums", &color_sums);
    m.def("turn_axes", &turn_axes);
    m.def("sweep_axes", &sweep_axes);
    m.def("floored_axes", &floored_axes);
    m.def("newton_direction", &newton_direction);
    m.def("largest_change", &largest_change);
    m.def("negative_binomials", &negative_binomials);
    m.def("agglomerate", &agglomerate);
    m.attr("ALGEBRA") = 4;  // raised where a function of the algebra is added or called otherwise
}
