// The E-step's first half: log densities of every component for a block of rows. Vectors run across rows.
#pragma once

// A block of rows, transposed: column j at x + j * stride, component k at logs + k * stride.
struct Block {
    Index rows, padded, stride;  // how many; rounded up to whole groups of vectors, with weight zero; room for them
    const std::intptr_t* order;  // (rows) their numbers in the table; null: one after the other
    const Index* home;           // (rows) the component that seems nearest, in ascending order; null: not known
    const Index* at;             // (padded / W) where the vectors of rows are that sums are of; first 0, W, 2 W ...
    double* x;                   // (d, stride) the rows, about the common center where the layout has one
    double* w;                   // (stride) sample weights
    double* logs;                // (k, stride) log densities, then responsibilities
    double* top;                 // (stride) the largest of them and of the background, then the log density of the row
    double* inverse;             // (stride) 1 / sum_k exp(logs_k - top)
    double* background;          // (stride) log density of the background
    double* cross;               // (stride) sum_k e_k log e_k, e_k = exp(logs_k - top), where a pass is scored; or null
    double *latent, *observed;   // (k, stride) weights u of t components, (stride) how many columns each row has
    double *scratch, *weighted;  // (d, stride), (tile_size, stride)
    std::intptr_t* labels;       // (stride)
    const char* next;            // rows that will be read after these
    Index row_bytes;
    bool masked;                 // some weights are zero
    bool hard;                   // rows belong to the component of their label, whatever the logs are
    Index* counted;              // (stride / W) room for where the vectors are in which a component counts
};

constexpr int group = 4;  // vectors of rows that a block is padded to
constexpr int whiten_group = registers == 32 ? 4 : 2;  // and that are whitened together

// Keep a log density, and the largest of its row so far; a NaN replaces that.
inline void put_log(Block b, Index k, Index v, V x) {
    const V top = k == 0 ? x : load(b.top + v);
    store(b.logs + k * b.stride + v, x);
    store(b.top + v, top >= x ? top : x);
}

// z = L (x - mu) and offset - z.z / 2 with D columns known to the compiler: all in registers.
template <int D, int G>
MIXTURA_TILE void dense_small(Block b, const Pass& pass) {
    for (Index k = 0; k < pass.k; ++k) {
        const double* mean = pass.means + k * D;
        const double* factor = pass.factors + k * D * D;
        const V offset = splat(pass.offsets[k]);
        for (Index v = 0; v < b.padded; v += G * W) {
            V c[D][G], q[G] = {};
            for (int j = 0; j < D; ++j)
                for (int g = 0; g < G; ++g) c[j][g] = load(b.x + j * b.stride + v + g * W) - splat(mean[j]);
#pragma GCC unroll 16
            for (int i = 0; i < D; ++i) {
                V z[G];
                for (int g = 0; g < G; ++g) z[g] = splat(factor[i * D]) * c[0][g];
#pragma GCC unroll 16
                for (int j = 1; j <= i; ++j)
                    for (int g = 0; g < G; ++g) z[g] += splat(factor[i * D + j]) * c[j][g];
                for (int g = 0; g < G; ++g) q[g] += z[g] * z[g];
            }
            for (int g = 0; g < G; ++g) put_log(b, k, v + g * W, offset - splat(0.5) * q[g]);
        }
    }
}

// T rows i0.. of z = L c for G vectors of rows; adds their squares to q, or keeps them where `kept` is.
template <int T, int G>
MIXTURA_TILE void whiten_tile(const double* factor, Index d, Index i0, const double* c, Index stride, double* q,
                              double* kept) {
    const double* l = factor + i0 * d;
    V z[T][G] = {};
    for (Index j = 0; j < i0; ++j) {
        V cj[G];
        for (int g = 0; g < G; ++g) cj[g] = load(c + j * stride + g * W);
        for (int t = 0; t < T; ++t)
            for (int g = 0; g < G; ++g) z[t][g] += splat(l[t * d + j]) * cj[g];
    }
#pragma GCC unroll 8
    for (int j = 0; j < T; ++j) {
        V cj[G];
        for (int g = 0; g < G; ++g) cj[g] = load(c + (i0 + j) * stride + g * W);
#pragma GCC unroll 8
        for (int t = j; t < T; ++t)
            for (int g = 0; g < G; ++g) z[t][g] += splat(l[t * d + i0 + j]) * cj[g];
    }
    for (int g = 0; g < G; ++g) {
        V square = splat(0.0);
        for (int t = 0; t < T; ++t) square += z[t][g] * z[t][g];
        if (q) store(q + g * W, load(q + g * W) + square);
    }
    if (!kept) return;
    for (int t = 0; t < T; ++t)
        for (int g = 0; g < G; ++g) store(kept + (i0 + t) * stride + g * W, z[t][g]);
}

// All of z = L c for G vectors of rows, in balanced tiles of at most six rows of L.
template <int G = whiten_group>
inline void whiten(const double* factor, Index d, const double* c, Index stride, double* q, double* kept) {
    for_tiles(d, 6, [&](Index i0, Index n_i) {
        with_size<6>(n_i, [&](auto t) { whiten_tile<t.value, G>(factor, d, i0, c, stride, q, kept); });
    });
}

// The same as dense_small for any number of columns: a group of rows is centered once per component.
inline void dense_any(Block b, const Pass& pass) {
    constexpr int G = whiten_group;
    const Index d = pass.d;
    for (Index k = 0; k < pass.k; ++k) {
        const double* mean = pass.means + k * d;
        for (Index v = 0; v < b.padded; v += G * W) {
            alignas(64) double q[G * W] = {};
            for (Index j = 0; j < d; ++j)
                for (int g = 0; g < G; ++g)
                    store(b.scratch + (j * G + g) * W, load(b.x + j * b.stride + v + g * W) - splat(mean[j]));
            whiten(pass.factors + k * d * d, d, b.scratch, G * W, q, nullptr);
            for (int g = 0; g < G; ++g)
                put_log(b, k, v + g * W, splat(pass.offsets[k]) - splat(0.5) * load(q + g * W));
        }
    }
}

inline void dense(const Block& b, const Pass& pass) {
    constexpr int most = 12;
    if (pass.d < 1 || pass.d > most) return dense_any(b, pass);
    with_size<most>(pass.d, [&](auto size) {
        constexpr int D = size.value, wide = registers == 32 ? 5 : 2;
        dense_small<D, D <= wide ? 4 : D <= 6 || registers == 32 ? 2 : 1>(b, pass);
    });
}

// q += sum_j z_j^2, z_j = s_j (x_j - mu_j), or x_j - mu_j where all s are one, for G vectors of rows.
template <bool scaled, int G>
MIXTURA_INLINE void add_squares(const double* x, Index stride, Index d, const double* mean, const double* factor, V (&q)[G]) {
    for (Index j = 0; j < d; ++j)
        for (int g = 0; g < G; ++g) {
            V z = load(x + j * stride + g * W) - splat(mean[j]);
            if (scaled) z = z * splat(factor[j]);
            q[g] += z * z;
        }
}

template <bool scaled>
MIXTURA_TILE void distances(Block b, const Pass& pass, const double* x, const double* means) {
    constexpr int G = group;
    for (Index k = 0; k < pass.k; ++k) {
        const V offset = splat(pass.offsets[k]);
        for (Index v = 0; v < b.padded; v += G * W) {
            V q[G] = {};
            add_squares<scaled>(x + v, b.stride, pass.d, means + k * pass.d, pass.factors + k * pass.d, q);
            for (int g = 0; g < G; ++g) put_log(b, k, v + g * W, offset - splat(0.5) * q[g]);
        }
    }
}

// One covariance for all: y = L (x - c) once per row, for |y - L (mu_k - c)|^2; y = x - c where L is the identity.
inline const double* whiten_rows(const Block& b, const Pass& pass, bool identity) {
    for (Index v = 0; !identity && v < b.padded; v += whiten_group * W)
        whiten(pass.factors, pass.d, b.x + v, b.stride, nullptr, b.scratch + v);
    return identity ? b.x : b.scratch;
}
