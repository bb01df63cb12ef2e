// What differences of points and gradients show: fit/steps/lbfgs.py is the twin. Included by stretch.cpp alone, inside an
// anonymous namespace.
#pragma once

constexpr double least_bend = 1e-4;  // smallest curvature along a difference that counts as one

inline double product(const double* a, const double* b, Index n) {
    double total = 0.0;
    for (Index i = 0; i < n; ++i) total += a[i] * b[i];
    return total;
}

void invert_lower(Index d, const double* lower, double* out) {
    for (Index i = 0; i < d; ++i)
        for (Index j = 0; j < d; ++j) {
            double sum = i == j ? 1.0 : 0.0;
            for (Index l = j; l < i; ++l) sum -= lower[i * d + l] * out[l * d + j];
            out[i * d + j] = j > i ? 0.0 : sum / lower[i * d + i];
        }
}

// Forgets everything.
void forget(const State& s) {
    s[n_curvature] = s[has_last] = 0.0;
    s[is_concave] = s[is_finite_so_far] = 1.0;
}

// Takes in one point and its gradient, where the next difference begins unless the last one stays.
void learn_one(const State& s, const double* point, const double* gradient, bool stay) {
    const Index p = s.z.point, kept = s.count(n_curvature);
    if (s.is(has_last)) {
        double length = 0.0, bend = 0.0;
        for (Index i = 0; i < p; ++i) {
            const double move = point[i] - s.last_point[i], drop = s.last_gradient[i] - gradient[i];
            length += move * move;
            bend += move * drop;
        }
        s[is_concave] = bend > least_bend * length;
        if (!std::isfinite(length + std::fabs(bend))) s[is_finite_so_far] = 0.0;
        if (s.is(is_concave)) {
            Index at = kept;
            if (kept == stretch_memory) {
                const std::size_t rest = sizeof(double) * static_cast<std::size_t>((stretch_memory - 1) * p);
                std::memmove(s.moves, s.moves + p, rest);
                std::memmove(s.drops, s.drops + p, rest);
                at = stretch_memory - 1;
            }
            for (Index i = 0; i < p; ++i) {
                s.moves[at * p + i] = point[i] - s.last_point[i];
                s.drops[at * p + i] = s.last_gradient[i] - gradient[i];
            }
            s[n_curvature] = static_cast<double>(at + 1);
        }
    }
    if (stay) return;
    std::copy(point, point + p, s.last_point);
    std::copy(gradient, gradient + p, s.last_gradient);
    s[has_last] = 1.0;
}
