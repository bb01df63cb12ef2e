// Discrete columns beside the pass: the log probabilities of the levels that rows are at, and weighted counts of levels.
#pragma once

// What other parts of the model say of each row.
void add_beside(const Pass& pass, Block b, Index start) {
    for (Index i = 0; i < b.padded; ++i) {
        const Index row = start + (i < b.rows ? i : b.rows - 1);
        const double* more = pass.beside + (pass.order ? pass.order[row] : row) * pass.k;
        for (Index k = 0; k < pass.k; ++k) b.logs[k * b.stride + i] += more[k];
    }
    for (Index k = 0; k < pass.k; ++k)
        for (Index v = 0; v < b.padded; v += W) put_log(b, k, v, load(b.logs + k * b.stride + v));
}

void add_levels(Index n, Index j, Index k, const std::int32_t* levels, const double* table, double* out) {
    for (Index i = 0; i < n; ++i, levels += j, out += k)
        for (Index c = 0; c < j; ++c) {
            const double* row = table + levels[c] * k;
            for (Index l = 0; l < k; ++l) out[l] += row[l];
        }
}

void count_levels(Index n, Index j, Index k, const std::int32_t* levels, const double* weight, const double* shares,
                  double* counts) {
    for (Index i = 0; i < n; ++i, levels += j, shares += k) {
        const double w = weight ? weight[i] : 1.0;
        for (Index c = 0; c < j && w != 0.0; ++c) {
            double* row = counts + levels[c] * k;
            for (Index l = 0; l < k; ++l) row[l] += w * shares[l];
        }
    }
}
