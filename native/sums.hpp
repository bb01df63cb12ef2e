// The M-side of a pass: weighted sums of one block, added to the sums of the call.
//
// Vectors run across rows; lanes are added up once per block. Included by pass.cpp alone.
#pragma once

constexpr int tile_size = registers == 32 ? 5 : 3;  // a tile of sums, its operands and one more fit the registers

// first_i += sum r c_i,  second_ij += sum r c_i c_j (j <= i),  c = x - mu, for the T columns from i0 on.
// Leaves c and r c behind where the tiles beside and below will need them.
template <int T, bool keep_c, bool keep_rc>
void diagonal_tile(Block b, const double* r, const double* mean, Index i0, double* first, double* second) {
    Sums<T + T * (T + 1) / 2> sums;
    const double* x = b.x + i0 * b.stride;
    double* kept = b.scratch + i0 * b.stride;
    for (Index v = 0; v < b.padded; v += W) {
        const V rv = load(r + v);
        V c[T];
        for (int i = 0; i < T; ++i) {
            c[i] = load(x + i * b.stride + v) - splat(mean[i0 + i]);
            if (keep_c) store(kept + i * b.stride + v, c[i]);
        }
#pragma GCC unroll 8
        for (int i = 0; i < T; ++i) {
            const V rc = rv * c[i];
            if (keep_rc) store(b.weighted + i * b.stride + v, rc);
            sums.v[i] += rc;
#pragma GCC unroll 8
            for (int j = 0; j <= i; ++j) sums.v[T + i * (i + 1) / 2 + j] += rc * c[j];
        }
    }
    double out[T + T * (T + 1) / 2 + W];
    sums.total(out);
    for (int i = 0; i < T; ++i) {
        first[i0 + i] += out[i];
        double* row = second + (i0 + i) * (i0 + i + 1) / 2 + i0;
        for (int j = 0; j <= i; ++j) row[j] += out[T + i * (i + 1) / 2 + j];
    }
}

using Diagonal = void (*)(Block, const double*, const double*, Index, double*, double*);

template <bool keep_c, bool keep_rc>
Diagonal diagonal(Index t) {
    const Diagonal tiles[] = {nullptr, diagonal_tile<1, keep_c, keep_rc>, diagonal_tile<2, keep_c, keep_rc>,
                              diagonal_tile<3, keep_c, keep_rc>, diagonal_tile<4, keep_c, keep_rc>,
                              diagonal_tile<5, keep_c, keep_rc>, diagonal_tile<6, keep_c, keep_rc>};
    return tiles[t];
}

// out_ij = sum over rows of a_i c_j, i < S, j < T; rows of a and c are `stride` apart.
template <int S, int T>
void product_tile(const double* a, const double* c, Index stride, Index padded, double* out) {
    Sums<S * T> sums;
    for (Index v = 0; v < padded; v += W) {
        V ci[T];
        for (int j = 0; j < T; ++j) ci[j] = load(c + j * stride + v);
#pragma GCC unroll 8
        for (int i = 0; i < S; ++i) {
            const V ai = load(a + i * stride + v);
#pragma GCC unroll 8
            for (int j = 0; j < T; ++j) sums.v[i * T + j] += ai * ci[j];
        }
    }
    sums.total(out);
}

using Product = void (*)(const double*, const double*, Index, Index, double*);

template <int S>
Product product_of_width(Index t) {
    if constexpr (tile_size == 5) {
        const Product tiles[] = {product_tile<S, 1>, product_tile<S, 2>, product_tile<S, 3>, product_tile<S, 4>,
                                 product_tile<S, 5>};
        return tiles[t - 1];
    } else {
        const Product tiles[] = {product_tile<S, 1>, product_tile<S, 2>, product_tile<S, 3>};
        return tiles[t - 1];
    }
}

inline Product product(Index s, Index t) {
    if (s == 1) return product_of_width<1>(t);
    if (s == 2) return product_of_width<2>(t);
    if constexpr (tile_size == 5) {
        if (s == 4) return product_of_width<4>(t);
        if (s == 5) return product_of_width<5>(t);
    }
    return product_of_width<3>(t);
}

// Where tile t of n_tiles begins: sizes differ by at most one.
inline Index tile_begin(Index t, Index size, Index n_tiles) { return t * size / n_tiles; }
inline Index tiles_for(Index size) { return (size + tile_size - 1) / tile_size; }

// First and second moments of one component; the lower half in tiles, packed by rows: dense layout.
inline void moments_dense(const Block& b, Index d, const double* r, const double* mean, double* first, double* second) {
    if (d <= (registers == 32 ? 6 : 3)) return diagonal<false, false>(d)(b, r, mean, 0, first, second);
    const Index n_tiles = tiles_for(d);
    for (Index s = 0; s < n_tiles; ++s) {
        const Index i0 = tile_begin(s, d, n_tiles), n_i = tile_begin(s + 1, d, n_tiles) - i0;
        const Diagonal tile = s == 0              ? diagonal<true, false>(n_i)
                              : s < n_tiles - 1 ? diagonal<true, true>(n_i)
                                                : diagonal<false, true>(n_i);
        tile(b, r, mean, i0, first, second);
        for (Index t = 0; t < s; ++t) {
            const Index j0 = tile_begin(t, d, n_tiles), n_j = tile_begin(t + 1, d, n_tiles) - j0;
            double out[tile_size * tile_size + W];
            product(n_i, n_j)(b.weighted, b.scratch + j0 * b.stride, b.stride, b.padded, out);
            for (Index i = 0; i < n_i; ++i) {
                double* row = second + (i0 + i) * (i0 + i + 1) / 2 + j0;
                for (Index j = 0; j < n_j; ++j) row[j] += out[i * n_j + j];
            }
        }
    }
}

// first_j += sum r c_j,  second_j += sum r c_j^2,  T columns at a time.
template <int T>
void squares_tile(Block b, const double* r, const double* mean, Index j0, double* first, double* second) {
    Sums<2 * T> sums;
    for (Index v = 0; v < b.padded; v += W) {
        const V rv = load(r + v);
        for (int j = 0; j < T; ++j) {
            const V c = load(b.x + (j0 + j) * b.stride + v) - splat(mean[j0 + j]);
            const V rc = rv * c;
            sums.v[j] += rc;
            sums.v[T + j] += rc * c;
        }
    }
    double out[2 * T + W];
    sums.total(out);
    for (int j = 0; j < T; ++j) {
        first[j0 + j] += out[j];
        second[j0 + j] += out[T + j];
    }
}

// Second moments on the diagonal alone: diagonal layout.
inline void moments_diagonal(Block b, Index d, const double* r, const double* mean, double* first,
                             double* second) {
    using Squares = void (*)(Block, const double*, const double*, Index, double*, double*);
    const Squares tiles[] = {nullptr, squares_tile<1>, squares_tile<2>, squares_tile<3>, squares_tile<4>,
                             squares_tile<5>, squares_tile<6>};
    const Index n_tiles = (d + 5) / 6;
    for (Index t = 0; t < n_tiles; ++t) {
        const Index j0 = tile_begin(t, d, n_tiles), n_j = tile_begin(t + 1, d, n_tiles) - j0;
        tiles[n_j](b, r, mean, j0, first, second);
    }
}

// First moments about the common center for all components at once: shared layout.
inline void moments_shared(Block b, const Pass& pass, double* first) {
    const Index k_tiles = tiles_for(pass.k), d_tiles = tiles_for(pass.d);
    for (Index s = 0; s < k_tiles; ++s) {
        const Index k0 = tile_begin(s, pass.k, k_tiles), n_k = tile_begin(s + 1, pass.k, k_tiles) - k0;
        for (Index t = 0; t < d_tiles; ++t) {
            const Index j0 = tile_begin(t, pass.d, d_tiles), n_j = tile_begin(t + 1, pass.d, d_tiles) - j0;
            double out[tile_size * tile_size + W];
            product(n_k, n_j)(b.logs + k0 * b.stride, b.x + j0 * b.stride, b.stride, b.padded, out);
            for (Index i = 0; i < n_k; ++i)
                for (Index j = 0; j < n_j; ++j) first[(k0 + i) * pass.d + j0 + j] += out[i * n_j + j];
        }
    }
}
