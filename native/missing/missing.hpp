// Rows with missing values, NaN in the chunk: densities of the columns observed, sums of all columns.
// With P = L^T L and the missing columns m, the conditional mean of what is missing solves P_mm y = -P_mo c_o about the
// mean, its covariance is P_mm^-1, and log |Sigma_oo| = log |Sigma| + log |P_mm|. With y in its place c is an ordinary
// row: its distance is that of the columns observed, and its products are sums of full-information EM but for P_mm^-1.
// Small matrices are worked on for W components at once, one in each lane; rows run across lanes elsewhere.
#pragma once

constexpr double half_log_2_pi = 0.91893853320467274178;
constexpr double lost_pivot = 1e-6;  // share of a variance below which conditional means are refined once

// Consecutive rows of a block that lack the same columns.
struct Pattern {
    Index begin, end, missing;  // rows, and how many columns they lack
};

struct Missing {
    double* filled;     // (k, d, stride) rows about each mean, missing values at their conditional means
    double* gradient;   // (k, d, stride) P c of the columns observed
    double* precision;  // (sets, d, d, W) L^T L, of W components side by side
    double* spread;     // (sets, patterns, m (m + 1) / 2, W) conditional covariances, packed
    double* factor;     // (d (d + 1) / 2, W) Cholesky factors of P_mm, then their inverses
    double* constant;   // (k, stride) what each row's log density gains
    double* zero;       // (d) means of rows that are centered
    Index* columns;     // (stride, d) the columns that each pattern lacks
    Pattern* patterns;  // (stride)
    Index n_patterns;
    bool any;           // whether something is missing in the block
};

constexpr Index triangle(Index n) { return n * (n + 1) / 2; }

// W components share a set of matrices; in the shared layout all do, in its first lane.
constexpr Index sets_of(Layout layout, Index k) {
    return layout == Layout::dense ? (k + W - 1) / W : layout == Layout::shared ? 1 : 0;
}

inline V load_any(const double* p) {
    V x;
    __builtin_memcpy(&x, p, sizeof x);
    return x;
}

void find_precisions(const Pass& pass, Missing& m) {
    const Index d = pass.d, sets = sets_of(pass.layout, pass.k);
    for (Index k = 0; k < sets * W; ++k) {
        const Index same = pass.layout == Layout::shared ? 0 : k < pass.k ? k : pass.k - 1;
        const double* l = pass.factors + same * d * d;
        double* p = m.precision + k / W * d * d * W + k % W;
        for (Index i = 0; i < d; ++i)
            for (Index j = 0; j <= i; ++j) {
                double total = 0.0;
                for (Index t = i; t < d; ++t) total += l[t * d + i] * l[t * d + j];
                p[(i * d + j) * W] = p[(j * d + i) * W] = total;
            }
    }
}

void find_patterns(const Block& b, Index d, Missing& m) {
    double* differs = m.constant;
    for (Index v = 0; v < b.padded; v += W) store(differs + v, splat(0.0));
    for (Index j = 0; j < d; ++j) {
        const double* x = b.x + j * b.stride;
        for (Index i = 1; i < b.rows; ++i) differs[i] += (x[i] == x[i]) == (x[i - 1] == x[i - 1]) ? 0.0 : 1.0;
    }
    m.n_patterns = 0;
    m.any = false;
    for (Index i = 0; i < b.rows; ++i) {
        if (i == 0 || differs[i] > 0.0) {
            Pattern& one = m.patterns[m.n_patterns];
            one = {i, i, 0};
            for (Index j = 0; j < d; ++j) {
                const double x = b.x[j * b.stride + i];
                if (!(x == x)) m.columns[m.n_patterns * d + one.missing++] = j;
            }
            m.any = m.any || one.missing > 0;
            ++m.n_patterns;
        }
        m.patterns[m.n_patterns - 1].end = i + 1;
    }
}

// Rows, which are about a center, about a mean; zero where a value is missing.
void center_observed(const Block& b, Index d, const double* mean, const double* center, double* c) {
    for (Index j = 0; j < d; ++j) {
        const V by = splat(mean[j] - center[j]);
        for (Index v = 0; v < b.padded; v += W) {
            const V x = load(b.x + j * b.stride + v);
            store(c + j * b.stride + v, x == x ? x - by : splat(0.0));
        }
    }
}

// T rows of g = P c, for G vectors of rows of the table.
template <int T>
MIXTURA_TILE void multiply_tile(const Block& b, Index d, Index i0, const double* p, const double* c, double* g) {
    constexpr int G = 2;
    for (Index v = 0; v < b.padded; v += G * W) {
        V sums[T][G] = {};
        for (Index j = 0; j < d; ++j)
            for (int h = 0; h < G; ++h) {
                const V cj = load(c + j * b.stride + v + h * W);
                for (int t = 0; t < T; ++t) sums[t][h] += splat(p[((i0 + t) * d + j) * W]) * cj;
            }
        for (int t = 0; t < T; ++t)
            for (int h = 0; h < G; ++h) store(g + (i0 + t) * b.stride + v + h * W, sums[t][h]);
    }
}

void multiply(const Block& b, Index d, const double* p, const double* c, double* g) {
    constexpr int most = registers == 32 ? 6 : 4;
    for_tiles(d, most, [&](Index i0, Index n) {
        with_size<most>(n, [&](auto size) { multiply_tile<size.value>(b, d, i0, p, c, g); });
    });
}

// Natural logarithm of positive numbers, large or small.
inline V log_any(V x) {
    const V large = x >= splat(1.0) ? x : splat(1.0) / x, y = log(large);
    return x >= splat(1.0) ? y : splat(0.0) - y;
}

// R with R R^T = P_mm, its diagonal inverted, in W lanes; gained: - log |R|. Returns whether a pivot lost many digits.
bool factorize(const double* p, Index d, const Index* columns, Index n, double* r, V& gained) {
    bool weak = false;
    V product = splat(1.0);
    for (Index i = 0; i < n; ++i) {
        const double* row = p + columns[i] * d * W;
        double* ri = r + triangle(i) * W;
        for (Index j = 0; j <= i; ++j) {
            const double* rj = r + triangle(j) * W;
            V left = load(row + columns[j] * W);
            for (Index t = 0; t < j; ++t) left -= load(ri + t * W) * load(rj + t * W);
            if (j < i) {
                store(ri + j * W, left * load(rj + j * W));
                continue;
            }
            const V whole = load(row + columns[i] * W), least = splat(1e-16) * whole;
            V root = left > least ? left : least, inverse;
            weak = weak || sum_lanes(left > splat(lost_pivot) * whole ? splat(0.0) : splat(1.0)) > 0.0;
            for (int lane = 0; lane < W; ++lane) root[lane] = __builtin_sqrt(root[lane]);
            inverse = splat(1.0) / root;
            store(ri + i * W, inverse);
            product *= inverse;
            const V far = (product > splat(1e100)) | (product < splat(1e-100)) ? splat(1.0) : splat(0.0);
            if (i % 8 == 7 || i + 1 == n || sum_lanes(far) > 0.0) {
                gained += log_any(product);
                product = splat(1.0);
            }
        }
    }
    return weak;
}

// The lower half of P_mm^-1 = R^-T R^-1, packed; R is overwritten by its inverse.
void invert(double* r, Index n, double* out) {
    for (Index j = 0; j < n; ++j)
        for (Index i = j + 1; i < n; ++i) {
            double* ri = r + triangle(i) * W;
            V total = load(ri + j * W) * load(r + (triangle(j) + j) * W);
            for (Index t = j + 1; t < i; ++t) total += load(ri + t * W) * load(r + (triangle(t) + j) * W);
            store(ri + j * W, (splat(0.0) - total) * load(ri + i * W));
        }
    for (Index i = 0; i < n; ++i)
        for (Index j = 0; j <= i; ++j, out += W) {
            V total = splat(0.0);
            for (Index t = i; t < n; ++t) total += load(r + (triangle(t) + i) * W) * load(r + (triangle(t) + j) * W);
            store(out, total);
        }
}

// c <- c - C g at the missing columns of a pattern's rows; C is one lane of packed lower halves.
void subtract(const Pattern& one, const Index* columns, const double* spread, Index stride, const double* g, double* c) {
    for (Index row = one.begin; row < one.end; row += W) {
        const Index left = one.end - row;
        for (Index i = 0; i < one.missing; ++i) {
            V total = splat(0.0);
            for (Index j = 0; j < one.missing; ++j) {
                const double cij = spread[(j <= i ? triangle(i) + j : triangle(j) + i) * W];
                total += splat(cij) * load_any(g + columns[j] * stride + row);
            }
            double* at = c + columns[i] * stride + row;
            for (int lane = 0; lane < W && lane < left; ++lane) at[lane] -= total[lane];
        }
    }
}

// g = P c at the missing columns of the rows of a pattern.
void residuals(const Pattern& one, const Index* columns, const double* p, Index d, Index stride, const double* c, double* g) {
    for (Index i = 0; i < one.missing; ++i)
        for (Index row = one.begin; row < one.end; ++row) {
            double total = 0.0;
            for (Index j = 0; j < d; ++j) total += p[(columns[i] * d + j) * W] * c[j * stride + row];
            g[columns[i] * stride + row] = total;
        }
}

// Put the conditional means of all components in, and what log densities gain by the columns that are not looked at.
void fill(const Block& b, const Pass& pass, Missing& m) {
    const Index d = pass.d, size = d * b.stride, sets = sets_of(pass.layout, pass.k);
    const bool one_set = pass.layout == Layout::shared;
    double* spread = m.spread;
    for (Index set = 0; set < sets; ++set) {
        const double* p = m.precision + set * d * d * W;
        const Index first = set * W, last = one_set || first + W > pass.k ? pass.k : first + W;
        for (Index a = 0; a < m.n_patterns; ++a) {
            const Pattern& one = m.patterns[a];
            const Index *columns = m.columns + a * d, n = one.missing;
            V gained = splat(static_cast<double>(n) * half_log_2_pi);
            const bool weak = n > 0 && factorize(p, d, columns, n, m.factor, gained);
            if (n > 0) invert(m.factor, n, spread);
            for (Index k = first; k < last; ++k) {
                const Index lane = one_set ? 0 : k - first;
                double *c = m.filled + k * size, *g = m.gradient + k * size;
                if (n > 0) subtract(one, columns, spread + lane, b.stride, g, c);
                if (weak) {
                    residuals(one, columns, p + lane, d, b.stride, c, g);
                    subtract(one, columns, spread + lane, b.stride, g, c);
                }
                for (Index row = one.begin; row < one.end; ++row) m.constant[k * b.stride + row] = gained[lane];
            }
            spread += triangle(n) * W;
        }
    }
}

// Where columns are independent nothing is learned of what is missing: it adds no distance, and its density is none.
void evaluate_diagonal(const Block& b, const Pass& pass, Missing& m) {
    constexpr int G = 2;
    for (Index k = 0; k < pass.k; ++k) {
        const double *mean = pass.means + k * pass.d, *s = pass.factors + k * pass.d;
        for (Index j = 0; j < pass.d; ++j) m.factor[j] = half_log_2_pi - __builtin_log(s[j]);
        for (Index v = 0; v < b.padded; v += G * W) {
            V q[G] = {}, gained[G] = {};
            for (Index j = 0; j < pass.d; ++j)
                for (int g = 0; g < G; ++g) {
                    const V x = load(b.x + j * b.stride + v + g * W), z = (x - splat(mean[j])) * splat(s[j]);
                    q[g] += x == x ? z * z : splat(0.0);
                    gained[g] += x == x ? splat(0.0) : splat(m.factor[j]);
                }
            for (int g = 0; g < G; ++g) {
                store(m.constant + k * b.stride + v + g * W, gained[g]);
                put_log(b, k, v + g * W, splat(pass.offsets[k]) + gained[g] - splat(0.5) * q[g]);
            }
        }
    }
}

// Moments about the mean of what is observed, rows counting r; what is missing has its variance, rows counting `plain`.
void moments_observed(const Block& b, const Pass& pass, Index k, const double* r, const double* plain, double* first,
                      double* second) {
    constexpr int G = 2;
    for (Index j = 0; j < pass.d; ++j) {
        const double *x = b.x + j * b.stride, s = pass.factors[k * pass.d + j];
        const V mean = splat(pass.means[k * pass.d + j]);
        V sum[G] = {}, square[G] = {}, lacking[G] = {};
        for (Index v = 0; v < b.padded; v += G * W)
            for (int g = 0; g < G; ++g) {
                const V at = load(x + v + g * W), rv = load(r + v + g * W), counts = load(plain + v + g * W);
                const V c = (at == at) & (rv != splat(0.0)) ? at - mean : splat(0.0), rc = rv * c;
                sum[g] += rc;
                square[g] += rc * c;
                lacking[g] += at == at ? splat(0.0) : counts;
            }
        first[j] += sum_lanes(sum[0] + sum[1]);
        second[j] += sum_lanes(square[0] + square[1]) + sum_lanes(lacking[0] + lacking[1]) / (s * s);
    }
}

// Log densities of the columns observed, and the filled rows of every component.
void evaluate_missing(const Block& b, const Pass& pass, Missing& m, const double* center) {
    const Index d = pass.d, size = d * b.stride;
    if (pass.layout == Layout::diagonal) return evaluate_diagonal(b, pass, m);
    for (Index k = 0; k < pass.k; ++k) {
        const Index set = pass.layout == Layout::shared ? 0 : k;
        center_observed(b, d, pass.means + k * d, center, m.filled + k * size);
        multiply(b, d, m.precision + set / W * d * d * W + set % W, m.filled + k * size, m.gradient + k * size);
        for (Index i = b.rows; i < b.padded; ++i) m.constant[k * b.stride + i] = 0.0;
    }
    fill(b, pass, m);
    for (Index k = 0; k < pass.k; ++k) {
        const double* c = m.filled + k * size;
        for (Index v = 0; v < b.padded; v += whiten_group * W) {
            alignas(64) double q[whiten_group * W] = {};
            whiten(pass.factors + (pass.layout == Layout::dense ? k * d * d : 0), d, c + v, b.stride, q, nullptr);
            for (int g = 0; g < whiten_group; ++g) {
                const V constant = load(m.constant + k * b.stride + v + g * W) + splat(pass.offsets[k]);
                put_log(b, k, v + g * W, constant - splat(0.5) * load(q + g * W));
            }
        }
    }
}

// Add n C of every pattern to the second moments of component k, whose responsibilities are r: dense layout.
void add_spread(const Pass& pass, const Missing& m, Index k, const double* r, double* second) {
    Index in_set = 0;
    for (Index a = 0; a < m.n_patterns; ++a) in_set += triangle(m.patterns[a].missing) * W;
    const double* spread = m.spread + k / W * in_set + k % W;
    for (Index a = 0; a < m.n_patterns; ++a) {
        const Pattern& one = m.patterns[a];
        const Index* columns = m.columns + a * pass.d;
        double count = 0.0;
        for (Index row = one.begin; row < one.end && one.missing; ++row) count += r[row];
        for (Index i = 0; i < one.missing; ++i) {
            double* row = second + triangle(columns[i]);
            for (Index j = 0; j <= i; ++j, spread += W) row[columns[j]] += count * *spread;
        }
    }
}
