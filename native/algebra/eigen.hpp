// Eigenvalues and eigenvectors of symmetric matrices by Jacobi's rotations: every pair of axes in turn is turned until
// the entry between them is zero. Slower than QL for many columns, and the small eigenvalues keep more digits (Demmel
// and Veselic 1992). Included by algebra.cpp alone, inside an anonymous namespace.
#pragma once

constexpr int most_sweeps = 40;
constexpr double epsilon = std::numeric_limits<double>::epsilon();

// Rows p and q of an array with d columns, turned: (c p - s q, s p + c q).
inline void turn_rows(Index d, double* __restrict p, double* __restrict q, double c, double s) {
    for (Index j = 0; j < d; ++j) {
        const double x = p[j], y = q[j];
        p[j] = c * x - s * y;
        q[j] = s * x + c * y;
    }
}

// The rotation in the plane of p and q that makes a_pq zero, done to a and to the rows of v; false if it is zero.
inline bool turn(Index d, double* a, double* v, Index p, Index q, double negligible) {
    const double between = a[p * d + q], first = a[p * d + p], second = a[q * d + q];
    const double size = std::sqrt(std::fabs(first)) * std::sqrt(std::fabs(second));
    if (!(std::fabs(between) > epsilon * size && std::fabs(between) > negligible)) return false;
    const double half = (second - first) / (2.0 * between);
    const double t = (half < 0.0 ? -1.0 : 1.0) / (std::fabs(half) + std::sqrt(half * half + 1.0));
    const double c = 1.0 / std::sqrt(t * t + 1.0), s = t * c;
    turn_rows(d, a + p * d, a + q * d, c, s);
    turn_rows(d, v + p * d, v + q * d, c, s);
    for (Index i = 0; i < d; ++i) {
        a[i * d + p] = a[p * d + i];
        a[i * d + q] = a[q * d + i];
    }
    a[p * d + p] = first - t * between;
    a[q * d + q] = second + t * between;
    a[p * d + q] = a[q * d + p] = 0.0;
    return true;
}

// One matrix, which is lost: values (d) in ascending order, and eigenvectors as the columns of axes (d, d).
inline void eigen_one(Index d, double* a, double* values, double* axes) {
    double largest = 0.0;
    bool finite = true;
    for (Index i = 0; i < d * d; ++i) {
        largest = std::fmax(largest, std::fabs(a[i]));
        finite = finite && std::fabs(a[i]) < infinity;
    }
    int exponent = 0;
    std::frexp(largest, &exponent);
    for (Index i = 0; i < d * d; ++i) {
        a[i] = std::ldexp(a[i], -exponent);
        axes[i] = i % (d + 1) == 0 ? 1.0 : 0.0;
    }
    bool turned = finite;
    for (int sweep = 0; sweep < most_sweeps && turned; ++sweep) {
        turned = false;
        for (Index p = 0; p < d; ++p)
            for (Index q = p + 1; q < d; ++q) turned = turn(d, a, axes, p, q, epsilon * epsilon) || turned;
    }
    for (Index i = 0; i < d; ++i) values[i] = finite ? std::ldexp(a[i * (d + 1)], exponent) : not_a_number;
    // Sorted by selection, the rows of axes along; then they become columns.
    for (Index i = 0; i < d; ++i) {
        Index least = i;
        for (Index j = i + 1; j < d; ++j) least = values[j] < values[least] ? j : least;
        std::swap(values[i], values[least]);
        for (Index j = 0; j < d && least != i; ++j) std::swap(axes[i * d + j], axes[least * d + j]);
    }
    for (Index i = 0; i < d; ++i)
        for (Index j = 0; j < i; ++j) std::swap(axes[i * d + j], axes[j * d + i]);
}
