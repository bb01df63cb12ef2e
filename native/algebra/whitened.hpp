// Sums in coordinates in which components are whitened, and back; kernels/whitened.py is the twin. Included by
// algebra.cpp alone, inside an anonymous namespace.
#pragma once

constexpr double root_half = 7.07106781186547524401e-01;

// The next for D columns known to the compiler.
template <Index D>
inline void sandwich_small(const double* lower, const double* matrix, double* out) {
    for (Index i = 0; i < D; ++i) {
        double row[D] = {};
        for (Index l = 0; l <= i; ++l)
            for (Index j = 0; j < D; ++j) row[j] += lower[i * D + l] * matrix[l * D + j];
        for (Index j = 0; j <= i; ++j, ++out) {
            double sum = 0.0;
            for (Index l = 0; l <= j; ++l) sum += row[l] * lower[j * D + l];
            *out = sum;
        }
    }
}

// out <- lower triangle of L M L^T, packed, for a symmetric M (d, d); row has room for d.
inline void sandwich(Index d, const double* lower, const double* matrix, double* row, double* out) {
    if (d == 1) return sandwich_small<1>(lower, matrix, out);
    if (d == 2) return sandwich_small<2>(lower, matrix, out);
    if (d == 3) return sandwich_small<3>(lower, matrix, out);
    if (d == 4) return sandwich_small<4>(lower, matrix, out);
    if (d == 5) return sandwich_small<5>(lower, matrix, out);
    for (Index i = 0; i < d; ++i) {
        for (Index j = 0; j < d; ++j) row[j] = 0.0;
        for (Index l = 0; l <= i; ++l) subtract(row, -lower[i * d + l], matrix + l * d, d);
        for (Index j = 0; j <= i; ++j) *out++ = dot(row, lower + j * d, j + 1);
    }
}

// out <- L x, by a triangle, or by reciprocal deviations.
inline void multiply(const Whitened& w, const double* factor, const double* x, double* out) {
    for (Index i = 0; i < w.d; ++i) out[i] = w.layout == 1 ? factor[i] * x[i] : dot(factor + i * w.d, x, i + 1);
}

inline const double* factor_of(const Whitened& w, Index c) {
    return w.factors + (w.layout == 0 ? c * w.d * w.d : w.layout == 1 ? c * w.d : 0);
}

bool whiten_sums(const Whitened& w) {
    const Index d = w.d, m = w.moments(), size = 2 + w.k * (1 + d + m), length = w.k * (1 + d + m);
    Room room(d * d + 3 * d);
    if (!room.memory) return false;
    double *matrix = room.take(d * d), *first = room.take(d), *shift = room.take(d), *row = room.take(d);
    for (Index h = 0; h < w.h; ++h)
        for (Index c = 0; c < w.k; ++c) {
            const Sums s(w.sums + h * size, w.k, d);
            const double n = s.counts[c], inverse = 1.0 / w.roots[c], *factor = factor_of(w, c), *before = s.first + c * d;
            const double* second = s.second + c * m;
            double *out = w.out + h * length + w.k + c * (d + m), *white = out + d;
            w.out[h * length + c] = n / w.roots[c];
            for (Index j = 0; j < d; ++j) {
                shift[j] = w.means[(h * w.k + c) * d + j] - w.about[c * d + j];
                first[j] = before[j] + n * shift[j];
            }
            multiply(w, factor, first, out);
            for (Index j = 0; j < d && w.layout == 1; ++j) {
                const double moved = second[j] + shift[j] * (2.0 * before[j] + n * shift[j]);
                white[j] = (moved * (factor[j] * factor[j]) - n) * root_half;
            }
            if (w.layout == 0) {
                for (Index i = 0; i < d; ++i)
                    for (Index j = 0; j <= i; ++j) {
                        const double moved = (before[i] + 0.5 * n * shift[i]) * shift[j] + (before[j] + 0.5 * n * shift[j]) * shift[i];
                        matrix[i * d + j] = matrix[j * d + i] = *second++ + moved;
                    }
                sandwich(d, factor, matrix, row, white);
                for (Index j = 0; j < d; ++j) white[j * (j + 3) / 2] = (white[j * (j + 3) / 2] - n) * root_half;
            }
            for (Index i = 0; i < d + m; ++i) out[i] *= inverse;
        }
    return true;
}

// Counts, first and second moments after the two numbers before them, from coordinates.
bool color_sums(const Whitened& w) {
    const Index d = w.d, m = w.moments();
    Room room(d * d + 2 * d);
    if (!room.memory) return false;
    double *matrix = room.take(d * d), *first = room.take(d), *row = room.take(d);
    for (Index c = 0; c < w.k; ++c) {
        const double root = w.roots[c], n = w.sums[c] * root, *factor = factor_of(w, c);
        const double *from = w.sums + w.k + c * (d + m), *white = from + d;
        double *second = w.out + 2 + w.k * (1 + d) + c * m;
        w.out[2 + c] = n;
        for (Index j = 0; j < d; ++j) first[j] = from[j] * root;
        multiply(w, factor, first, w.out + 2 + w.k + c * d);
        for (Index j = 0; j < d && w.layout == 1; ++j) second[j] = (white[j] * root / root_half + n) * (factor[j] * factor[j]);
        if (w.layout != 0) continue;
        for (Index i = 0; i < d; ++i)
            for (Index j = 0; j <= i; ++j) {
                const double value = *white++ * root;
                matrix[i * d + j] = matrix[j * d + i] = i == j ? value / root_half + n : value;
            }
        sandwich(d, factor, matrix, row, second);
    }
    return true;
}
