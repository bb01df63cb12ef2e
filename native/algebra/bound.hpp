// Covariances raised to a bound: what is below it in some direction, to it. Included by algebra.cpp alone, inside an
// anonymous namespace.
#pragma once

// x <- B^-1 x for the d columns of x, B lower triangular.
inline void solve_lower(Index d, const double* bound, double* x) {
    for (Index i = 0; i < d; ++i) {
        double* row = x + i * d;
        for (Index j = 0; j < i; ++j) subtract(row, bound[i * d + j], x + j * d, d);
        for (Index j = 0; j < d; ++j) row[j] /= bound[i * d + i];
    }
}

inline void transpose(Index d, double* x) {
    for (Index i = 0; i < d; ++i)
        for (Index j = 0; j < i; ++j) std::swap(x[i * d + j], x[j * d + i]);
}

// The eigenvalues of a symmetric matrix in coordinates in which B B^T is the identity, raised to one; a matrix that has
// none below stays as it is, and one that is not finite is the bound. Room for 2 d^2 + d numbers.
inline void raise_one(Index d, const double* bound, double* matrix, double* room) {
    double *within = room, *axes = within + d * d, *values = axes + d * d;
    std::copy(matrix, matrix + d * d, within);
    solve_lower(d, bound, within);
    transpose(d, within);
    solve_lower(d, bound, within);
    for (Index i = 0; i < d; ++i)
        for (Index j = 0; j < i; ++j)
            within[i * d + j] = within[j * d + i] = 0.5 * (within[i * d + j] + within[j * d + i]);
    eigen_one(d, within, values, axes);
    if (values[0] >= 1.0) return;
    // B A, and then B A V A^T B^T.
    for (Index i = 0; i < d; ++i)
        for (Index j = 0; j < d; ++j) {
            double sum = 0.0;
            for (Index l = 0; l <= i; ++l) sum += bound[i * d + l] * axes[l * d + j];
            within[i * d + j] = sum;
        }
    for (Index j = 0; j < d; ++j) values[j] = values[j] > 1.0 ? values[j] : 1.0;
    for (Index i = 0; i < d; ++i)
        for (Index j = 0; j <= i; ++j) {
            double sum = 0.0;
            for (Index l = 0; l < d; ++l) sum += within[i * d + l] * values[l] * within[j * d + l];
            matrix[i * d + j] = matrix[j * d + i] = sum;
        }
}

// k of them; false out of memory.
bool raise(Index k, Index d, const double* bound, double* matrices) {
    const Room room(2 * d * d + d);
    for (Index c = 0; c < k && room.memory; ++c) raise_one(d, bound, matrices + c * d * d, room.memory);
    return room.memory != nullptr;
}

// The covariances of a closed form, raised to its bound; false out of memory.
bool raise_all(const ClosedForm& f) {
    if (!f.diagonal) return raise(f.matrices(), f.d, f.bound, f.covariances);
    const Index d = f.averaged && !f.pooled ? 1 : f.d;
    for (Index i = 0; i < f.k * d; ++i) {
        const double least = f.bound[i % d] * f.bound[i % d];
        if (f.covariances[i] < least) f.covariances[i] = least;
    }
    return true;
}
