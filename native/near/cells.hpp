// Rows in an order in which those near one component are neighbors: a pass over many components looks at most of them
// once per group of rows. Distances are those of one metric A for all; which it is changes the speed, not the answer.
#pragma once

struct Cells {
    double *origin, *metric;            // (d) mean of the means; (d, d) lower triangular A, or (d) its diagonal
    double *seen, *half, *stretch;      // (k, d) A mu_k, (k) half its square, (k) bound of |L_k v| / |A v|
    double *corner, *corner_half;       // (k, d), (k) the same of leaves: sets of components near each other
    double *across, *apart;             // (d, k) A mu_k by columns; (k) distances
    Index *members, *rank;              // (k) components by leaf, and where they stand there
    Index *leaves, *around;             // (k + 1) where leaves begin; (k, n_around) the components nearest to leaves
    Index *key, *order, *sorted, *first;  // (n), (n), (n), (k + 1) of the sort
    Index *slots, *groups, *filled;     // (room) rows by group, padded to units; (n_groups + 1) begin, (n_groups) rows
    Index n_leaves, n_around, n_groups;
};

constexpr Index unit = 8;         // rows that are evaluated together
constexpr Index most_units = 8;   // of a group
constexpr Index around_times = 3; // components that rows of a leaf are compared with, in relation to those of a leaf

constexpr Index near_rows = 512;  // of a block: enough that lanes are seldom added up, few enough that the caches hold pairs
constexpr Index near_stride = near_rows + 8;  // columns do not share sets of the caches

constexpr Index most_groups(Index n, Index k) { return k + n / (unit * most_units) + 2; }
constexpr Index most_slots(Index n, Index k) { return n + unit * most_groups(n, k); }

// A is the mean of the whitening factors, each in relation to its own size.
void find_metric(const Pass& pass, const double* center, Cells& c) {
    const Index d = pass.d, size = pass.layout == Layout::diagonal ? d : d * d;
    for (Index j = 0; j < d; ++j) {
        double total = 0.0;
        for (Index k = 0; k < pass.k; ++k) total += pass.means[k * d + j] - center[j];
        c.origin[j] = center[j] + total / static_cast<double>(pass.k);
    }
    for (Index i = 0; i < size; ++i) c.metric[i] = pass.layout == Layout::shared ? pass.factors[i] : 0.0;
    for (Index k = 0; k < pass.k && pass.layout != Layout::shared; ++k) {
        const double* factor = pass.factors + k * size;
        double trace = 0.0;
        for (Index j = 0; j < d; ++j) trace += factor[size == d ? j : j * d + j];
        for (Index i = 0; i < size; ++i) c.metric[i] += factor[i] / trace;
    }
}

// |L_k v| <= stretch |A v| for all v. With M = L_k A^-1 and S = M M^T it is |S^4|^(1/8) in the maximum norm, which is
// at most d^(1/16) times the largest singular value of M.
double dense_stretch(const double* factor, const double* metric, Index d, double* m, double* s) {
    for (Index i = 0; i < d; ++i)
        for (Index j = d; j-- > 0;) {
            double left = j <= i ? factor[i * d + j] : 0.0;
            for (Index t = j + 1; t <= i; ++t) left -= m[i * d + t] * metric[t * d + j];
            m[i * d + j] = left / metric[j * d + j];
        }
    double scale = 0.0, total = 1.0;
    for (int round = 0; round < 3; ++round) {  // S, S^2, S^4, each divided by a number
        for (Index i = 0; i < d; ++i)
            for (Index j = 0; j <= i; ++j) {
                double sum = 0.0;
                for (Index t = 0; t < d; ++t) sum += m[i * d + t] * m[j * d + t];
                s[i * d + j] = s[j * d + i] = sum;
            }
        scale = 0.0;
        for (Index i = 0; i < d; ++i) {
            double row = 0.0;
            for (Index j = 0; j < d; ++j) row += s[i * d + j] < 0.0 ? -s[i * d + j] : s[i * d + j];
            scale = row > scale ? row : scale;
        }
        for (Index i = 0; i < d * d; ++i) m[i] = s[i] / scale;
        double root = scale;
        for (int times = 0; times <= round; ++times) root = __builtin_sqrt(root);
        total *= root;
    }
    return total;
}

// Means in the metric, and how far components stretch it. False where something is not finite, or too far out for it.
bool see_means(const Pass& pass, Cells& c, double* m, double* s) {
    const Index d = pass.d;
    double total = 0.0;
    for (Index k = 0; k < pass.k; ++k) {
        double *y = c.seen + k * d, square = 0.0, most = 0.0;
        for (Index i = 0; i < d; ++i) {
            const double a = c.metric[i], by = pass.means[k * d + i] - c.origin[i];
            y[i] = a * by;
            if (pass.layout == Layout::diagonal) {
                const double ratio = pass.factors[k * d + i] / a;
                most = ratio > most ? ratio : most;
                total += ratio;
            } else {
                y[i] = 0.0;
                for (Index j = 0; j <= i; ++j) y[i] += c.metric[i * d + j] * (pass.means[k * d + j] - c.origin[j]);
            }
            square += y[i] * y[i];
            c.across[i * pass.k + k] = y[i];
        }
        if (pass.layout == Layout::shared) most = 1.0;
        if (pass.layout == Layout::dense) most = dense_stretch(pass.factors + k * d * d, c.metric, d, m, s);
        c.half[k] = 0.5 * square;
        c.stretch[k] = most * (1.0 + 1e-9);
        total += square + most;
    }
    return total - total == 0.0;
}

// Cut a range of members at the mean of the column in which it is widest; returns where, or begin where all are equal.
Index cut(const Cells& c, Index d, Index begin, Index end) {
    Index widest = 0;
    double most = -1.0, at = 0.0;
    for (Index j = 0; j < d; ++j) {
        double sum = 0.0, squares = 0.0;
        for (Index i = begin; i < end; ++i) sum += c.seen[c.members[i] * d + j];
        const double mean = sum / static_cast<double>(end - begin);
        for (Index i = begin; i < end; ++i) {
            const double by = c.seen[c.members[i] * d + j] - mean;
            squares += by * by;
        }
        if (squares > most) widest = j, most = squares, at = mean;
    }
    Index low = begin;
    for (Index i = begin; i < end; ++i) {
        const Index member = c.members[i];
        if (!(c.seen[member * d + widest] < at)) continue;
        c.members[i] = c.members[low];
        c.members[low++] = member;
    }
    return low;
}

// The components nearest to the center of a leaf, those of other leaves among them: by bisection of their distances.
void find_around(Index k, Index d, Index leaf, Cells& c) {
    double* __restrict far = c.apart;
    for (Index i = 0; i < k; ++i) far[i] = c.half[i];
    for (Index j = 0; j < d; ++j) {
        const double corner = c.corner[leaf * d + j];
        for (Index i = 0; i < k; ++i) far[i] -= corner * c.across[j * k + i];
    }
    double low = far[0], high = far[0];
    for (Index i = 1; i < k; ++i) low = far[i] < low ? far[i] : low, high = far[i] > high ? far[i] : high;
    for (int step = 0; step < 12 && c.n_around < k; ++step) {
        const double middle = 0.5 * (low + high);
        Index n = 0;
        for (Index i = 0; i < k; ++i) n += far[i] <= middle ? 1 : 0;
        (n > c.n_around ? high : low) = middle;
    }
    Index *list = c.around + leaf * c.n_around, n = 0;
    for (Index i = 0; i < k && n < c.n_around; ++i)
        if (far[i] <= low) list[n++] = i;
    for (Index i = 0; i < k && n < c.n_around; ++i)
        if (far[i] > low && far[i] <= high) list[n++] = i;
}

// Leaves of about sqrt(k) components.
void find_leaves(Index k, Index d, Cells& c) {
    Index most = 4;
    while (most * most < 2 * k) ++most;
    c.n_around = around_times * most < k ? around_times * most : k;
    for (Index i = 0; i < k; ++i) c.members[i] = i;
    c.n_leaves = 1;
    c.leaves[0] = 0;
    c.leaves[1] = k;
    for (Index leaf = 0; leaf < c.n_leaves;) {
        const Index begin = c.leaves[leaf], end = c.leaves[leaf + 1];
        const Index at = end - begin > most ? cut(c, d, begin, end) : begin;
        if (at == begin || at == end) {
            ++leaf;
            continue;
        }
        for (Index i = ++c.n_leaves; i > leaf + 1; --i) c.leaves[i] = c.leaves[i - 1];
        c.leaves[leaf + 1] = at;
    }
    for (Index i = 0; i < k; ++i) c.rank[c.members[i]] = i;
    for (Index leaf = 0; leaf < c.n_leaves; ++leaf) {
        const Index begin = c.leaves[leaf], end = c.leaves[leaf + 1];
        double square = 0.0;
        for (Index j = 0; j < d; ++j) {
            double sum = 0.0;
            for (Index i = begin; i < end; ++i) sum += c.seen[c.members[i] * d + j];
            const double mean = c.corner[leaf * d + j] = sum / static_cast<double>(end - begin);
            square += mean * mean;
        }
        c.corner_half[leaf] = 0.5 * square;
        find_around(k, d, leaf, c);
    }
}

// For each row of a block, in the metric, which of n points is nearest: the smallest |p|^2 / 2 - p . y.
void find_nearest(const Block& b, Index d, const double* y, const double* points, const double* half,
                  const Index* chosen, Index n, double* out) {
    for (Index v = 0; v < b.padded; v += group * W) {
        V best[group], label[group];
        for (int g = 0; g < group; ++g) best[g] = splat(std::numeric_limits<double>::infinity()), label[g] = splat(0.0);
        for (Index i = 0; i < n; ++i) {
            const Index at = chosen ? chosen[i] : i;
            V s[group];
            for (int g = 0; g < group; ++g) s[g] = splat(half[at]);
            for (Index j = 0; j < d; ++j)
                for (int g = 0; g < group; ++g) s[g] -= splat(points[at * d + j]) * load(y + j * b.stride + v + g * W);
            for (int g = 0; g < group; ++g) {
                label[g] = s[g] < best[g] ? splat(static_cast<double>(i)) : label[g];
                best[g] = s[g] < best[g] ? s[g] : best[g];
            }
        }
        for (int g = 0; g < group; ++g) store(out + v + g * W, label[g]);
    }
}

// The keys of rows begin..end of `from`, or of the table: the leaf that is nearest, or the rank of the component
// that is, of those around one leaf.
void find_keys(const Pass& pass, Block b, const Index* from, Index begin, Index end, Index leaf, Cells& c) {
    const Index d = pass.d;
    const bool whole = leaf < 0;
    for (Index start = begin; start < end; start += near_rows) {
        b.rows = end - start < near_rows ? end - start : near_rows;
        b.padded = (b.rows + group * W - 1) / (group * W) * group * W;
        const Index* order = from ? from + start : nullptr;
        const Index at = from ? 0 : start * d;
        if (pass.rows64)
            load_rows(pass.rows64 + at, order, d, c.origin, b);
        else
            load_rows(pass.rows32 + at, order, d, c.origin, b);
        if (pass.layout == Layout::diagonal)
            for (Index j = 0; j < d; ++j)
                for (Index v = 0; v < b.padded; v += W)
                    store(b.scratch + j * b.stride + v, load(b.x + j * b.stride + v) * splat(c.metric[j]));
        else
            for (Index v = 0; v < b.padded; v += whiten_group * W)
                whiten(c.metric, d, b.x + v, b.stride, nullptr, b.scratch + v);
        if (whole)
            find_nearest(b, d, b.scratch, c.corner, c.corner_half, nullptr, c.n_leaves, b.top);
        else
            find_nearest(b, d, b.scratch, c.seen, c.half, c.around + leaf * c.n_around, c.n_around, b.top);
        for (Index i = 0; i < b.rows; ++i) {
            const Index found = static_cast<Index>(b.top[i]);
            c.key[start + i] = whole ? found : c.rank[c.around[leaf * c.n_around + found]];
        }
    }
}

// Sort numbers, or 0..n-1, by their keys, those of equal keys in their order; first[key] is where they begin.
void sort_by_key(const Index* key, const Index* numbers, Index n, Index n_keys, Index* first, Index* out) {
    for (Index i = 0; i <= n_keys; ++i) first[i] = 0;
    for (Index i = 0; i < n; ++i) ++first[key[i] + 1];
    for (Index i = 0; i < n_keys; ++i) first[i + 1] += first[i];
    for (Index i = 0; i < n; ++i) out[first[key[i]]++] = numbers ? numbers[i] : i;
    for (Index i = n_keys; i > 0; --i) first[i] = first[i - 1];
    first[0] = 0;
}

// Groups of rows that have the same component nearest, padded to whole units with the last of them.
void find_groups(const Pass& pass, const Block& b, Cells& c) {
    find_keys(pass, b, nullptr, 0, pass.n, -1, c);
    sort_by_key(c.key, nullptr, pass.n, c.n_leaves, c.first, c.order);
    for (Index leaf = 0, begin = 0; leaf < c.n_leaves; ++leaf) {
        const Index end = c.first[leaf + 1];
        find_keys(pass, b, c.order, begin, end, leaf, c);
        begin = end;
    }
    sort_by_key(c.key, c.order, pass.n, pass.k, c.first, c.sorted);
    Index at = 0;
    c.n_groups = 0;
    for (Index home = 0; home < pass.k; ++home)
        for (Index begin = c.first[home]; begin < c.first[home + 1]; begin += unit * most_units) {
            const Index left = c.first[home + 1] - begin;
            const Index rows = left < unit * most_units ? left : unit * most_units;
            c.groups[c.n_groups] = at;
            c.filled[c.n_groups++] = rows;
            for (Index i = 0; i < rows || i % unit != 0; ++i) c.slots[at++] = c.sorted[begin + (i < rows ? i : rows - 1)];
        }
    c.groups[c.n_groups] = at;
}
