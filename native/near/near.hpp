// A pass over many components that looks at those near a group of rows alone. With c near the rows x of a group and r the
// largest |A (x - c)|, component k is |L_k (c - mu_k)| - stretch_k r away from all of them at least, so that its log
// densities there are below a bound. It is left out where that is below the floor of every row: the log density of some
// component at it, less log(k / negligible). So what is left out of a row is together at most that share of it.
#pragma once

struct Near {
    Cells cells;
    Block centers;                // the centers of groups as rows
    double *floor, *radius;       // (stride) of rows, (centers.stride) of groups
    double *begin_floor, *shares; // (centers.stride), (stride)
    Index *list, *listed;         // (W, k), (W) components near each of W groups
    Index *pair_k, *pair_v;       // pairs of components and units of rows; their log densities are in Block::logs
    Index *entry, *first, *at;    // pairs by component, (k + 2), (stride / W)
    Index n_pairs;
    double reach;                 // log(k / negligible), 0 with hard assignment
};

constexpr int vectors = unit / W;

// z.z of component k and a vector of rows at x, or something above the limit where all of them are above it.
template <int D>
struct DenseDistance {
    const Pass& pass;
    Index stride;
    MIXTURA_INLINE V operator()(Index k, const double* x, V limit) const {
        const double *mean = pass.means + k * D, *factor = pass.factors + k * D * D;
        V c[D], q = splat(0.0);
#pragma GCC unroll 16
        for (int j = 0; j < D; ++j) c[j] = load(x + j * stride) - splat(mean[j]);
#pragma GCC unroll 16
        for (int i = 0; i < D; ++i) {
            V z = splat(factor[i * D]) * c[0];
#pragma GCC unroll 16
            for (int j = 1; j <= i; ++j) z += splat(factor[i * D + j]) * c[j];
            q += z * z;
            if (D >= 6 && i == D / 2 - 1 && !not_less(limit, q)) return splat(infinity);
        }
        return q;
    }
};

struct AnyDistance {
    const Pass& pass;
    Index stride;
    double* scratch;
    MIXTURA_INLINE V operator()(Index k, const double* x, V) const {
        const Index d = pass.d;
        const double* mean = pass.means + k * d;
        alignas(64) double q[W] = {};
        for (Index j = 0; j < d; ++j) store(scratch + j * W, load(x + j * stride) - splat(mean[j]));
        whiten<1>(pass.factors + k * d * d, d, scratch, W, q, nullptr);
        return load(q);
    }
};

template <int D, bool scaled>
struct PlainDistance {
    const Pass& pass;
    Index stride;
    const double* means;
    MIXTURA_INLINE V operator()(Index k, const double* x, V) const {
        const Index d = D ? D : pass.d;
        const double *mean = means + k * d, *factor = pass.factors + k * d;
        V q = splat(0.0);
#pragma GCC unroll 16
        for (Index j = 0; j < d; ++j) {
            V z = load(x + j * stride) - splat(mean[j]);
            if (scaled) z = z * splat(factor[j]);
            q += z * z;
        }
        return q;
    }
};

// Call f with what measures the distances of this pass; x is in whitened coordinates in the shared layout.
template <typename Function>
void with_distance(const Pass& pass, const Block& b, const double* whitened, Function f) {
    constexpr int most = 12;
    if (pass.d < 1 || pass.d > most) {
        if (pass.layout == Layout::dense) return f(AnyDistance{pass, b.stride, b.scratch});
        if (pass.layout == Layout::diagonal) return f(PlainDistance<0, true>{pass, b.stride, pass.means});
        return f(PlainDistance<0, false>{pass, b.stride, whitened});
    }
    with_size<most>(pass.d, [&](auto size) {
        if (pass.layout == Layout::dense) return f(DenseDistance<size.value>{pass, b.stride});
        if (pass.layout == Layout::diagonal) return f(PlainDistance<size.value, true>{pass, b.stride, pass.means});
        f(PlainDistance<size.value, false>{pass, b.stride, whitened});
    });
}

// The log densities of listed components in rows v0..v1, kept as pairs where some row needs them.
template <typename Distance>
MIXTURA_TILE void evaluate_listed(const Pass& pass, const Block& b, Near& near, const double* x, Index v0, Index v1,
                                  const Index* list, Index n, Distance distance) {
    const double* floors = near.floor;
    double* __restrict logs = b.logs + near.n_pairs * unit;
    Index *__restrict pair_k = near.pair_k, *__restrict pair_v = near.pair_v, n_pairs = near.n_pairs;
    for (Index i = 0; i < n; ++i) {
        const Index k = list[i];
        const V offset = splat(pass.offsets[k]);
        for (Index v = v0; v < v1; v += unit) {
            unsigned kept = 0;
            for (int g = 0; g < vectors; ++g) {
                const V floor = load(floors + v + g * W);
                const V log = offset - splat(0.5) * distance(k, x + v + g * W, splat(2.0) * (offset - floor));
                kept |= not_less(log, floor);
                store(logs + g * W, log);
            }
            pair_k[n_pairs] = k;  // written over by the next where no row needs it
            pair_v[n_pairs] = v;
            n_pairs += kept ? 1 : 0;
            logs += kept ? unit : 0;
        }
    }
    near.n_pairs = n_pairs;
}

// The rows of groups first..last, padded, their weights, and in the shared layout what they are whitened.
void load_groups(const Pass& pass, Work& work, const Cells& c, Index first, Index last) {
    Block& b = work.block;
    const Index begin = c.groups[first];
    b.rows = c.groups[last] - begin;
    b.padded = round_up(b.rows, group * W);
    if (pass.rows64)
        load_rows(pass.rows64, c.slots + begin, pass.d, work.center, b);
    else
        load_rows(pass.rows32, c.slots + begin, pass.d, work.center, b);
    b.masked = false;
    for (Index i = 0; i < b.padded; ++i) b.w[i] = 0.0;
    for (Index one = first; one < last; ++one)
        for (Index i = 0; i < c.filled[one]; ++i) {
            const Index at = c.groups[one] - begin + i;
            b.w[at] = pass.weight ? pass.weight[c.slots[begin + at]] : 1.0;
            b.masked = b.masked || b.w[at] == 0.0;
        }
    for (Index v = 0; v < b.padded && pass.layout == Layout::shared; v += whiten_group * W)
        whiten(pass.factors, pass.d, b.x + v, b.stride, nullptr, b.scratch + v);
}

// The center of a group, one column of a block of centers, and the largest |A (x - c)| of its rows.
void find_center(const Pass& pass, const Block& b, Near& near, const double* x, Index v0, Index v1, Index to) {
    const Index d = pass.d;
    const double rows = static_cast<double>(v1 - v0), *metric = near.cells.metric;
    for (Index j = 0; j < d; ++j) {
        V total = splat(0.0);
        for (Index v = v0; v < v1; v += W) total += load(x + j * b.stride + v);
        near.centers.x[j * near.centers.stride + to] = sum_lanes(total) / rows;
    }
    V most = splat(0.0);
    double* apart = near.centers.scratch;
    for (Index v = v0; v < v1; v += W) {
        V q = splat(0.0);
        for (Index j = 0; j < d; ++j) {
            V by = load(x + j * b.stride + v) - splat(near.centers.x[j * near.centers.stride + to]);
            if (pass.layout == Layout::diagonal) by = by * splat(metric[j]);
            store(apart + j * W, by);
            q += by * by;
        }
        if (pass.layout == Layout::dense) {
            alignas(64) double square[W] = {};
            whiten<1>(metric, d, apart, W, square, nullptr);
            q = load(square);
        }
        most = most >= q ? most : q;
    }
    double largest = most[0];
    for (int lane = 1; lane < W; ++lane) largest = largest >= most[lane] ? largest : most[lane];
    near.radius[to] = __builtin_sqrt(largest);
}

// The components near each of the W groups from `to` on: those whose bound is not below the floor of the group.
MIXTURA_TILE void list_near(const Pass& pass, Near& near, Index to) {
    const Block& centers = near.centers;
    const V radius = load(near.radius + to), floor = load(near.begin_floor + to);
    Index listed[W] = {};
    double largest = -infinity;
    for (Index k = 0; k < pass.k; ++k) largest = pass.offsets[k] > largest ? pass.offsets[k] : largest;
    const V most = square_root(splat(2.0) * (splat(largest) - floor));
    const double* log = centers.logs + to;
    for (Index k = 0; k < pass.k; ++k, log += centers.stride) {
        const V offset = splat(pass.offsets[k]), reach = splat(near.cells.stretch[k]) * radius;
        const V q = splat(2.0) * (offset - load(log)), within = most + reach;
        if (!not_less(within * within, q)) continue;  // no offset would be large enough
        V distance = square_root(q < splat(0.0) ? splat(0.0) : q) - reach;
        distance = distance < splat(0.0) ? splat(0.0) : distance;
        for (unsigned lanes = not_less(offset - splat(0.5) * distance * distance, floor); lanes; lanes &= lanes - 1) {
            const int lane = __builtin_ctz(lanes);
            near.list[lane * pass.k + listed[lane]++] = k;
        }
    }
    for (int lane = 0; lane < W; ++lane) near.listed[lane] = listed[lane];
}

// The largest log densities of rows, from their pairs.
void find_tops(Block& b, const Near& near) {
    for (Index v = 0; v < b.padded; v += W) store(b.top + v, splat(-infinity));
    for (Index p = 0; p < near.n_pairs; ++p)
        for (int g = 0; g < vectors; ++g) {
            double* at = b.top + near.pair_v[p] + g * W;
            const V log = load(b.logs + p * unit + g * W), top = load(at);
            store(at, top >= log ? top : log);
        }
}

// Pairs of components and units of the groups of a block; returns how many components were listed for them. A trial
// evaluates none of those.
Index find_pairs(const Pass& pass, Work& work, Near& near, Index first, Index last, bool trial) {
    Block &b = work.block, &centers = near.centers;
    const Cells& c = near.cells;
    const Index begin = c.groups[first], n = last - first;
    const double* x = pass.layout == Layout::shared ? b.scratch : b.x;
    centers.rows = n;
    centers.padded = round_up(n, group * W);
    for (Index i = 0; i < centers.padded; ++i) {
        const Index one = first + (i < n ? i : n - 1);
        find_center(pass, b, near, x, c.groups[one] - begin, c.groups[one + 1] - begin, i);
    }
    if (pass.layout == Layout::dense)
        dense(centers, pass);
    else if (pass.layout == Layout::diagonal)
        distances<true>(centers, pass, centers.x, pass.means);
    else
        distances<false>(centers, pass, centers.x, work.whitened);
    near.n_pairs = 0;
    Index all = 0;
    for (Index i = 0; i < b.padded; i += W) store(near.floor + i, splat(-infinity));
    with_distance(pass, b, work.whitened, [&](auto distance) {
        for (Index from = 0; from < n; from += W) {
            const Index most = n - from < W ? n - from : W;
            Index home[W];
            V best = load(centers.logs + from), label = splat(0.0);
            for (Index k = 1; k < pass.k; ++k) {
                const V log = load(centers.logs + k * centers.stride + from);
                label = log > best ? splat(static_cast<double>(k)) : label;
                best = log > best ? log : best;
            }
            for (Index lane = 0; lane < W; ++lane) near.begin_floor[from + lane] = -infinity;
            for (Index lane = 0; lane < most; ++lane) {
                home[lane] = static_cast<Index>(label[lane]);
                const Index v0 = c.groups[first + from + lane] - begin, v1 = c.groups[first + from + lane + 1] - begin;
                const double* found = b.logs + near.n_pairs * unit;
                evaluate_listed(pass, b, near, x, v0, v1, home + lane, 1, distance);
                for (Index v = v0; v < v1; v += W) store(near.floor + v, floor_of(load(found + v - v0), near.reach));
                double least = near.floor[v0];
                for (Index v = v0; v < v1; ++v) least = near.floor[v] >= least ? least : near.floor[v];
                near.begin_floor[from + lane] = least;
            }
            list_near(pass, near, from);
            for (Index lane = 0; lane < most; ++lane) all += near.listed[lane];
            for (Index lane = 0; lane < most && !trial; ++lane) {
                Index *list = near.list + lane * pass.k, kept = 0;
                for (Index i = 0; i < near.listed[lane]; ++i)
                    if (list[i] != home[lane]) list[kept++] = list[i];
                const Index v0 = c.groups[first + from + lane] - begin, v1 = c.groups[first + from + lane + 1] - begin;
                evaluate_listed(pass, b, near, x, v0, v1, list, kept, distance);
            }
        }
    });
    find_tops(b, near);
    return all;
}
