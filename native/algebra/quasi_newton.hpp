// Newton's step as far as differences of sums show it; kernels/quasi_newton.py is the twin. Included by algebra.cpp alone,
// inside an anonymous namespace.
#pragma once

// out <- H g by limited-memory BFGS in its compact form, from h differences of points and of gradients, (h, p).
bool newton_direction(Index h, Index p, const double* moves, const double* drops, const double* gradient, double* out) {
    Room room(h * h + 2 * h);
    if (!room.memory) return false;
    double *cross = room.take(h * h), *along = room.take(h), *across = room.take(h);
    for (Index i = 0; i < h; ++i) {
        for (Index j = i; j < h; ++j) cross[i * h + j] = dot(moves + i * p, drops + j * p, p);
        along[i] = dot(moves + i * p, gradient, p);
    }
    const double* last = drops + (h - 1) * p;
    const double scale = h > 0 ? std::fmax(1.0, cross[h * h - 1] / dot(last, last, p)) : 1.0;
    std::copy(gradient, gradient + p, out);
    for (Index i = h - 1; i >= 0; --i) {
        along[i] = (along[i] - dot(cross + i * h + i + 1, along + i + 1, h - i - 1)) / cross[i * h + i];
        subtract(out, along[i], drops + i * p, p);
    }
    for (Index i = 0; i < h; ++i) across[i] = cross[i * h + i] * along[i] - scale * dot(drops + i * p, out, p);
    for (Index i = 0; i < p; ++i) out[i] *= scale;
    for (Index i = 0; i < h; ++i) {
        across[i] /= cross[i * h + i];
        subtract(across + i + 1, across[i], cross + i * h + i + 1, h - i - 1);
        subtract(out, -across[i], moves + i * p, p);
    }
    return true;
}

inline double larger(double a, double b) { return a > b || a != a ? a : b; }  // NaN where one is

// By what share of itself a step in whitened coordinates, (k (1 + d + m)), changes a count, mean or covariance at the most.
double largest_change(Index k, Index d, Index m, const double* step, const double* roots) {
    double largest = 0.0;
    for (Index c = 0; c < k; ++c) {
        const double* rest = step + k + c * (d + m);
        const double means = dot(rest, rest, d), moments = 2.0 * dot(rest + d, rest + d, m);
        largest = larger(larger(std::fabs(step[c]), std::sqrt(larger(means, moments))) / roots[c], largest);
    }
    return largest;
}
