// What candidates for a further seed of k-means++ would leave of the distances of rows to their nearest seeds.
#pragma once

// masses (t) += sum over rows of weight min(distance, |x - candidate|^2), candidates (t, d) in lanes.
template <typename Row>
bool add_masses(Index n, Index d, Index t, const Row* rows, const double* weight, const double* distances,
                const double* candidates, double* masses) {
    const Index lanes = (t + W - 1) / W;
    double* columns;  // (lanes, d, W)
    void* memory = allocate_parts({{&columns, lanes * d * W}});
    if (!memory) return false;
    for (Index one = 0; one < lanes * W; ++one)
        for (Index j = 0; j < d; ++j)
            columns[(one / W * d + j) * W + one % W] = candidates[(one < t ? one : t - 1) * d + j];
    constexpr int apart = 4;  // sums, so that rows need not wait for each other
    for (Index lane = 0; lane < lanes; ++lane) {
        const double* c = columns + lane * d * W;
        V total[apart] = {};
        for (Index i = 0; i < n; ++i) {
            const double w = weight ? weight[i] : 1.0;
            if (w == 0.0) continue;
            const Row* x = rows + i * d;
            V q = splat(0.0);
            for (Index j = 0; j < d; ++j) {
                const V z = splat(static_cast<double>(x[j])) - load(c + j * W);
                q += z * z;
            }
            const V most = splat(distances[i]);
            total[i % apart] += splat(w) * (q < most ? q : most);
        }
        const V sum = (total[0] + total[1]) + (total[2] + total[3]);
        for (Index one = 0; one < W && lane * W + one < t; ++one) masses[lane * W + one] += sum[one];
    }
    std::free(memory);
    return true;
}
