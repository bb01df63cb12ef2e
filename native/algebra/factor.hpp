// Cholesky factors, their inverses and determinants. Included by algebra.cpp alone, inside an anonymous namespace.
#pragma once

constexpr double infinity = std::numeric_limits<double>::infinity();
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
    for (Index i = 0; i < d; ++i)
        for (Index j = i; j < d; ++j) u[i * d + j] = matrix[i * d + j];
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

// The upper triangle of u, U, is replaced by the lower triangle of U^-T; zeros above. Row i of the inverse is
// (e_i - sum_j U_ji row_j) / U_ii; the factors of a row wait in the first row, right of its only entry.
inline bool invert(Index d, double* u, LogProduct& determinant) {
    for (Index i = 1; i < d; ++i)
        for (Index j = 0; j < i; ++j) u[i * d + j] = u[j * d + i];
    double* waiting = u + 1;
    bool usable = true;
    for (Index i = 0; i < d; ++i) {
        double* row = u + i * d;
        for (Index j = 0; j < i; ++j) {
            waiting[j] = row[j];
            row[j] = 0.0;
        }
        const double inverse = 1.0 / row[i];
        for (Index j = 0; j < i; ++j) subtract(row, waiting[j], u + j * d, j + 1);
        for (Index j = 0; j < i; ++j) {
            row[j] *= inverse;
            usable = usable && std::fabs(row[j]) < largest_factor;
        }
        row[i] = inverse;
        usable = usable && inverse < largest_factor && inverse > 0.0;
        determinant.multiply(inverse);
    }
    for (Index i = 0; i < d; ++i)
        for (Index j = i + 1; j < d; ++j) u[i * d + j] = 0.0;
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
