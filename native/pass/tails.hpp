// Multivariate t components: what heavier tails make of squared distances, and of the weights in the sums.
// With q the squared distance in p columns and nu degrees of freedom, the log density of a Gaussian, c - q / 2, becomes
// c + t(p) - (nu + p) / 2 log(1 + q / nu), and a row counts in the moments with u = (nu + p) / (nu + q).
#pragma once

// Numbers of the columns observed, and a table (k, d + 1) at them, for W rows.
inline V observed(const Pass& pass, Block b, Index v, bool missing) {
    return missing ? load(b.observed + v) : splat(static_cast<double>(pass.d));
}
inline V at_observed(const double* table, V p) {
    for (int lane = 0; lane < W; ++lane) p[lane] = table[static_cast<Index>(p[lane])];
    return p;
}

void apply_tails(const Pass& pass, Block b, const Missing& m, bool missing) {
    for (Index v = 0; missing && v < b.padded; v += W) store(b.observed + v, splat(static_cast<double>(pass.d)));
    for (Index a = 0; missing && a < m.n_patterns; ++a)
        for (Index i = m.patterns[a].begin; i < m.patterns[a].end; ++i)
            b.observed[i] = static_cast<double>(pass.d - m.patterns[a].missing);
    for (Index k = 0; k < pass.k; ++k) {
        const V nu = splat(pass.freedom[k]), offset = splat(pass.offsets[k]);
        const double* table = pass.tails + k * (pass.d + 1);
        for (Index v = 0; v < b.padded; v += W) {
            const V p = observed(pass, b, v, missing);
            const V top = missing ? offset + load(m.constant + k * b.stride + v) : offset;
            V q = splat(2.0) * (top - load(b.logs + k * b.stride + v));
            q = (q < splat(0.0)) | (top == splat(-infinity)) ? splat(0.0) : q;
            const V ratio = splat(1.0) + q / nu;
            const V logarithm = ratio > splat(1.79e308) ? splat(infinity) : log(ratio);
            store(b.latent + k * b.stride + v, (nu + p) / (nu + q));
            put_log(b, k, v, top + at_observed(table, p) - splat(0.5) * (nu + p) * logarithm);
        }
    }
}

// Weights of moments, r u, in place of the responsibilities r of component k; adds their sum, and that of E[log u] - u.
void weigh_tails(const Pass& pass, Block b, Index k, bool missing, double* mass, double* extra) {
    const double* table = pass.tails + (pass.k + k) * (pass.d + 1);
    V total = splat(0.0), more = splat(0.0);
    for (Index v = 0; v < b.padded; v += W) {
        const V r = load(b.logs + k * b.stride + v), u = load(b.latent + k * b.stride + v);
        const V share = times(r, u);
        more += times(r, log_any(u) - u + at_observed(table, observed(pass, b, v, missing)));
        total += share;
        store(b.logs + k * b.stride + v, share);
    }
    mass[k] += sum_lanes(total);
    extra[k] += sum_lanes(more);
}
