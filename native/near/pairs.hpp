// What follows from pairs of components and units of rows, as memberships.hpp and sums.hpp do from all; and the whole pass.
#pragma once

// Labels are the components with the largest log density; of equals the first.
void label_pairs(const Pass& pass, Block& b, const Near& near) {
    for (Index i = 0; i < b.padded; ++i) b.labels[i] = pass.k;
    for (Index p = 0; p < near.n_pairs; ++p) {
        const Index k = near.pair_k[p], v = near.pair_v[p];
        for (Index i = 0; i < unit; ++i)
            if (b.logs[p * unit + i] == b.top[v + i] && k < b.labels[v + i]) b.labels[v + i] = k;
    }
    for (Index i = 0; i < b.padded; ++i) {
        if (b.labels[i] == pass.k) b.labels[i] = 0;
        if (pass.background && b.background[i] > b.top[i]) b.labels[i] = -1;
    }
}

// exp(log - top) in place of the log densities of pairs, their sums in Block::inverse; drops pairs below the floor.
void exponentiate_pairs(const Pass& pass, Block& b, Near& near) {
    for (Index v = 0; v < b.padded; v += W) {
        store(near.floor + v, floor_of(load(b.top + v), near.reach));
        const V other = pass.background ? load(b.background + v) - load(b.top + v) : splat(-infinity);
        store(b.inverse + v, exp(other));
        if (b.cross) store(b.cross + v, cross_of(exp(other), other));
    }
    Index kept = 0;
    for (Index p = 0; p < near.n_pairs; ++p) {
        const Index v = near.pair_v[p];
        unsigned needed = 0;
        for (int g = 0; g < vectors; ++g) needed |= not_less(load(b.logs + p * unit + g * W), load(near.floor + v + g * W));
        if (!needed) continue;
        near.pair_k[kept] = near.pair_k[p];
        near.pair_v[kept] = v;
        for (int g = 0; g < vectors; ++g) {
            const V by = load(b.logs + p * unit + g * W) - load(b.top + v + g * W), e = exp(by);
            store(b.logs + kept * unit + g * W, e);
            store(b.inverse + v + g * W, load(b.inverse + v + g * W) + e);
            if (b.cross) store(b.cross + v + g * W, load(b.cross + v + g * W) + cross_of(e, by));
        }
        ++kept;
    }
    near.n_pairs = kept;
}

void write_near(const Pass& pass, const Block& b, const Near& near, Index first, Index last) {
    const Cells& c = near.cells;
    const Index begin = c.groups[first];
    for (Index one = first; one < last; ++one)
        for (Index i = 0; i < c.filled[one]; ++i) {
            const Index at = c.groups[one] - begin + i, row = c.slots[begin + at];
            if (pass.log_density) pass.log_density[row] = b.top[at];
            if (pass.labels) pass.labels[row] = b.top[at] == b.top[at] ? b.labels[at] : 0;
            const double none = b.top[at] > -infinity ? 0.0 : not_a_number;
            for (Index k = 0; k < pass.k && pass.memberships; ++k) pass.memberships[row * pass.k + k] = none;
            if (pass.memberships && pass.hard && b.top[at] > -infinity && b.labels[at] >= 0)
                pass.memberships[row * pass.k + b.labels[at]] = 1.0;
        }
    if (!pass.memberships || pass.hard) return;
    for (Index p = 0; p < near.n_pairs; ++p)
        for (Index i = 0; i < unit; ++i) {
            const Index at = near.pair_v[p] + i;
            pass.memberships[c.slots[begin + at] * pass.k + near.pair_k[p]] = b.logs[p * unit + i] * b.inverse[at];
        }
}

// Counts and moments of each component from its pairs.
void add_pairs(const Pass& pass, Work& work, Near& near) {
    Block b = work.block;
    for (Index k = 0; k <= pass.k; ++k) near.first[k] = 0;
    for (Index p = 0; p < near.n_pairs; ++p) ++near.first[near.pair_k[p] + 1];
    for (Index k = 0; k < pass.k; ++k) near.first[k + 1] += near.first[k];
    for (Index p = 0; p < near.n_pairs; ++p) near.entry[near.first[near.pair_k[p]]++] = p;
    for (Index i = 0; i < b.padded && b.masked; ++i)
        for (Index j = 0; j < pass.d && b.w[i] == 0.0; ++j) b.x[j * b.stride + i] = 0.0;
    for (Index v = 0; v < b.padded; v += W) store(near.floor + v, times(load(b.w + v), load(b.inverse + v)));
    for (Index k = 0, from = 0; k < pass.k; ++k) {
        const Index to = near.first[k];
        if (from == to) continue;
        V count = splat(0.0);
        Index n = 0, *at = near.at;
        double* __restrict shares = near.shares;
        for (; from < to; ++from) {
            const Index p = near.entry[from];
            for (int g = 0; g < vectors; ++g, ++n) {
                const Index v = near.pair_v[p] + g * W;
                const V e = load(b.logs + p * unit + g * W), scale = load(near.floor + v);
                const V share = b.masked ? times(scale, e) : scale * e;
                at[n] = v;
                store(shares + n * W, share);
                count += share;
            }
        }
        const double total = sum_lanes(count);
        work.counts[k] += total;
        if (total == 0.0) continue;
        Block part = b;
        part.at = near.at;
        part.padded = n * W;
        double *first = work.first + k * pass.d, *second = work.second + k * moment_size(pass.layout, pass.d);
        if (pass.layout == Layout::shared)
            moments_first(part, pass.d, near.shares, first);
        else
            (pass.layout == Layout::dense ? moments_dense : moments_diagonal)(part, pass.d, near.shares,
                                                                              pass.means + k * pass.d, first, second);
    }
}

// Whether a pass may be worth it: components are many and so are rows.
bool is_near(const Pass& pass) {
    constexpr Index components = 64, rows = 1024;
    const bool plain = pass.order || pass.beside || pass.freedom || !pass.factors;
    return !plain && pass.negligible > 0.0 && pass.k >= components && pass.n >= rows;
}

void* allocate_near(const Pass& pass, Near& near) {
    const Index n = pass.n, d = pass.d, k = pass.k, units = near_rows / unit, slots = most_slots(n, k);
    const Index centers = round_up(units, group * W) + 8;  // rows do not share sets of the caches
    Cells& c = near.cells;
    Block& b = near.centers;
    b = Block{};
    b.stride = centers;
    const Index matrix = k * centers > d * d ? k * centers : d * d;  // first that of a component's stretch
    double* whole[18];
    void* memory = allocate_parts({
        {&c.origin, d}, {&c.metric, d * d}, {&c.seen, k * d}, {&c.half, k}, {&c.stretch, k}, {&c.corner, k * d},
        {&c.corner_half, k}, {&c.apart, k}, {&c.across, d * k}, {&b.x, d * centers}, {&b.logs, matrix},
        {&b.top, centers}, {&b.scratch, d * (d > centers ? d : centers)}, {&near.floor, near_rows},
        {&near.radius, centers}, {&near.begin_floor, centers}, {&near.shares, near_rows}, {&whole[0], k},
        {&whole[1], k + 1}, {&whole[2], n}, {&whole[3], n}, {&whole[4], n}, {&whole[5], k + 2}, {&whole[6], slots},
        {&whole[7], most_groups(n, k) + 1}, {&whole[8], most_groups(n, k)}, {&whole[9], W * k}, {&whole[10], W},
        {&whole[11], units * k + 1}, {&whole[12], units * k + 1}, {&whole[13], units * k}, {&whole[14], k + 2},
        {&whole[15], near_rows / W}, {&whole[16], k * k}, {&whole[17], k}});
    if (!memory) return nullptr;
    Index** places[] = {&c.members,   &c.leaves,    &c.key,      &c.order,    &c.sorted,   &c.first,
                        &c.slots,     &c.groups,    &c.filled,   &near.list,  &near.listed, &near.pair_k,
                        &near.pair_v, &near.entry,  &near.first, &near.at,    &c.around,   &c.rank};
    for (int i = 0; i < 18; ++i) *places[i] = reinterpret_cast<Index*>(whole[i]);
    return memory;
}

// What belongs to no component, for the rows of a block.
void load_background(const Pass& pass, Block& b, const Index* slots) {
    for (Index i = 0; i < b.padded; ++i) b.background[i] = pass.background[slots[i < b.rows ? i : b.rows - 1]];
}

// Whether few components are near to groups: tried at W of them at a time, in three places.
bool is_useful(const Pass& pass, Work& work, Near& near) {
    constexpr double most = 0.5;
    const Index n = near.cells.n_groups;
    Index listed = 0, tried = 0;
    for (Index place = 0; place < 3; ++place) {
        const Index first = (2 * place + 1) * n / 6, last = first + W < n ? first + W : n;
        load_groups(pass, work, near.cells, first, last);
        listed += find_pairs(pass, work, near, first, last, true);
        tried += last - first;
    }
    return static_cast<double>(listed) < most * static_cast<double>(tried * pass.k);
}

// The pass in groups of rows; false where that does not pay, memory is short or means are not finite,
// and nothing was added.
bool run_near(const Pass& pass, Work& work) {
    Near near;
    void* memory = allocate_near(pass, near);
    if (!memory) return false;
    Block& b = work.block;
    Cells& c = near.cells;
    near.reach = pass.hard ? 0.0 : __builtin_log(static_cast<double>(pass.k) / pass.negligible);
    find_metric(pass, work.center, c);
    const bool finite = see_means(pass, c, near.centers.scratch, near.centers.logs);
    Pass trial = pass;
    trial.n = pass.n < 2048 ? pass.n : 2048;
    if (finite) {
        find_leaves(pass.k, pass.d, c);
        find_groups(trial, b, c);
    }
    const bool useful = finite && is_useful(pass, work, near);
    if (useful && trial.n < pass.n) find_groups(pass, b, c);
    for (Index first = 0; useful && first < c.n_groups;) {
        Index last = first + 1;
        while (last < c.n_groups && c.groups[last + 1] - c.groups[first] <= near_rows) ++last;
        load_groups(pass, work, c, first, last);
        find_pairs(pass, work, near, first, last, false);
        V weight = splat(0.0);
        for (Index v = 0; v < b.padded; v += W) weight += load(b.w + v);
        work.sums[1] += sum_lanes(weight);
        if (pass.background) load_background(pass, b, c.slots + c.groups[first]);
        if (pass.hard || pass.labels) label_pairs(pass, b, near);
        for (Index v = 0; v < b.padded && pass.background; v += W) {
            const V top = load(b.top + v), other = load(b.background + v);
            store(b.top + v, other > top ? other : top);
        }
        if (!pass.hard) exponentiate_pairs(pass, b, near);
        V log_likelihood = splat(0.0);
        for (Index v = 0; v < b.padded && pass.hard; v += W) log_likelihood += times(load(b.w + v), load(b.top + v));
        if (!pass.hard) log_likelihood = finish(b, work.entropies);
        work.sums[0] += sum_lanes(log_likelihood);
        write_near(pass, b, near, first, last);
        if (pass.sums && pass.hard)
            add_labelled(pass, work, b.labels);
        else if (pass.sums)
            add_pairs(pass, work, near);
        first = last;
    }
    if (pass.sums && pass.hard && useful) spoil_uncertain(work);
    std::free(memory);
    return useful;
}
