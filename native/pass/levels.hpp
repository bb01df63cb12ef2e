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

// Call f with the number of components, where it is small, known to the compiler.
template <typename Function>
void with_components(Index k, Function f) {
    constexpr int most = 12;
    if (k > most) return f(k);
    with_size<most>(k, [&](auto size) { f(std::integral_constant<Index, size.value>{}); });
}

void add_levels(Index n, Index j, Index k, const std::int32_t* levels, const double* table, double* out) {
    if (k == 0) return;
    with_components(k, [&](auto size) {
        for (Index i = 0; i < n; ++i)
            for (Index c = 0; c < j; ++c) {
                const double* __restrict row = table + levels[i * j + c] * size;
                double* __restrict to = out + i * size;
                for (Index l = 0; l < size; ++l) to[l] += row[l];
            }
    });
}

void count_levels(Index n, Index j, Index k, const std::int32_t* levels, const double* weight, const double* shares,
                  double* counts) {
    if (k == 0) return;
    with_components(k, [&](auto size) {
        for (Index i = 0; i < n; ++i) {
            const double w = weight ? weight[i] : 1.0;
            for (Index c = 0; c < j && w != 0.0; ++c) {
                double* __restrict row = counts + levels[i * j + c] * size;
                const double* __restrict share = shares + i * size;
                for (Index l = 0; l < size; ++l) row[l] += w * share[l];
            }
        }
    });
}
