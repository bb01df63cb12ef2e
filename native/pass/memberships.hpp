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

// labels <- argmax_k logs_k, the lowest number among equals, -1 where the background is larger;  top <- the largest; NaN where any is NaN.
V assign(const Pass& pass, Block b) {
    V log_likelihood = splat(0.0);
    for (Index v = 0; v < b.padded; v += W) {
        V best = load(b.logs + v), label = splat(0.0), nan = best == best ? splat(0.0) : best;
        prefetch(b, v);
        for (Index k = 1; k < pass.k; ++k) {
            const V x = load(b.logs + k * b.stride + v);
            label = x > best ? splat(static_cast<double>(k)) : label;
            best = x > best ? x : best;
            nan = x == x ? nan : x;
        }
        best = nan == nan || best == splat(-infinity) ? best : nan;
        label = (best == best ? label : splat(0.0)) + two_52;
        store(reinterpret_cast<double*>(b.labels) + v, from_bits(bits(label) ^ bits(splat(two_52))));
        if (pass.background) best = assign_background(b, v, best);
        store(b.top + v, best);
        log_likelihood += times(load(b.w + v), best);
    }
    return log_likelihood;
}

void write_outputs(const Pass& pass, Block b, Index start) {
    if (!pass.log_density && !pass.memberships && !pass.labels) return;
    for (Index i = 0; i < b.rows; ++i) {
        const Index at = b.order ? b.order[i] : start + i;
        if (pass.log_density) pass.log_density[at] = b.top[i];
        if (pass.labels) pass.labels[at] = b.top[i] == b.top[i] ? b.labels[i] : 0;
        for (Index k = 0; k < pass.k && pass.memberships; ++k) {
            const double one = b.top[i] > -infinity ? static_cast<double>(b.labels[i] == k) : not_a_number;
            pass.memberships[at * pass.k + k] = pass.hard ? one : b.logs[k * b.stride + i] * b.inverse[i];
        }
    }
}
