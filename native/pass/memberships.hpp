// What follows from log densities: responsibilities, or labels, and the log density of each row.
#pragma once

// Ask for W rows of the next block, so that memory delivers them while this one is computed.
inline void prefetch(const Block& b, Index v) {
    if (!b.next) return;
    const char* from = b.next + v * b.row_bytes;
    for (const char* p = from; p < from + W * b.row_bytes; p += 64) __builtin_prefetch(p, 0, 2);
}

// What belongs to no component is one more term beside the components.
void add_background(const Pass& pass, Block b, Index start) {
    for (Index i = 0; i < b.padded; ++i) {
        const Index row = start + (i < b.rows ? i : b.rows - 1);
        b.background[i] = pass.background[b.order ? b.order[row - start] : row];
    }
    for (Index v = 0; v < b.padded; v += W) {
        const V top = load(b.top + v), other = load(b.background + v);
        store(b.top + v, other > top ? other : top);
    }
}

// Label -1 where the background is larger than the best component; the larger of both.
inline V assign_background(Block b, Index v, V best) {
    const V other = load(b.background + v);
    for (int lane = 0; lane < W; ++lane) b.labels[v + lane] = other[lane] > best[lane] ? -1 : b.labels[v + lane];
    return other > best ? other : best;
}

// e log e, where log is that of e; 0 where e is.
inline V cross_of(V e, V log) { return log < splat(-708.0) ? splat(0.0) : e * log; }

// top <- top + log(total) and inverse <- 1 / total, where total is what inverse holds; returns the sum of w top. Entropies
// gain, with r_k = e_k / total, those of - sum_k r_k log r_k and of - log max_k r_k = log(total).
V finish(const Block& b, double* entropies) {
    V log_likelihood = splat(0.0), entropy = splat(0.0), classification = splat(0.0);
    for (Index v = 0; v < b.padded; v += W) {
        const V top = load(b.top + v), total = load(b.inverse + v);
        const V gained = log(total), log_density = top == splat(-infinity) ? top : top + gained;
        store(b.top + v, log_density);
        store(b.inverse + v, splat(1.0) / total);
        log_likelihood += times(load(b.w + v), log_density);
        if (b.cross) entropy += times(load(b.w + v), gained - load(b.cross + v) / total);
        classification += times(load(b.w + v), gained);
    }
    entropies[0] += sum_lanes(entropy);
    entropies[1] += sum_lanes(classification);
    return log_likelihood;
}

// logs_k <- exp(logs_k - top);  top <- log sum_k exp(logs_k) = top + log sum_k exp(logs_k - top), the background
// being one more term.
template <bool scored>
V normalize(const Pass& pass, Block b, double* entropies) {
    for (Index v = 0; v < b.padded; v += W) {
        const V top = load(b.top + v), other = pass.background ? load(b.background + v) - top : splat(-infinity);
        V total = pass.background ? exp(other) : splat(0.0), cross = cross_of(total, other);
        prefetch(b, v);
        for (Index k = 0; k < pass.k; ++k) {
            const V by = load(b.logs + k * b.stride + v) - top, e = exp(by);
            store(b.logs + k * b.stride + v, e);
            total += e;
            if (scored) cross += cross_of(e, by);
        }
        store(b.inverse + v, total);
        if (scored) store(b.cross + v, cross);
    }
    return finish(b, entropies);
}

// The largest log density of each of W rows, and whose it is: the lowest number among equals; NaN where any is NaN.
struct Best {
    V value, label, nan;

    MIXTURA_INLINE void begin(V first) { value = first, label = splat(0.0), nan = first == first ? splat(0.0) : first; }

    MIXTURA_INLINE void take(Index k, V x) {
        label = x > value ? splat(static_cast<double>(k)) : label;
        value = x > value ? x : value;
        nan = x == x ? nan : x;
    }
};

// labels <- whose it is, -1 where the background is larger;  top <- the largest.  Returns the weights times top.
MIXTURA_INLINE V settle(const Pass& pass, const Block& b, Index v, const Best& found) {
    V best = found.nan == found.nan || found.value == splat(-infinity) ? found.value : found.nan;
    const V label = (best == best ? found.label : splat(0.0)) + two_52;
    store(reinterpret_cast<double*>(b.labels) + v, from_bits(bits(label) ^ bits(splat(two_52))));
    if (pass.background) best = assign_background(b, v, best);
    store(b.top + v, best);
    return times(load(b.w + v), best);
}

// The component with the largest log density of each row.
V assign(const Pass& pass, const Block& b) {
    V log_likelihood = splat(0.0);
    for (Index v = 0; v < b.padded; v += W) {
        Best best;
        best.begin(load(b.logs + v));
        prefetch(b, v);
        for (Index k = 1; k < pass.k; ++k) best.take(k, load(b.logs + k * b.stride + v));
        log_likelihood += settle(pass, b, v, best);
    }
    return log_likelihood;
}

// The same without keeping the log densities, which are those of `distances`.
template <bool scaled>
MIXTURA_TILE V assign_nearest(const Pass& pass, const Block& b, const double* rows, const double* means) {
    constexpr int G = whiten_group;
    const Index d = pass.d;
    V log_likelihood = splat(0.0);
    for (Index v = 0; v < b.padded; v += G * W) {
        Best best[G];
        const auto log_densities = [&](Index k, V (&x)[G]) {
            V q[G] = {};
            add_squares<scaled>(rows + v, b.stride, d, means + k * d, pass.factors + k * d, q);
            for (int g = 0; g < G; ++g) x[g] = splat(pass.offsets[k]) - splat(0.5) * q[g];
        };
        V x[G];
        log_densities(0, x);
        for (int g = 0; g < G; ++g) best[g].begin(x[g]), prefetch(b, v + g * W);
        for (Index k = 1; k < pass.k; ++k) {
            log_densities(k, x);
            for (int g = 0; g < G; ++g) best[g].take(k, x[g]);
        }
        for (int g = 0; g < G; ++g) log_likelihood += settle(pass, b, v + g * W, best[g]);
    }
    return log_likelihood;
}

void write_outputs(const Pass& pass, const Block& b, Index start) {
    const auto number = [&](Index i) { return b.order ? b.order[i] : start + i; };
    const auto write = [&](const auto* from, auto* to) {
        if (to && !b.order) std::copy(from, from + b.rows, to + start);
        for (Index i = 0; i < b.rows && to && b.order; ++i) to[b.order[i]] = from[i];
    };
    write(b.top, pass.log_density);
    write(b.labels, pass.labels);
    for (Index i = 0; i < b.rows && pass.memberships; ++i)
        for (Index k = 0; k < pass.k; ++k) {
            const double one = b.top[i] > -infinity ? static_cast<double>(b.labels[i] == k) : not_a_number;
            pass.memberships[number(i) * pass.k + k] = pass.hard ? one : b.logs[k * b.stride + i] * b.inverse[i];
        }
}
