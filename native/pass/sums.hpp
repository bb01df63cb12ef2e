// The M-side of a pass: weighted sums of a block. Vectors run across rows; lanes are added up once per block.
#pragma once

constexpr int tile_size = registers == 32 ? 5 : 3;  // a tile of sums, its operands and one more fit the registers

// A product with a weight that is zero where the weight is, whatever the other factor is.
inline V times(V weight, V x) { return weight == splat(0.0) ? splat(0.0) : weight * x; }

// The weights of the rows that are labeled with component k in place of its responsibilities; returns their sum.
double weigh_labelled(Block b, Index k) {
    const I label = I{} + static_cast<std::uint64_t>(k);
    V count[group] = {};
    for (Index v = 0; v < b.padded; v += group * W)
        for (int g = 0; g < group; ++g) {
            const Index at = v + g * W;
            const V share = bits(load(reinterpret_cast<const double*>(b.labels) + at)) == label ? load(b.w + at) : splat(0.0);
            store(b.logs + k * b.stride + at, share);
            count[g] += share;
        }
    return sum_lanes((count[0] + count[1]) + (count[2] + count[3]));
}

// Responsibilities of component k times the sample weights, in place; returns their sum.
double weigh(Block b, Index k, bool normalized) {
    if (b.hard) return weigh_labelled(b, k);
    double* r = b.logs + k * b.stride;
    V count[group] = {};
    for (Index v = 0; v < b.padded; v += group * W)
        for (int g = 0; g < group; ++g) {
            const Index at = v + g * W;
            const V w = load(b.w + at), e = normalized ? load(r + at) : load(r + at) * load(b.inverse + at);
            const V share = b.masked ? times(w, e) : w * e;
            store(r + at, share);
            count[g] += share;
        }
    return sum_lanes((count[0] + count[1]) + (count[2] + count[3]));
}

// first_i += sum r c_i,  second_ij += sum r c_i c_j (j <= i),  c = x - mu, for the T columns from i0 on.
// Leaves c and r c behind where the tiles beside and below will need them.
template <int T, bool keep_c, bool keep_rc>
MIXTURA_TILE void diagonal_tile(Block b, const double* r, const double* mean, Index i0, double* first, double* second) {
    Sums<T + T * (T + 1) / 2> sums;
    const double* x = b.x + i0 * b.stride;
    double* kept = b.scratch + i0 * b.stride;
    for (Index v = 0; v < b.padded; v += W) {
        const V rv = load(r + v);
        const double* at = x + b.at[v / W];
        V c[T];
        for (int i = 0; i < T; ++i) {
            c[i] = load(at + i * b.stride) - splat(mean[i0 + i]);
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
    alignas(64) double out[T + T * (T + 1) / 2 + W];
    sums.total(out);
    for (int i = 0; i < T; ++i) {
        first[i0 + i] += out[i];
        double* row = second + (i0 + i) * (i0 + i + 1) / 2 + i0;
        for (int j = 0; j <= i; ++j) row[j] += out[T + i * (i + 1) / 2 + j];
    }
}

// out_ij = sum over rows of a_i c_j, i < S, j < T.
template <int S, int T>
MIXTURA_TILE void product_tile(Block b, const double* a, const double* c, double* out) {
    Sums<S * T> sums;
    for (Index v = 0; v < b.padded; v += W) {
        V ci[T];
        for (int j = 0; j < T; ++j) ci[j] = load(c + j * b.stride + v);
#pragma GCC unroll 8
        for (int i = 0; i < S; ++i) {
            const V ai = load(a + i * b.stride + v);
#pragma GCC unroll 8
            for (int j = 0; j < T; ++j) sums.v[i * T + j] += ai * ci[j];
        }
    }
    sums.total(out);
}

inline void product(const Block& b, Index s, Index t, const double* a, const double* c, double* out) {
    with_size<tile_size>(s, [&](auto height) {
        with_size<tile_size>(t, [&](auto width) { product_tile<height.value, width.value>(b, a, c, out); });
    });
}

// First and second moments of one component; the lower half in tiles, packed by rows: dense layout.
inline void moments_dense(Block b, Index d, const double* r, const double* mean, double* first, double* second) {
    constexpr int whole = registers == 32 ? 6 : 3;  // columns whose sums all fit the registers
    for_tiles(d, d <= whole ? whole : tile_size, [&](Index i0, Index n_i) {
        with_size<whole>(n_i, [&](auto size) {
            constexpr int T = size.value;
            const bool top = i0 == 0, bottom = i0 + n_i == d;
            const auto tile = top && bottom ? diagonal_tile<T, false, false>
                              : top         ? diagonal_tile<T, true, false>
                              : bottom      ? diagonal_tile<T, false, true>
                                            : diagonal_tile<T, true, true>;
            tile(b, r, mean, i0, first, second);
        });
        for_tiles(i0, tile_size, [&](Index j0, Index n_j) {
            alignas(64) double out[tile_size * tile_size + W];
            product(b, n_i, n_j, b.weighted, b.scratch + j0 * b.stride, out);
            for (Index i = 0; i < n_i; ++i) {
                double* row = second + (i0 + i) * (i0 + i + 1) / 2 + j0;
                for (Index j = 0; j < n_j; ++j) row[j] += out[i * n_j + j];
            }
        });
    });
}

// first_j += sum r c_j,  second_j += sum r c_j^2,  T columns at a time.
template <int T>
MIXTURA_TILE void squares_tile(Block b, const double* r, const double* mean, Index j0, double* first, double* second) {
    Sums<2 * T> sums;
    for (Index v = 0; v < b.padded; v += W) {
        const V rv = load(r + v);
        const double* at = b.x + j0 * b.stride + b.at[v / W];
        for (int j = 0; j < T; ++j) {
            const V c = load(at + j * b.stride) - splat(mean[j0 + j]);
            const V rc = rv * c;
            sums.v[j] += rc;
            sums.v[T + j] += rc * c;
        }
    }
    alignas(64) double out[2 * T + W];
    sums.total(out);
    for (int j = 0; j < T; ++j) {
        first[j0 + j] += out[j];
        second[j0 + j] += out[T + j];
    }
}

// Second moments on the diagonal alone: diagonal layout.
inline void moments_diagonal(Block b, Index d, const double* r, const double* mean, double* first, double* second) {
    constexpr int most = registers == 32 ? 8 : 6;
    for_tiles(d, most, [&](Index j0, Index n_j) {
        with_size<most>(n_j, [&](auto size) { squares_tile<size.value>(b, r, mean, j0, first, second); });
    });
}

// first_j += sum r x_j for one component: shared layout.
inline void moments_first(const Block& b, Index d, const double* r, double* first) {
    for (Index j = 0; j < d; ++j) {
        V sum = splat(0.0);
        for (Index v = 0; v < b.padded; v += W) sum += load(r + v) * load(b.x + j * b.stride + b.at[v / W]);
        first[j] += sum_lanes(sum);
    }
}

// First moments about the common center for all components at once: shared layout.
inline void moments_shared(const Block& b, const Pass& pass, double* first) {
    for_tiles(pass.k, tile_size, [&](Index k0, Index n_k) {
        for_tiles(pass.d, tile_size, [&](Index j0, Index n_j) {
            alignas(64) double out[tile_size * tile_size + W];
            product(b, n_k, n_j, b.logs + k0 * b.stride, b.x + j0 * b.stride, out);
            for (Index i = 0; i < n_k; ++i)
                for (Index j = 0; j < n_j; ++j) first[(k0 + i) * pass.d + j0 + j] += out[i * n_j + j];
        });
    });
}
