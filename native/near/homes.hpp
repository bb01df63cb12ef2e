// A pass over many columns, where most components are far from most rows. Rows are taken in the order of the component
// that seems nearest, their home, so that rows that are whitened together have the same one. It is evaluated first; of
// another, coordinates of z = L (x - mu) only until z.z so far says that it is negligible in all of these rows, which
// the first few columns say mostly. Sums are of vectors of rows in which the component counts. What seems nearest
// changes the speed, not the answer: what is left out of a row is at most negligible, as near.hpp has it.
#pragma once

struct Homes {
    double *origin, *metric;             // (d) mean of the means; (d, d) lower triangular A
    double *points, *half;               // (k, d) A^T A (mu_k - origin), (k) half the square of A (mu_k - origin)
    Index *order, *key, *home, *first;   // (n) rows by home, (n) homes of rows, (n) homes in that order, (k + 1)
    double reach, least;                 // log(k / negligible), 0 with hard assignment; exp(-reach)
};

void evaluate(const Pass& pass, Work& work, Index start);

// What a row needs of a log density to count: all of it, but for what is negligible, and rounding.
inline V floor_of(V top, double reach) { return top - splat(reach) - splat(1e-9) * (top < splat(0.0) ? splat(0.0) - top : top); }

// Whether the homes of rows may be worth knowing: what finding them, or trying to, takes is little beside products.
bool has_homes(const Pass& pass) {
    constexpr Index columns = 13, components = 3, rows = 768,  // more than one block, which may be kept laid out
                     products = 4096;
    const bool plain = pass.order || pass.beside || pass.freedom || !pass.factors;
    return !plain && pass.layout == Layout::dense && pass.negligible > 0.0 && pass.d >= columns &&
           pass.k >= components && pass.n >= rows && pass.k * pass.d * pass.d >= products;
}

// What finds homes: the component of which half_k - points_k . (x - origin) is least, one metric for all.
void find_points(const Pass& pass, Block b, const double* center, Homes& h) {
    Cells cells{};
    cells.origin = h.origin;
    cells.metric = h.metric;
    find_metric(pass, center, cells);
    const Index d = pass.d;
    for (Index from = 0; from < pass.k; from += b.stride) {
        b.rows = pass.k - from < b.stride ? pass.k - from : b.stride;
        b.padded = round_up(b.rows, group * W);
        load_rows(pass.means + from * d, nullptr, d, h.origin, b);
        for (Index v = 0; v < b.padded; v += whiten_group * W)
            whiten(h.metric, d, b.x + v, b.stride, nullptr, b.scratch + v);
        for (Index k = 0; k < b.rows; ++k) {
            double *__restrict to = h.points + (from + k) * d, square = 0.0;
            for (Index j = 0; j < d; ++j) to[j] = 0.0;
            for (Index i = 0; i < d; ++i) {
                const double y = b.scratch[i * b.stride + k], *__restrict row = h.metric + i * d;
                for (Index j = 0; j <= i; ++j) to[j] += row[j] * y;
                square += y * y;
            }
            h.half[from + k] = 0.5 * square;
        }
    }
}

// The homes of rows, and their order by them.
void find_homes(const Pass& pass, Block b, Homes& h) {
    const Index d = pass.d;
    for (Index start = 0; start < pass.n; start += b.stride) {
        b.rows = pass.n - start < b.stride ? pass.n - start : b.stride;
        b.padded = round_up(b.rows, group * W);
        if (pass.rows64)
            load_rows(pass.rows64 + start * d, nullptr, d, h.origin, b);
        else
            load_rows(pass.rows32 + start * d, nullptr, d, h.origin, b);
        find_nearest(b, d, b.x, h.points, h.half, nullptr, pass.k, b.top);
        for (Index i = 0; i < b.rows; ++i) h.key[start + i] = static_cast<Index>(b.top[i]);
    }
    sort_by_key(h.key, nullptr, pass.n, pass.k, h.first, h.order);
    for (Index i = 0; i < pass.n; ++i) h.home[i] = h.key[h.order[i]];
}

// Coordinates of z = L (x - mu) of one component for a group of vectors of rows, until all squares are above their limits:
// twice what the offset is above the floor. Keeps log densities, or -inf where none counts; returns how many products of
// vectors that took.
template <int G>
Index whiten_until(const Pass& pass, const Block& b, Index k, Index v, double reach) {
    const Index d = pass.d;
    const double *mean = pass.means + k * d, *factor = pass.factors + k * d * d;
    const V offset = splat(pass.offsets[k]);
    alignas(64) double q[G * W] = {};
    V limit[G];
    for (int g = 0; g < G; ++g) limit[g] = splat(2.0) * (offset - floor_of(load(b.top + v + g * W), reach));
    Index known = 0;
    bool counts = true;
    for_tiles(d, 6, [&](Index i0, Index n_i) {
        if (!counts) return;
        for (known = i0; known < i0 + n_i; ++known)
            for (int g = 0; g < G; ++g)
                store(b.scratch + (known * G + g) * W, load(b.x + known * b.stride + v + g * W) - splat(mean[known]));
        with_size<6>(n_i, [&](auto t) { whiten_tile<t.value, G>(factor, d, i0, b.scratch, G * W, q, nullptr); });
        unsigned within = 0;
        for (int g = 0; g < G; ++g) within |= not_less(limit[g], load(q + g * W));
        counts = within != 0;
    });
    for (int g = 0; g < G; ++g) {
        const double* at = b.top + v + g * W;
        const V log = counts ? offset - splat(0.5) * load(q + g * W) : splat(-infinity), top = load(at);
        store(b.logs + k * b.stride + v + g * W, log);
        store(b.top + v + g * W, top >= log ? top : log);
    }
    return G * known * (known + 1) / 2;
}

// Log densities of a block whose rows have homes: the homes of a group of rows first.
MIXTURA_TILE void dense_from_homes(Block b, const Pass& pass, const Homes& h, Index& spent) {
    constexpr int G = whiten_group;
    for (Index v = 0; v < b.padded; v += G * W) {
        for (int g = 0; g < G; ++g) store(b.top + v + g * W, splat(-infinity));
        const Index last = v + G * W < b.rows ? v + G * W : b.rows;
        const Index first = v < b.rows ? v : b.rows - 1;
        for (Index i = first; i < last; ++i)
            if (i == first || b.home[i] != b.home[i - 1]) spent += whiten_until<G>(pass, b, b.home[i], v, h.reach);
        for (Index k = 0, i = first; k < pass.k; ++k) {
            while (i < last && b.home[i] < k) ++i;
            if (i == last || b.home[i] != k) spent += whiten_until<G>(pass, b, k, v, h.reach);
        }
    }
}

// Responsibilities of component k times the sample weights for the vectors of rows in which it counts, one after the
// other, and where those are; returns their sum.
double weigh_counted(Block& b, Index k, bool normalized, double least) {
    double* r = b.logs + k * b.stride;
    Index n = 0;
    V count = splat(0.0);
    for (Index v = 0; v < b.padded; v += W) {
        const V e = load(r + v);
        if (!not_less(e, splat(least))) continue;
        const V share = times(load(b.w + v), normalized ? e : e * load(b.inverse + v));
        b.counted[n] = v;
        store(r + n * W, share);
        count += share;
        ++n;
    }
    b.padded = n * W;
    b.at = b.counted;
    return sum_lanes(count);
}

// Counts and moments of component k from a block whose rows have homes; returns how many products of vectors that took.
Index add_counted(const Pass& pass, Work& work, Index k, bool normalized) {
    Block part = work.block;
    const Index d = pass.d, size = moment_size(pass.layout, d);
    const double count = weigh_counted(part, k, normalized, work.homes->least);
    work.counts[k] += count;
    if (count == 0.0) return 0;
    moments_dense(part, d, part.logs + k * part.stride, pass.means + k * d, work.first + k * d, work.second + k * size);
    return part.padded / W * size;
}

void* allocate_homes(const Pass& pass, Homes& h) {
    const Index n = pass.n, d = pass.d, k = pass.k;
    double *order, *key, *home, *first;
    void* memory = allocate_parts({{&h.origin, d}, {&h.metric, d * d}, {&h.points, k * d}, {&h.half, k}, {&order, n},
                                   {&key, n}, {&home, n}, {&first, k + 1}});
    if (!memory) return nullptr;
    h.order = reinterpret_cast<Index*>(order);
    h.key = reinterpret_cast<Index*>(key);
    h.home = reinterpret_cast<Index*>(home);
    h.first = reinterpret_cast<Index*>(first);
    return memory;
}

// Whether few components count in a row: tried at some of them.
bool few_count(const Pass& pass, Block b, const double* center, const Homes& h) {
    const double most = 0.55 - 4.0 / static_cast<double>(pass.d);  // finding homes takes the more, the fewer columns
    b.rows = b.padded = pass.n < 8192 ? whiten_group * W : 2 * whiten_group * W;
    for (Index i = 0; i < b.rows; ++i) h.order[i] = (2 * i + 1) * pass.n / (2 * b.rows);
    if (pass.rows64)
        load_rows(pass.rows64, h.order, pass.d, center, b);
    else
        load_rows(pass.rows32, h.order, pass.d, center, b);
    dense(b, pass);
    Index counted = 0;
    for (Index v = 0; v < b.padded; v += W) {
        const V floor = floor_of(load(b.top + v), h.reach);
        for (Index k = 0; k < pass.k; ++k)
            counted += __builtin_popcount(not_less(load(b.logs + k * b.stride + v), floor));
    }
    return static_cast<double>(counted) < most * static_cast<double>(pass.k * b.rows);
}

// The pass by homes; false where many components count in a row or memory is short, and nothing was added.
bool run_homes(const Pass& pass, Work& work) {
    constexpr double most = 0.85;
    Homes h;
    Block& b = work.block;
    void* memory = allocate_homes(pass, h);
    if (!memory) return false;
    h.reach = pass.hard ? 0.0 : __builtin_log(static_cast<double>(pass.k) / pass.negligible);
    h.least = __builtin_exp(-h.reach);
    const bool pays = few_count(pass, b, work.center, h);
    if (pays) {
        find_points(pass, b, work.center, h);
        find_homes(pass, b, h);
        work.homes = &h, work.order = h.order, work.home = h.home;
    }
    const double each = static_cast<double>(pass.k * triangle(pass.d)) * (pass.sums ? 2.0 : 1.0);
    double all = 0.0;
    for (Index start = 0; pays && start < pass.n; start += b.stride) {
        load_block(pass, work, start);
        work.sums[1] += work.total;
        evaluate(pass, work, start);
        all += static_cast<double>(b.padded / W) * each;
        if (static_cast<double>(work.spent) > most * all) work.home = nullptr;  // rows of one home have little in common
    }
    std::free(memory);
    return pays;
}
