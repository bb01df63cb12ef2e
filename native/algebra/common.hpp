// M-steps of covariances that have something in common without being equal: a volume, a shape, axes. Included by
// algebra.cpp alone, inside an anonymous namespace. What is delicate (empty components, shapes that are rounding, iterations
// that do not settle) is left to who asks. Derivations stand with mixtura/core/covariance/families, which defines the answers.
#pragma once

constexpr double clear_determinant = 1e-8;  // of correlations, from which on half the digits of a volume are left
constexpr double rounding_share = 1e-14;    // of the largest variance, below which one along an axis is rounding

struct CommonStep {
    const CommonForm& g;
    const ClosedForm& f;
    const double* counts;
    double count;
    double *own, *spread, *axes, *volumes, *matrix, *row;  // (k, d, d) or (k, d); (k, d), (k, d, d), (k), (d, d), (d)

    // The best variances with what is in common, in place of those of each component by itself along its axes.
    bool spread_out() const {
        const Index k = f.k, d = f.d;
        if (g.equal_volume && g.equal_shape) {
            for (Index j = 0; j < d; ++j) {
                double mean = 0.0;
                for (Index c = 0; c < k; ++c) mean += counts[c] * spread[c * d + j];
                for (Index c = 0; c < k; ++c) spread[c * d + j] = mean / count;
            }
        } else if (g.equal_volume) {
            double mean = 0.0;
            for (Index c = 0; c < k; ++c) {
                double logs = 0.0;
                for (Index j = 0; j < d; ++j) logs += std::log(spread[c * d + j]);
                volumes[c] = std::exp(logs / static_cast<double>(d));
                mean += counts[c] * volumes[c];
            }
            for (Index i = 0; i < k * d; ++i) spread[i] *= mean / count / volumes[i / d];
        } else if (g.equal_shape) {
            return one_shape();
        }
        return true;
    }

    // lambda_k A, from volumes to begin with.
    bool one_shape() const {
        const Index k = f.k, d = f.d;
        if (!mixtura::MIXTURA_VARIANT::volumes(k, d, true, counts, spread, volumes)) return false;
        double logs = 0.0;
        for (Index j = 0; j < d; ++j) {
            row[j] = 0.0;
            for (Index c = 0; c < k; ++c) row[j] += counts[c] / volumes[c] * spread[c * d + j];
            logs += std::log(row[j]);
        }
        const double size = std::exp(logs / static_cast<double>(d));
        for (Index c = 0; c < k; ++c) {
            double volume = 0.0;
            for (Index j = 0; j < d; ++j) volume += spread[c * d + j] / (row[j] / size);
            for (Index j = 0; j < d; ++j) spread[c * d + j] = volume / static_cast<double>(d) * (row[j] / size);
        }
        return true;
    }

    // Volumes to begin with: the best ones with the last shape, given as variances, or else the mean variances.
    void begin(const double* shape) const {
        for (Index c = 0; c < f.k; ++c) {
            volumes[c] = 0.0;
            for (Index j = 0; j < f.d; ++j)
                volumes[c] += spread[c * f.d + j] / (shape ? shape[j] : static_cast<double>(f.d));
        }
    }

    // Whether no variance along an axis is rounding; a ridge carries all.
    bool resolvable() const {
        double least = infinity, most = 0.0;
        for (Index i = 0; i < f.k * f.d; ++i) {
            least = std::fmin(least, spread[i]);
            most = std::fmax(most, spread[i]);
        }
        return f.ridge > 0.0 || least > rounding_share * most;
    }

    // Sigma_k = D_k diag(spread_k) D_k^T, one D for all where it is common.
    void assemble(bool common) const {
        const Index d = f.d;
        for (Index c = 0; c < f.k; ++c) {
            const double *a = axes + (common ? 0 : c * d * d), *widths = spread + c * d;
            double* out = f.covariances + c * d * d;
            for (Index i = 0; i < d; ++i) {
                for (Index l = 0; l < d; ++l) row[l] = a[i * d + l] * widths[l];
                for (Index j = 0; j <= i; ++j) out[i * d + j] = out[j * d + i] = dot(row, a + j * d, d);
            }
        }
    }

    bool own_axes() const {
        const Index d = f.d;
        for (Index c = 0; c < f.k; ++c) eigen_one(d, own + c * d * d, spread + c * d, axes + c * d * d);
        for (Index i = 0; i < f.k * d; ++i) spread[i] = not_negative(spread[i]);
        if (!g.equal_volume) {
            if (g.before) {
                std::copy(g.before, g.before + d * d, own);
                eigen_one(d, own, row, matrix);
                for (Index j = 0; j < d; ++j) row[j] = std::fmax(row[j], rounding_share * row[d - 1]);
            }
            begin(g.before ? row : nullptr);
        }
        if (!spread_out() || !resolvable()) return false;
        assemble(false);
        return true;
    }

    // Axes that the covariances of the last step share, or those of the mean of the present ones.
    void first_axes() const {
        const Index n = f.d * f.d;
        const double* from = g.before ? g.before : own;
        for (Index i = 0; i < n; ++i) matrix[i] = 0.0;
        for (Index c = 0; c < f.k; ++c) {
            double trace = 0.0;
            for (Index j = 0; j < f.d; ++j) trace += from[c * n + j * (f.d + 1)];
            const double unlike = (1.0 + std::sqrt(static_cast<double>(c + 1)) / 7.0) / trace;
            subtract(matrix, g.before ? -unlike : -counts[c] / count, from + c * n, n);
        }
        eigen_one(f.d, matrix, row, axes);
    }

    bool common_axes() const {
        const Index k = f.k, d = f.d;
        first_axes();
        const bool settled_by_newton = d > 1 && turn_axes(k, d, g.equal_volume, counts, own, axes);
        if (!settled_by_newton && !sweep_axes(k, d, g.equal_volume, g.before ? 100 : 1000, counts, own, axes)) return false;
        rotate(k, d, axes, own, f.covariances, row);
        for (Index i = 0; i < k * d; ++i) spread[i] = f.covariances[i / d * d * d + i % d * (d + 1)];
        if (!spread_out() || !resolvable()) return false;
        assemble(true);
        return true;
    }

    // lambda_k C: the shape follows from the volumes.
    bool one_matrix() const {
        const Index k = f.k, n = f.d * f.d;
        if (g.before) {
            if (!cholesky(f.d, g.before, matrix)) return false;
            LogProduct determinant;
            if (!invert(f.d, matrix, determinant)) return false;
        }
        for (Index c = 0; c < k; ++c) {
            volumes[c] = 0.0;
            for (Index j = 0; j < f.d && !g.before; ++j) volumes[c] += own[c * n + j * (f.d + 1)];
            for (Index i = 0; i < f.d && g.before; ++i) {
                for (Index j = 0; j < f.d; ++j) row[j] = 0.0;
                for (Index l = 0; l <= i; ++l) subtract(row, -matrix[i * f.d + l], own + c * n + l * f.d, f.d);
                volumes[c] += dot(row, matrix + i * f.d, i + 1) / static_cast<double>(f.d);
            }
        }
        if (!mixtura::MIXTURA_VARIANT::volumes(k, f.d, false, counts, own, volumes)) return false;
        for (Index i = 0; i < n; ++i) matrix[i] = 0.0;
        for (Index c = 0; c < k; ++c) subtract(matrix, -counts[c] / volumes[c] / count, own + c * n, n);
        for (Index i = 0; i < k * n; ++i) f.covariances[i] = volumes[i / n] * matrix[i % n];
        return true;
    }

    // lambda C_k: all determinants are made equal.
    bool one_volume() const {
        const Index k = f.k, d = f.d, n = d * d;
        double mean = 0.0;
        for (Index c = 0; c < k; ++c) {
            if (!cholesky(d, own + c * n, matrix)) return false;
            double logs = 0.0, unexplained = 1.0;
            for (Index j = 0; j < d; ++j) {
                const double square = matrix[j * (d + 1)] * matrix[j * (d + 1)];
                logs += std::log(square);
                unexplained *= square / own[c * n + j * (d + 1)];
            }
            if (!(unexplained > clear_determinant)) return false;
            volumes[c] = std::exp(logs / static_cast<double>(d));
            mean += counts[c] * volumes[c];
        }
        for (Index i = 0; i < k * n; ++i) f.covariances[i] = own[i] * (mean / count / volumes[i / n]);
        return true;
    }

    bool operator()(const Sums& s) const {
        const Index size = f.k * f.d;
        if (f.diagonal) {
            for (Index c = 0; c < f.k; ++c) variances_of(f, s, c, spread + c * f.d);
            if (!g.equal_volume) begin(g.before);
            if (!spread_out()) return false;
            std::copy(spread, spread + size, f.covariances);
            return true;
        }
        matrices_of(f, s);
        std::copy(f.covariances, f.covariances + size * f.d, own);
        if (g.own_axes) return g.equal_shape ? own_axes() : one_volume();
        return g.equal_shape ? one_matrix() : common_axes();
    }
};

// Whether there is an estimate and nothing stands against it; otherwise nothing but the status counts.
bool common_form(const CommonForm& g) {
    const ClosedForm& f = g.step;
    const Sums s(f.sums, f.k, f.d);
    const Index k = f.k, d = f.d, size = k * d * d;
    const auto all_are = [&f](Status status) {
        for (Index c = 0; c < f.k; ++c) f.status[c] = status;
        return false;
    };
    double count = 0.0;
    for (Index c = 0; c < k; ++c) count += s.counts[c];
    if (!is_finite(f.sums, 2 + k + k * d + (f.packed ? k * d * (d + 1) / 2 : k * d))) return all_are(singular);
    if (g.whitening && is_near_bound(f, g.whitening)) return all_are(near_bound);
    if (!means_of(f, s, count)) return false;
    Room room(2 * size + k * d + k + d * d + d);
    if (!room.memory) return all_are(singular);
    const CommonStep step{g, f, s.counts, count, room.take(size), room.take(k * d), room.take(size),
                          room.take(k), room.take(d * d), room.take(d)};
    if (!step(s)) return all_are(singular);
    if (!whiten_all(f)) return false;
    if (is_near_bound(f, f.whitening)) return all_are(near_bound);
    offsets_of(f);
    return true;
}
