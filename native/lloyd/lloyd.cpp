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

// Work of one seeding: what is kept per row, and what a pass and candidates need.
struct Sower {
    const Seeding& t;
    Index n, d, last = t.pass.n - 1;
    double *distances, *running, *candidates, *masses;

    static Index room(const Seeding& t) { return 2 * t.pass.n + t.n_trials * (t.pass.d + 1); }

    Sower(const Seeding& seeding, double* room)
        : t(seeding), n(t.pass.n), d(t.pass.d), distances(room), running(distances + n), candidates(running + n),
          masses(candidates + t.n_trials * d) {}

    // Running sums of the weights times the distances, where there are some.
    double accumulate(const double* of) {
        double total = 0.0;
        for (Index i = 0; i < n; ++i) running[i] = total += (of ? of[i] : 1.0) * (t.pass.weight ? t.pass.weight[i] : 1.0);
        return total;
    }

    void row(Index number, double* to) const {
        for (Index j = 0; j < d; ++j) to[j] = t.pass.rows64 ? t.pass.rows64[number * d + j] : t.pass.rows32[number * d + j];
    }

    // Distances to the nearest seed, once there is one more.
    bool lower(const double* center) {
        return t.pass.rows64 ? variant.lower_distances(n, d, 1, t.pass.rows64, center, distances)
                             : variant.lower_distances_32(n, d, 1, t.pass.rows32, center, distances);
    }

    // Of some rows drawn by their distances the one that leaves the least of these; its row is left in `center`.
    bool draw(const double* draws, double* center, std::intptr_t* seed) {
        const double total = accumulate(distances);
        std::fill(masses, masses + t.n_trials, 0.0);
        for (Index one = 0; one < t.n_trials; ++one) {
            const Index at = std::lower_bound(running, running + n, draws[one] * total) - running;
            row(std::min(at, last), candidates + one * d);
        }
        const bool done = t.pass.rows64 ? variant.add_masses(n, d, t.n_trials, t.pass.rows64, t.pass.weight, distances, candidates, masses)
                                        : variant.add_masses_32(n, d, t.n_trials, t.pass.rows32, t.pass.weight, distances, candidates, masses);
        const Index best = std::min_element(masses, masses + t.n_trials) - masses;
        std::copy(candidates + best * d, candidates + (best + 1) * d, center);
        *seed = std::min<Index>(std::lower_bound(running, running + n, draws[best] * total) - running, last);
        return done;
    }

    bool operator()(double* center) {
        const double total = accumulate(nullptr);
        t.seeds[0] = std::min<Index>(std::upper_bound(running, running + n, t.draws[0] * total) - running, last);
        row(t.seeds[0], center);
        std::fill(distances, distances + n, HUGE_VAL);
        bool done = true;
        for (Index k = 1; k < t.n_seeds && done; ++k)
            done = lower(center) && draw(t.draws + 1 + (k - 1) * t.n_trials, center, t.seeds + k);
        return done;
    }
};

bool sow_seeds(const Seeding& seeding) {
    const Index size = Sower::room(seeding) + seeding.n_trials + seeding.pass.d;
    double* room = static_cast<double*>(std::malloc(sizeof(double) * static_cast<std::size_t>(size)));
    if (!room) return false;
    const bool done = Sower(seeding, room)(room + size - seeding.pass.d);
    std::free(room);
    return done;
}

}  // namespace

const Settle settle = settle_centers;
const Sow sow = sow_seeds;

}  // namespace MIXTURA_VARIANT
}  // namespace mixtura
