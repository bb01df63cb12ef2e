// Rows of a pattern that many rows have: an ordinary pass over the columns observed, with the marginals of the components,
// whose sums are lifted to all columns (Ghahramani and Jordan 1994): s_m += B s_o, S_mm += B S_oo B^T + n C.
// Sigma = G G^T with G = L^-1. Reflections from the right make the rows of G that are observed triangular, G_o Q = [T 0]:
// then Sigma_oo = T T^T, and with G_m Q = [H R] what is missing has the coefficients B = H T^-1 on what is observed, and
// the covariance C = R R^T about that. Nothing cancels. Small matrices are worked on for W components side by side.
#pragma once

struct Marginals {
    double* roots;        // (sets, d, d, W) G
    double* determinant;  // (k) log |L|
    double* turned;       // (d, d, W) rows of G, those observed first, reflected
    double* reflector;    // (d, W)
    double* inverse;      // (d, d, W) T^-1
    double* regression;   // (sets, d, d, W) B, of m x o numbers
    double* spread;       // (sets, d (d + 1) / 2, W) C, packed
    double *moved, *scatter, *products;  // (d, W), (d (d + 1) / 2, W), (d, W) first and second sums of one pattern, B S
    double *first, *second;            // (sets, d, W), (sets, d (d + 1) / 2, W) sums of all columns
    double *means, *factors, *offsets; // of the columns observed, as Pass
    double *tails, *center, *whitened, *sums;
    Index* columns;       // (d) those observed, then those missing, each in ascending order
    std::intptr_t* rest;  // (n) rows of the other patterns
};

// Numbers of rows from which a pattern repays what it costs to find and to lift for it (measured). Where nothing is summed
// none does, so that what is said of a row does not depend on the rows beside it.
constexpr Index worth_rows = 24;
bool is_worth(const Pass& pass, Index rows) {
    return pass.sums && pass.layout != Layout::diagonal && rows * (pass.k < W ? pass.k : W) >= worth_rows * W;
}

void* allocate(const Pass& pass, Marginals& m) {
    const Index d = pass.d, k = pass.k, sets = sets_of(pass.layout, k), dense = pass.layout == Layout::dense;
    double *columns, *rest;
    void* memory = allocate_parts({
        {&m.roots, sets * d * d * W}, {&m.determinant, k}, {&m.turned, d * d * W}, {&m.reflector, d * W},
        {&m.inverse, d * d * W}, {&m.regression, sets * d * d * W}, {&m.spread, sets * triangle(d) * W},
        {&m.moved, d * W}, {&m.scatter, triangle(d) * W}, {&m.products, d * W}, {&m.first, dense * sets * d * W},
        {&m.second, dense * sets * triangle(d) * W}, {&m.means, k * d}, {&m.factors, k * d * d}, {&m.offsets, k},
        {&m.tails, 2 * k * (d + 1)}, {&m.center, d}, {&m.whitened, k * d},
        {&m.sums, sums_size(pass.layout, k, d, pass.freedom)}, {&columns, d}, {&rest, pass.n}});
    if (!memory) return nullptr;
    m.columns = reinterpret_cast<Index*>(columns);
    m.rest = reinterpret_cast<std::intptr_t*>(rest);
    return memory;
}

// Sums of all columns, zero at first: dense layout.
void clear(const Pass& pass, Marginals& m) {
    const Index sets = pass.layout == Layout::dense ? sets_of(pass.layout, pass.k) : 0;
    std::memset(m.first, 0, static_cast<std::size_t>(sets * pass.d * W) * sizeof(double));
    std::memset(m.second, 0, static_cast<std::size_t>(sets * triangle(pass.d) * W) * sizeof(double));
}

// G = L^-1 of all components, and log |L|.
void find_roots(const Pass& pass, Marginals& m) {
    const Index d = pass.d, sets = sets_of(pass.layout, pass.k);
    for (Index k = 0; k < sets * W; ++k) {
        const Index same = pass.layout == Layout::shared ? 0 : k < pass.k ? k : pass.k - 1;
        const double* l = pass.factors + same * d * d;
        double *g = m.roots + k / W * d * d * W + k % W, determinant = 0.0;
        for (Index i = 0; i < d; ++i) {
            determinant += __builtin_log(l[i * d + i]);
            for (Index j = 0; j < d; ++j) {
                double total = i == j ? 1.0 : 0.0;
                for (Index t = j; t < i; ++t) total -= l[i * d + t] * g[(t * d + j) * W];
                g[(i * d + j) * W] = j <= i ? total / l[i * d + i] : 0.0;
            }
        }
        if (k < pass.k) m.determinant[k] = determinant;
    }
    for (Index k = W; k < pass.k && pass.layout == Layout::shared; ++k) m.determinant[k] = m.determinant[0];
}

// G_o Q = [T 0] and G_m Q = [H R], in place of the rows of G, by one reflection for each column observed.
void reflect(Index d, Index o, const double* g, Marginals& m) {
    for (Index i = 0; i < d; ++i)
        std::memcpy(m.turned + i * d * W, g + m.columns[i] * d * W, static_cast<std::size_t>(d * W) * sizeof(double));
    for (Index t = 0; t < o; ++t) {
        double* row = m.turned + t * d * W;
        const Index end = m.columns[t] + 1;  // the numbers beyond are zero
        if (end == t + 1) continue;          // and nothing was left out so far
        V square = splat(0.0), x = load(row + t * W);
        for (Index p = t + 1; p < end; ++p) square += load(row + p * W) * load(row + p * W);
        const V norm = square_root(x * x + square);
        const V head = x > splat(0.0) ? splat(0.0) - square / (x + norm) : x - norm, size = square + head * head;
        const V scale = size > splat(0.0) ? splat(2.0) / size : splat(0.0);
        store(row + t * W, norm);
        store(m.reflector + t * W, head);
        for (Index p = t + 1; p < end; ++p) store(m.reflector + p * W, load(row + p * W));
        for (Index r = t + 1; r < d; ++r) {
            double* other = m.turned + r * d * W;
            V along = splat(0.0);
            for (Index p = t; p < end; ++p) along += load(other + p * W) * load(m.reflector + p * W);
            along *= scale;
            for (Index p = t; p < end; ++p) store(other + p * W, load(other + p * W) - along * load(m.reflector + p * W));
        }
    }
}

// T^-1, B and C of a set of components from what `reflect` left; returns log |T^-1|.
V condition(Index d, Index o, Marginals& m, double* b, double* c) {
    V gained = splat(0.0);
    const auto turned = [&](Index i, Index j) { return load(m.turned + (i * d + j) * W); };
    const auto inverse = [&](Index i, Index j) { return load(m.inverse + (i * d + j) * W); };
    for (Index i = 0; i < o; ++i) {
        const V by = splat(1.0) / turned(i, i);
        gained += log_any(by);
        for (Index j = 0; j < i; ++j) {
            V total = splat(0.0);
            for (Index t = j; t < i; ++t) total -= turned(i, t) * inverse(t, j);
            store(m.inverse + (i * d + j) * W, total * by);
        }
        store(m.inverse + (i * d + i) * W, by);
    }
    for (Index q = o; q < d; ++q) {
        for (Index j = 0; j < o; ++j, b += W) {
            V total = splat(0.0);
            for (Index t = j; t < o; ++t) total += turned(q, t) * inverse(t, j);
            store(b, total);
        }
        for (Index s = o; s <= q; ++s, c += W) {
            V total = splat(0.0);
            for (Index t = o; t < d; ++t) total += turned(q, t) * turned(s, t);
            store(c, total);
        }
    }
    return gained;
}

// The marginals of all components, of the first o of the columns.
void find_marginals(const Pass& pass, const Work& work, Index o, Marginals& m) {
    const Index d = pass.d, sets = sets_of(pass.layout, pass.k);
    const bool one_set = pass.layout == Layout::shared;
    const double constant = static_cast<double>(d - o) * half_log_2_pi;
    for (Index set = 0; set < sets; ++set) {
        const Index first = set * W, last = one_set || first + W > pass.k ? pass.k : first + W;
        reflect(d, o, m.roots + set * d * d * W, m);
        const V gained = condition(d, o, m, m.regression + set * d * d * W, m.spread + set * triangle(d) * W);
        for (Index k = first; k < last; ++k) {
            const Index lane = one_set ? 0 : k - first;
            m.offsets[k] = pass.offsets[k] + gained[lane] - m.determinant[k] + constant;
            for (Index i = 0; i < o; ++i) m.means[k * o + i] = pass.means[k * d + m.columns[i]];
            for (Index i = 0; i < o && k == first + lane; ++i)
                for (Index j = 0; j < o; ++j)
                    m.factors[(k * o + i) * o + j] = j <= i ? m.inverse[(i * d + j) * W + lane] : 0.0;
        }
    }
    for (Index j = 0; j < o; ++j) m.center[j] = work.center[m.columns[j]];
    for (Index k = 0; k < 2 * pass.k && pass.freedom; ++k) m.tails[k * (o + 1) + o] = pass.tails[k * (d + 1) + o];
}

// Numbers (lanes, n) side by side, zero where there are fewer than W lanes.
void interleave(const double* from, Index lanes, Index n, double* to) {
    for (Index i = 0; i < n && lanes < W; ++i) store(to + i * W, splat(0.0));
    for (Index lane = 0; lane < lanes; ++lane)
        for (Index i = 0; i < n; ++i) to[i * W + lane] = from[lane * n + i];
}

// Add the sums of the columns observed to those of all, in lanes: dense layout.
void lift_dense(const Pass& pass, const Work& inner, Index o, Marginals& m) {
    const Index d = pass.d, size = triangle(o);
    const auto add = [](double* to, V x) { store(to, load(to) + x); };
    for (Index set = 0; set < sets_of(pass.layout, pass.k); ++set) {
        const Index k = set * W, lanes = pass.k - k < W ? pass.k - k : W;
        const double *b = m.regression + set * d * d * W, *c = m.spread + set * triangle(d) * W;
        double *first = m.first + set * d * W, *second = m.second + set * triangle(d) * W;
        const auto at = [&](Index i, Index j) { return second + (i > j ? triangle(i) + j : triangle(j) + i) * W; };
        interleave(inner.counts + k, lanes, 1, m.products);
        interleave(inner.first + k * o, lanes, o, m.moved);
        interleave(inner.second + k * size, lanes, size, m.scatter);
        const V count = load(m.products);
        for (Index i = 0; i < o; ++i) {
            add(first + m.columns[i] * W, load(m.moved + i * W));
            for (Index j = 0; j <= i; ++j) add(at(m.columns[i], m.columns[j]), load(m.scatter + (triangle(i) + j) * W));
        }
        for (Index q = o; q < d; ++q, b += o * W) {
            V moved = splat(0.0);
            for (Index i = 0; i < o; ++i) moved += load(b + i * W) * load(m.moved + i * W);
            add(first + m.columns[q] * W, moved);
            for (Index j = 0; j < o; ++j) {
                V total = splat(0.0);
                for (Index i = 0; i < j; ++i) total += load(b + i * W) * load(m.scatter + (triangle(j) + i) * W);
                for (Index i = j; i < o; ++i) total += load(b + i * W) * load(m.scatter + (triangle(i) + j) * W);
                add(at(m.columns[q], m.columns[j]), total);
                store(m.products + j * W, total);
            }
            const double* other = m.regression + set * d * d * W;
            for (Index s = o; s <= q; ++s, c += W, other += o * W) {
                V total = count * load(c);
                for (Index j = 0; j < o; ++j) total += load(m.products + j * W) * load(other + j * W);
                add(at(m.columns[q], m.columns[s]), total);
            }
        }
    }
}

// Add first moments about the common center to those of all columns: shared layout.
void lift_shared(const Pass& pass, Work& work, const Work& inner, Index o, const Marginals& m) {
    for (Index k = 0; k < pass.k; ++k) {
        const double *sums = inner.first + k * o, *mean = pass.means + k * pass.d, mass = inner.mass[k];
        double* first = work.first + k * pass.d;
        for (Index j = 0; j < o; ++j) first[m.columns[j]] += sums[j];
        for (Index q = 0; q < pass.d - o; ++q) {
            const Index column = m.columns[o + q];
            double total = mass * (mean[column] - work.center[column]);
            for (Index j = 0; j < o; ++j)
                total += m.regression[(q * o + j) * W] * (sums[j] - mass * (m.means[k * o + j] - m.center[j]));
            first[column] += total;
        }
    }
}

// The rows of one pattern, the first o of m.columns observed.
void add_pattern(const Pass& pass, Work& work, const std::intptr_t* rows, Index n, Index o, Marginals& m) {
    const Index k = pass.k;
    Pass part = pass;
    Work inner = work;
    part.n = n;
    part.order = inner.order = rows;
    inner.gaps = false;
    if (o < pass.d) {
        find_marginals(pass, work, o, m);
        part.d = o;
        part.means = m.means, part.factors = m.factors, part.offsets = m.offsets;
        part.tails = pass.freedom ? m.tails : nullptr;
        inner.columns = m.columns;
        inner.center = m.center, inner.whitened = m.whitened;
        inner.size = sums_size(pass.layout, k, o, pass.freedom);
        inner.sums = m.sums;
        inner.place_sums(part);
        std::memset(m.sums, 0, static_cast<std::size_t>(inner.size) * sizeof(double));
        whiten_means(part, inner);
    }
    for (Index start = 0; start < n; start += inner.block.stride) {
        load_block(part, inner, start);
        inner.sums[1] += inner.total;
        evaluate(part, inner, start);
    }
    for (int i = 0; i < 2; ++i) work.entropies[i] = inner.entropies[i];
    if (o == pass.d) return;
    for (Index i = 0; i < 2 + k; ++i) work.sums[i] += inner.sums[i];
    for (Index i = 0; i < k && pass.freedom; ++i) work.mass[i] += inner.mass[i], work.extra[i] += inner.extra[i];
    pass.layout == Layout::dense ? lift_dense(pass, inner, o, m) : lift_shared(pass, work, inner, o, m);
}

// What the lanes of the lifted sums hold.
void unpack(const Pass& pass, Work& work, const Marginals& m) {
    const Index d = pass.d, size = triangle(d);
    for (Index k = 0; k < pass.k; ++k) {
        const double *first = m.first + k / W * d * W + k % W, *second = m.second + k / W * size * W + k % W;
        for (Index i = 0; i < d; ++i) work.first[k * d + i] += first[i * W];
        for (Index i = 0; i < size; ++i) work.second[k * size + i] += second[i * W];
    }
}

// The end of the pattern that begins here in the order of rows; its columns, those observed first, how many these are.
template <typename Row>
Index pattern_end(const Pass& pass, const Row* rows, Index begin, Index* columns, Index& o) {
    const Row* row = rows + pass.order[begin] * pass.d;
    Index end = begin + 1, missing = o = 0;
    for (Index j = 0; j < pass.d; ++j)
        if (row[j] == row[j]) columns[o++] = j;
    for (Index j = 0; j < pass.d; ++j)
        if (!(row[j] == row[j])) columns[o + missing++] = j;
    const auto is_alike = [&](const Row* other) {
        bool alike = true;
        for (Index j = 0; j < pass.d; ++j) alike &= (row[j] == row[j]) == (other[j] == other[j]);
        return alike;
    };
    while (end < pass.n && is_alike(rows + pass.order[end] * pass.d)) ++end;
    return end;
}

// All rows, those that lack nothing and those of a frequent pattern together, then the others in blocks; false out of memory.
bool run_patterns(const Pass& pass, Work& work) {
    Marginals m{};
    void* memory = allocate(pass, m);
    if (!memory) return false;
    Index n_rest = 0, o = 0;
    bool any = false;
    for (Index begin = 0, end; begin < pass.n; begin = end) {
        end = pass.rows64 ? pattern_end(pass, pass.rows64, begin, m.columns, o)
                          : pattern_end(pass, pass.rows32, begin, m.columns, o);
        if (o < pass.d && !is_worth(pass, end - begin)) {
            for (Index i = begin; i < end; ++i) m.rest[n_rest++] = pass.order[i];
            continue;
        }
        if (o < pass.d && !any) {
            find_roots(pass, m);
            clear(pass, m);
            any = true;
        }
        add_pattern(pass, work, pass.order + begin, end - begin, o, m);
    }
    if (any && pass.layout == Layout::dense) unpack(pass, work, m);
    Pass part = pass;
    part.n = n_rest;
    part.order = work.order = m.rest;
    if (n_rest > 0) {
        find_precisions(part, work.missing);
        run_blocks(part, work);
    }
    std::free(memory);
    return true;
}
