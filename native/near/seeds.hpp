// Distances of rows to the nearest seed of k-means++, and what candidates for a further one would leave of them.
#pragma once

// The W rows from i on, of n; columns (d, W). Behind the last row it stands again.
template <typename Row>
inline void take_rows(Index n, Index d, const Row* rows, Index i, double* columns) {
    const Row* row[W];
    for (int lane = 0; lane < W; ++lane) row[lane] = rows + (i + lane < n ? i + lane : n - 1) * d;
    for (Index j = 0; j < d; ++j) store(columns + j * W, across(row, j));
}

inline V squared_distance(Index d, const double* columns, const double* center) {
    V q = splat(0.0);
    for (Index j = 0; j < d; ++j) {
        const V z = load(columns + j * W) - splat(center[j]);
        q += z * z;
    }
    return q;
}

// W numbers, or the n that are there, and zeros.
inline V load_some(const double* p, Index n) {
    if (n >= W) return load_any(p);
    V x = splat(0.0);
    for (Index lane = 0; lane < n; ++lane) x[lane] = p[lane];
    return x;
}

// masses (t) += sum over rows of weight min(distance, |x - candidate|^2), candidates (t, d).
template <typename Row>
bool add_masses(Index n, Index d, Index t, const Row* rows, const double* weight, const double* distances,
                const double* candidates, double* masses) {
    double *columns, *totals, *ones;
    void* memory = allocate_parts({{&columns, d * W}, {&totals, t * W}, {&ones, W}});
    if (!memory) return false;
    std::fill(totals, totals + t * W, 0.0);
    std::fill(ones, ones + W, 1.0);
    for (Index i = 0; i < n; i += W) {
        take_rows(n, d, rows, i, columns);
        const V most = load_some(distances + i, n - i);
        const V w = weight ? load_some(weight + i, n - i) : load_some(ones, n - i);
        for (Index one = 0; one < t; ++one) {
            const V q = squared_distance(d, columns, candidates + one * d);
            store(totals + one * W, load(totals + one * W) + times(w, q < most ? q : most));
        }
    }
    for (Index one = 0; one < t; ++one) masses[one] += sum_lanes(load(totals + one * W));
    std::free(memory);
    return true;
}

// distances (n) = min(distance, |x - seed|^2 of each of s seeds (s, d)).
template <typename Row>
bool lower_distances(Index n, Index d, Index s, const Row* rows, const double* seeds, double* distances) {
    double* columns;
    void* memory = allocate_parts({{&columns, d * W}});
    if (!memory) return false;
    for (Index i = 0; i < n; i += W) {
        take_rows(n, d, rows, i, columns);
        V least = load_some(distances + i, n - i);
        for (Index one = 0; one < s; ++one) {
            const V q = squared_distance(d, columns, seeds + one * d);
            least = q < least ? q : least;
        }
        std::memcpy(distances + i, &least, static_cast<std::size_t>(std::min<Index>(W, n - i)) * sizeof(double));
    }
    std::free(memory);
    return true;
}
