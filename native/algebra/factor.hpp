// Cholesky factors, their inverses and determinants. Included by algebra.cpp alone, inside an anonymous namespace.
#pragma once

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double log_2 = 6.93147180559945309417e-01;
constexpr double largest_factor = 1e153;  // squares of larger whitening factors, the precisions, overflow

// The logarithm of a product of positive numbers, its exponent kept apart so that it neither overflows nor vanishes.
struct LogProduct {
    double mantissa = 1.0;
    Index exponent = 0;

    void multiply(double x) {
        int e;
        mantissa = std::frexp(mantissa * x, &e);
        exponent += e;
    }
    double value() const { return std::log(mantissa) + static_cast<double>(exponent) * log_2; }
};

// y -= a x
inline void subtract(double* __restrict y, double a, const double* __restrict x, Index n) {
    for (Index i = 0; i < n; ++i) y[i] -= a * x[i];
}

// The upper triangle of u <- U with U^T U = matrix (Cholesky); false where a pivot is not positive.
inline bool cholesky(Index d, const double* matrix, double* u) {
    for (Index i = 0; i < d * d; ++i) u[i] = matrix[i];
    for (Index j = 0; j < d; ++j) {
        double* row = u + j * d;
        if (!(row[j] > 0.0 && row[j] < infinity)) return false;
        row[j] = std::sqrt(row[j]);
        const double inverse = 1.0 / row[j];
        for (Index i = j + 1; i < d; ++i) row[i] *= inverse;
        for (Index i = j + 1; i < d; ++i) subtract(u + i * d + i, row[i], row + i, d - i);
    }
    return true;
}

// The upper triangle of u, U, is replaced by the lower triangle of L = C^-1, C = U^T; zeros above. Rows solve L C = I from
// their end: rounding then changes what L whitens by a share of itself, where C L = I would magnify it.
inline bool invert(Index d, double* u, LogProduct& determinant) {
    for (Index i = 1; i < d; ++i)
        for (Index j = 0; j < i; ++j) {
            u[i * d + j] = u[j * d + i];
            u[j * d + i] = 0.0;
        }
    bool usable = true;
    for (Index i = d - 1; i >= 0; --i) {
        double* row = u + i * d;
        row[i] = 1.0 / row[i];
        usable = usable && row[i] < largest_factor && row[i] > 0.0;
        determinant.multiply(row[i]);
        for (Index j = 0; j < i; ++j) row[j] *= -row[i];
        for (Index m = i - 1; m >= 0; --m) {
            row[m] /= u[m * d + m];
            usable = usable && std::fabs(row[m]) < largest_factor;
            subtract(row, row[m], u + m * d, m);
        }
    }
    return usable;
}

// whitening <- L with L matrix L^T = I, and log |L|; false where the matrix is not positive definite.
inline bool whiten(Index d, const double* matrix, double* whitening, double* log_determinant) {
    LogProduct determinant;
    const bool done = cholesky(d, matrix, whitening) && invert(d, whitening, determinant);
    *log_determinant = determinant.value();
    return done;
}

// The same of variances: reciprocal deviations.
inline bool whiten_variances(Index d, const double* variances, double* whitening, double* log_determinant) {
    LogProduct determinant;
    bool usable = true;
    for (Index j = 0; j < d; ++j) {
        usable = usable && variances[j] > 1.0 / largest_factor / largest_factor && variances[j] < infinity;
        whitening[j] = 1.0 / std::sqrt(variances[j]);
    }
    for (Index j = 0; j < d && usable; ++j) determinant.multiply(whitening[j]);
    *log_determinant = determinant.value();
    return usable;
}
