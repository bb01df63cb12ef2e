// Small dense algebra on k matrices of d x d, compiled once per instruction set; kernels/algebra.py says what it does.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "algebra.hpp"

namespace mixtura {
namespace MIXTURA_VARIANT {
namespace {

#include "factor.hpp"
#include "eigen.hpp"
#include "newton.hpp"
#include "sweeps.hpp"
#include "quasi_newton.hpp"
#include "bound.hpp"

// The parts of a vector of sums: log-likelihood, total weight, counts (k), first (k, d), second moments.
struct Sums {
    Sums(const double* sums, Index k, Index d)
        : counts(sums + 2), first(counts + k), second(first + k * d) {}
    const double *counts, *first, *second;
};

#include "whitened.hpp"

constexpr double half_log_2_pi = 9.18938533204672741780e-01;
constexpr double tiny = std::numeric_limits<double>::min();

inline bool is_finite(const double* x, Index n) {
    double total = 0.0;  // of finite numbers and zeros, or NaN
    for (Index i = 0; i < n; ++i) total += x[i] * 0.0;
    return total == 0.0;
}

// out <- sum r (x - m)(x - m)^T of one component about its new mean, from packed sums about the old one.
void scatter_one(Index d, double count, const double* first, const double* packed, const double* mean,
                 const double* center, double* out) {
    for (Index i = 0; i < d; ++i) {
        const double shift = center[i] - mean[i], cross = 0.5 * count * shift - first[i];
        for (Index j = 0; j <= i; ++j) {
            const double other = center[j] - mean[j];
            const double moved = cross * other + (0.5 * count * other - first[j]) * shift;
            out[i * d + j] = out[j * d + i] = *packed++ + moved;
        }
    }
}

void scatter(Index k, Index d, const double* means, const double* sums, const double* centers, double* out) {
    const Sums s(sums, k, d);
    for (Index c = 0; c < k; ++c)
        scatter_one(d, s.counts[c], s.first + c * d, s.second + c * d * (d + 1) / 2, means + c * d, centers + c * d,
                    out + c * d * d);
}

// What a sum of squares of column j of component c changes by about its new mean.
inline double moved_square(const ClosedForm& f, const Sums& s, Index c, Index j) {
    const double shift = f.centers[c * f.d + j] - f.means[c * f.d + j];
    return shift * (s.counts[c] * shift - 2.0 * s.first[c * f.d + j]);
}

inline double square_about_mean(const ClosedForm& f, const Sums& s, Index c, Index j) {
    return f.packed ? s.second[c * f.d * (f.d + 1) / 2 + j * (j + 3) / 2] : s.second[c * f.d + j];
}

// Rounding may leave less than nothing; NaN stays NaN.
inline double not_negative(double x) { return x < 0.0 ? 0.0 : x; }

// Variances of component c, (d), with the ridge; all equal where they are averaged.
void variances_of(const ClosedForm& f, const Sums& s, Index c, double* out) {
    double total = 0.0;
    for (Index j = 0; j < f.d; ++j) {
        const double sum = square_about_mean(f, s, c, j) + moved_square(f, s, c, j);
        out[j] = not_negative(sum / std::fmax(s.counts[c], tiny)) + f.ridge;
        total += out[j];
    }
    for (Index j = 0; j < f.d && f.averaged; ++j) out[j] = total / static_cast<double>(f.d);
}

// Variances within components, (d), with the ridge, in the first component's place and then in all.
void pooled_variances(const ClosedForm& f, const Sums& s, double count) {
    double *out = f.covariances, total = 0.0;
    for (Index j = 0; j < f.d; ++j) {
        double sum = f.packed ? 0.0 : s.second[j * (f.d + 1)], moved = 0.0;
        for (Index c = 0; c < f.k; ++c) {
            if (f.packed) sum += square_about_mean(f, s, c, j);
            moved += moved_square(f, s, c, j);
        }
        out[j] = not_negative(sum + moved) / count + f.ridge;
        total += out[j];
    }
    for (Index j = 0; j < f.d && f.averaged; ++j) out[j] = total / static_cast<double>(f.d);
    for (Index i = f.d; i < f.k * f.d; ++i) out[i] = out[i - f.d];
}

// Covariances of each component, (k, d, d), with the ridge.
void matrices_of(const ClosedForm& f, const Sums& s) {
    scatter(f.k, f.d, f.means, f.sums, f.centers, f.covariances);
    for (Index c = 0; c < f.k; ++c) {
        double* out = f.covariances + c * f.d * f.d;
        const double count = std::fmax(s.counts[c], tiny);
        for (Index i = 0; i < f.d * f.d; ++i) out[i] /= count;
        for (Index i = 0; i < f.d; ++i) out[i * (f.d + 1)] += f.ridge;
    }
}

// The covariance within components, (d, d), with the ridge.
void pooled_matrix(const ClosedForm& f, const Sums& s, double count) {
    const Index d = f.d, size = d * (d + 1) / 2;
    for (Index i = 0; i < d; ++i)
        for (Index j = 0; j <= i; ++j) {
            double sum = f.packed ? 0.0 : s.second[i * d + j], moved = 0.0;
            for (Index c = 0; c < f.k; ++c) {
                const Index at = c * d;
                const double n = s.counts[c], shift = f.centers[at + i] - f.means[at + i];
                const double other = f.centers[at + j] - f.means[at + j];
                if (f.packed) sum += s.second[c * size + i * (i + 1) / 2 + j];
                moved += (0.5 * n * shift - s.first[at + i]) * other + (0.5 * n * other - s.first[at + j]) * shift;
            }
            f.covariances[i * d + j] = f.covariances[j * d + i] = (sum + moved) / count;
        }
    for (Index i = 0; i < d; ++i) f.covariances[i * (d + 1)] += f.ridge;
}

// sum of squares of L B, for the m matrices or the k rows of reciprocal deviations.
double excess(const ClosedForm& f, const double* whitening) {
    double total = 0.0;
    for (Index i = 0; i < f.k * f.d && f.diagonal; ++i) {
        const double scaled = whitening[i] * f.bound[i % f.d];
        total += scaled * scaled;
    }
    constexpr Index tile = 32;
    for (Index i = 0; i < f.matrices() * f.d && !f.diagonal; ++i)
        for (Index start = 0; start <= i % f.d; start += tile) {
            const Index n = std::min(tile, f.d - start);
            double row[tile] = {};
            for (Index j = start; j <= i % f.d; ++j)
                subtract(row, whitening[i * f.d + j], f.bound + j * f.d + start, n);
            for (Index l = 0; l < n; ++l) total += row[l] * row[l];
        }
    return total;
}

// Whitening factors and their determinants; false where a component has none, which its status says.
bool whiten_all(const ClosedForm& f) {
    bool all = true;
    for (Index c = 0; c < f.k && f.averaged && !f.pooled; ++c) {
        double* row = f.whitening + c * f.d;
        for (Index j = 0; j < f.d; ++j) row[j] = f.covariances[c];
        const bool usable = whiten_variances(f.d, row, row, f.log_determinants + c);
        f.status[c] = usable ? good : singular;
        all = all && usable;
    }
    if (f.averaged && !f.pooled) return all;
    const Index n = f.diagonal ? f.k : f.matrices(), size = f.diagonal ? f.d : f.d * f.d;
    for (Index c = 0; c < n; ++c) {
        const auto function = f.diagonal ? whiten_variances : whiten;
        if (function(f.d, f.covariances + c * size, f.whitening + c * size, f.log_determinants + c)) continue;
        all = false;
        for (Index other = f.pooled ? 0 : c; other < (f.pooled ? f.k : c + 1); ++other) f.status[other] = singular;
    }
    return all;
}

// One variance of each component, (k); the variances that it is the mean of are computed where its factors will be.
void spheres(const ClosedForm& f, const Sums& s) {
    for (Index c = 0; c < f.k; ++c) {
        variances_of(f, s, c, f.whitening + c * f.d);
        f.covariances[c] = f.whitening[c * f.d];
    }
}

// New means and weights; false where a component has too few rows, which its status says.
bool means_of(const ClosedForm& f, const Sums& s, double count) {
    bool all = true;
    for (Index c = 0; c < f.k; ++c) {
        const bool enough = s.counts[c] > f.fewest;
        all = all && enough;
        f.status[c] = enough ? good : few;
        f.weights[c] = s.counts[c] / count;
        const double n = s.counts[c], more = n + f.added;
        for (Index j = c * f.d; j < (c + 1) * f.d; ++j) f.centers[j] = f.means[j] + s.first[j] / n;
        for (Index j = c * f.d; j < (c + 1) * f.d && more != n; ++j) f.centers[j] = f.centers[j] * n / more;
    }
    return all;
}

bool is_near_bound(const ClosedForm& f, const double* whitening) { return f.bound && !(excess(f, whitening) <= 1.0); }

void offsets_of(const ClosedForm& f) {
    const bool one = f.pooled && !f.diagonal;
    for (Index c = 0; c < f.k; ++c)
        f.offsets[c] = std::log(f.weights[c]) + f.log_determinants[one ? 0 : c] - static_cast<double>(f.d) * half_log_2_pi;
}

bool closed_form(const ClosedForm& f) {
    const Sums s(f.sums, f.k, f.d);
    const Index size = f.packed ? f.k * f.d * (f.d + 1) / 2 : f.pooled ? f.d * f.d : f.k * f.d;
    double count = 0.0;
    for (Index c = 0; c < f.k; ++c) count += s.counts[c];
    if (!is_finite(f.sums, 2 + f.k + f.k * f.d + size)) {
        for (Index c = 0; c < f.k; ++c) f.status[c] = singular;
        return false;
    }
    if (!means_of(f, s, count)) return false;
    if (f.averaged && !f.pooled) {
        spheres(f, s);
    } else {
        if (f.diagonal && f.pooled) pooled_variances(f, s, count);
        for (Index c = 0; c < f.k && f.diagonal && !f.pooled; ++c) variances_of(f, s, c, f.covariances + c * f.d);
        if (!f.diagonal) f.pooled ? pooled_matrix(f, s, count) : matrices_of(f, s);
    }
    bool all = whiten_all(f);
    if (f.bound && (!all || is_near_bound(f, f.whitening))) {
        std::fill(f.status, f.status + f.k, good);
        all = raise_all(f) && whiten_all(f);
    }
    if (all) offsets_of(f);
    return all;
}

#include "common.hpp"
#include "counts.hpp"

bool factor(Index k, Index d, const double* matrices, double* whitening, double* log_determinants, Status* status) {
    bool all = true;
    for (Index c = 0; c < k; ++c) {
        const bool done = whiten(d, matrices + c * d * d, whitening + c * d * d, log_determinants + c);
        all = all && done;
        status[c] = done ? good : singular;
    }
    return all;
}

void eigen(Index k, Index d, double* matrices, double* values, double* axes) {
    for (Index c = 0; c < k; ++c) eigen_one(d, matrices + c * d * d, values + c * d, axes + c * d * d);
}

// out_k <- A_k^T M_k A_k, with one A for all where it is common.
bool congruence(Index k, Index d, bool common, const double* axes, const double* matrices, double* out) {
    const Room row(d);
    const Index size = d * d;
    for (Index c = 0; c < k && row.memory; ++c)
        rotate(1, d, axes + (common ? 0 : c * size), matrices + c * size, out + c * size, row.memory);
    return row.memory != nullptr;
}

}  // namespace

const Algebra algebra = {closed_form, common_form, scatter,   factor,     eigen,        congruence,       volumes,
                         whiten_sums, color_sums,  turn_axes, sweep_axes, floored_axes, newton_direction, negative_binomials,
                         largest_change};

}  // namespace MIXTURA_VARIANT
}  // namespace mixtura
