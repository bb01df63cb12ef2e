// Iterations of Lloyd's algorithm over rows in memory, compiled once per instruction set. fit/kmeans/lloyd.py is the twin.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "lloyd.hpp"

namespace mixtura {
namespace MIXTURA_VARIANT {
namespace {

constexpr double last_digits = 1e-13;  // share of an objective by which rounding may lower it

struct Iteration {
    const Lloyd& t;
    Index k, d, size;
    double *factor, *offsets, *sums, *part;
    std::intptr_t* found;

    static Index room(const Lloyd& t) {
        const Index k = t.pass.k, d = t.pass.d;
        return d * d + k + 2 * sums_size(Layout::shared, k, d) + t.pass.n;
    }

    Iteration(const Lloyd& lloyd, double* room)
        : t(lloyd), k(t.pass.k), d(t.pass.d), size(sums_size(Layout::shared, k, d)), factor(room), offsets(factor + d * d),
          sums(offsets + k), part(sums + size), found(reinterpret_cast<std::intptr_t*>(part + size)) {
        for (Index i = 0; i < d * d; ++i) factor[i] = i % (d + 1) == 0 ? 1.0 : 0.0;
        std::fill(offsets, offsets + k, 0.0);
    }

    // The sums about the centers, and the nearest center of each row.
    bool assign(const double* centers) {
        Pass pass = t.pass;
        pass.layout = Layout::shared, pass.hard = true;
        pass.means = centers, pass.factors = factor, pass.offsets = offsets;
        std::fill(sums, sums + size, 0.0);
        for (Index start = 0; start < t.pass.n; start += t.block) {
            pass.n = std::min(t.block, t.pass.n - start);
            pass.rows64 = t.pass.rows64 ? t.pass.rows64 + start * d : nullptr;
            pass.rows32 = t.pass.rows32 ? t.pass.rows32 + start * d : nullptr;
            pass.weight = t.pass.weight ? t.pass.weight + start : nullptr;
            pass.labels = found + start;
            std::fill(part, part + size, 0.0);
            pass.sums = part;
            if (!variant.run(pass)) return false;
            for (Index i = 0; i < size; ++i) sums[i] += part[i];
        }
        return true;
    }

    // Centers at the means of their rows: how far they moved; negative where a center has none.
    double move(const double* centers, double* moved) const {
        const double *counts = sums + 2, *first = counts + k;
        double shift = 0.0;
        for (Index c = 0; c < k; ++c) {
            if (!(counts[c] > 0.0)) return -1.0;
            for (Index j = c * d; j < (c + 1) * d; ++j) {
                moved[j] = centers[j] + first[j] / counts[c];
                shift += (moved[j] - centers[j]) * (moved[j] - centers[j]);
            }
        }
        return shift;
    }

    double changed() const {
        Index n = 0;
        for (Index i = 0; i < t.pass.n; ++i) n += found[i] != t.labels[i];
        return static_cast<double>(n);
    }
};

Halt iterate(const Lloyd& t, Iteration& one, Index* done) {
    const double* centers = t.pass.means;
    double best = t.best;
    for (*done = 0; *done < t.n_steps; ++*done) {
        double *frame = t.film + *done * t.frame(), *moved = frame + 3;
        if (!one.assign(centers)) return Halt::trouble;
        const double objective = 2.0 * one.sums[0], shift = one.move(centers, moved);
        if (!std::isfinite(objective) || !(shift >= 0.0)) return Halt::trouble;
        if (best - objective > last_digits * std::fabs(objective)) return Halt::trouble;
        best = std::max(best, objective);
        frame[0] = objective, frame[1] = shift, frame[2] = one.changed();
        std::copy(one.found, one.found + t.pass.n, t.labels);
        centers = moved;
        if (frame[2] == 0.0 || shift <= t.tolerance) return ++*done, Halt::satisfied;
    }
    return Halt::complete;
}

Halt settle_centers(const Lloyd& lloyd, Index* done) {
    *done = 0;
    double* room = static_cast<double*>(std::malloc(sizeof(double) * static_cast<std::size_t>(Iteration::room(lloyd))));
    if (!room) return Halt::trouble;
    Iteration one(lloyd, room);
    const Halt halt = iterate(lloyd, one, done);
    std::free(room);
    return halt;
}

}  // namespace

const Settle settle = settle_centers;

}  // namespace MIXTURA_VARIANT
}  // namespace mixtura
