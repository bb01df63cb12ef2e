// Common axes of covariances by sweeps over planes of two axes, with and without a floor. Included by algebra.cpp alone,
// inside an anonymous namespace. Derivations stand with the twin, kernels/iterations/sweeps.py.
#pragma once

struct Sweeps {
    Index k, d;
    bool equal_volume;
    const double* counts;
    double *rotated, *spread, *axes, *turned;  // (k, d, d), (k, d); the axes and R^T axes as rows, the latter or null

    double variance(Index c, Index i) const { return rotated[(c * d + i) * d + i]; }

    // Begin with axes as columns, and the matrices that are rotated by them.
    void begin(const double* columns, const double* own, double* row) const {
        rotate(k, d, columns, own, rotated, row);
        for (Index i = 0; i < d * d; ++i) axes[i] = columns[i % d * d + i / d];
    }

    // The pairs of a round of a tournament: all players but the first move on by one seat from round to round.
    Index players() const { return d + d % 2; }
    Index player(Index seat, Index round) const {
        const Index others = players() - 1;
        return seat == 0 ? 0 : 1 + (seat - 1 - round + others) % others;
    }
    void turn_round(Index round) const {
        for (Index seat = 0; seat < players() / 2; ++seat) {
            const Index a = player(seat, round), b = player(players() - 1 - seat, round);
            if (a < d && b < d) turn_plane(a, b);
        }
    }

    void turn_plane(Index a, Index b) const {
        double cosine = 0.0, sine = 0.0;
        for (Index c = 0; c < k; ++c) {
            const double unlike = counts[c] / spread[c * d + a] - counts[c] / spread[c * d + b];
            cosine += unlike * (variance(c, a) - variance(c, b));
            sine += unlike * rotated[(c * d + a) * d + b];
        }
        cosine *= 0.5;
        const double angle = cosine == 0.0 && sine == 0.0 ? 0.0 : 0.5 * std::atan2(-sine, -cosine);
        const double x = std::cos(angle), y = std::sin(angle);
        turn_rows(d, axes + a * d, axes + b * d, x, -y);
        if (turned) turn_rows(d, turned + a * d, turned + b * d, x, -y);
        for (Index c = 0; c < k; ++c) {
            double* w = rotated + c * d * d;
            turn_rows(d, w + a * d, w + b * d, x, -y);
            const double first = w[a * d + a], second = w[a * d + b], third = w[b * d + a], fourth = w[b * d + b];
            for (Index i = 0; i < d; ++i) {
                w[i * d + a] = w[a * d + i];
                w[i * d + b] = w[b * d + i];
            }
            w[a * d + a] = x * first + y * second;
            w[b * d + b] = x * fourth - y * third;
            w[a * d + b] = w[b * d + a] = x * second - y * first;
        }
    }

    // The best variances along the axes; scales has room for k.
    void spread_out(double* scales) const {
        double mean = 0.0, count = 0.0;
        for (Index c = 0; c < k && equal_volume; ++c) {
            double logs = 0.0;
            for (Index i = 0; i < d; ++i) logs += std::log(variance(c, i));
            scales[c] = std::exp(logs / static_cast<double>(d));
            mean += counts[c] * scales[c];
            count += counts[c];
        }
        for (Index c = 0; c < k; ++c)
            for (Index i = 0; i < d; ++i)
                spread[c * d + i] = equal_volume ? variance(c, i) * (mean / count / scales[c]) : variance(c, i);
    }

    void write(double* columns) const {
        for (Index i = 0; i < d * d; ++i) columns[i] = axes[i % d * d + i / d];
    }
};

// Axes (d, d) as columns, turned until the loss has converged, or for the most sweeps; false: out of memory.
bool sweep_axes(Index k, Index d, bool equal_volume, Index most_sweeps, const double* counts, const double* own,
                double* columns) {
    Room room(k * d * d + k * d + d * d + d + k);
    if (!room.memory) return false;
    const Sweeps sweeps{k, d, equal_volume, counts, room.take(k * d * d), room.take(k * d), room.take(d * d), nullptr};
    double *row = room.take(d), *shares = room.take(k);
    sweeps.begin(columns, own, row);
    double before = axes_loss(k, d, equal_volume, counts, sweeps.rotated, shares);
    for (Index sweep = 0; sweep < most_sweeps; ++sweep) {
        for (Index round = 0; round + 1 < sweeps.players(); ++round) {
            sweeps.spread_out(shares);
            sweeps.turn_round(round);
        }
        const double after = axes_loss(k, d, equal_volume, counts, sweeps.rotated, shares);
        if (!(before - after > 1e-10)) break;
        before = after;
    }
    sweeps.write(columns);
    return true;
}

// The best variances g (k, d) >= 1 of one volume, in place of the logarithms of those of the components by themselves.
struct OneVolume {
    Index k, d;
    const double* counts;
    double *logs, *sums, *shifts, *ranks;  // (k, d), (k, d), (k), (k)

    double shift(Index c, Index rank, double volume) const {
        return (volume - sums[c * d + rank]) / static_cast<double>(rank + 1);
    }

    void operator()() const {
        double count = 0.0, volume = 0.0;
        for (Index c = 0; c < k; ++c) {
            double* sum = sums + c * d;
            std::copy(logs + c * d, logs + (c + 1) * d, sum);
            std::sort(sum, sum + d, [](double a, double b) { return a > b; });
            for (Index i = 1; i < d; ++i) sum[i] += sum[i - 1];
            count += counts[c];
            ranks[c] = 0.0;
        }
        for (int step = 0; step < 200; ++step) {
            double low = infinity, shares = 0.0, slope = 0.0;
            for (Index c = 0; c < k; ++c) {
                // The rank of the least shift does not fall as the volume grows.
                Index rank = static_cast<Index>(ranks[c]);
                while (rank + 1 < d && shift(c, rank + 1, volume) < shift(c, rank, volume)) ++rank;
                ranks[c] = static_cast<double>(rank);
                shifts[c] = shift(c, rank, volume);
                low = std::fmin(low, shifts[c]);
            }
            for (Index c = 0; c < k; ++c) {
                const double share = counts[c] * std::exp(low - shifts[c]);
                shares += share;
                slope += share / (ranks[c] + 1.0);
            }
            const double further = (std::log(shares / count) - low) * shares / slope;
            if (!(further > epsilon * std::fmax(1.0, volume))) break;
            volume += further;
        }
        for (Index i = 0; i < k * d; ++i) logs[i] = std::exp(std::fmax(logs[i] + shifts[i / d], 0.0));
    }
};

// The best variances along the axes that are at least the floor's; returns their loss, and what is rounding in it.
inline double floored_spread(const Sweeps& s, const OneVolume& one_volume, double* lowest, double& rounding) {
    const Index d = s.d;
    for (Index i = 0; i < d; ++i) lowest[i] = dot(s.turned + i * d, s.turned + i * d, d);
    for (Index c = 0; c < s.k && s.equal_volume; ++c)
        for (Index i = 0; i < d; ++i)
            one_volume.logs[c * d + i] = std::log(std::fmax(s.variance(c, i) / lowest[i], 1e-300));
    if (s.equal_volume) one_volume();
    double loss = 0.0, count = 0.0;
    rounding = 0.0;
    for (Index c = 0; c < s.k; ++c) {
        double *spread = s.spread + c * d, losses = 0.0, most = 0.0, inverses = 0.0;
        for (Index i = 0; i < d; ++i) {
            const double variance = s.variance(c, i);
            spread[i] = s.equal_volume ? one_volume.logs[c * d + i] * lowest[i] : std::fmax(variance, lowest[i]);
            losses += std::log(spread[i]) + variance / spread[i];
            most = std::fmax(most, spread[i]);
            inverses += 1.0 / spread[i];
        }
        loss += s.counts[c] * losses;
        rounding += s.counts[c] * most * inverses;
        count += s.counts[c];
    }
    rounding *= epsilon / count;
    return loss / count;
}

// The best common axes (d, d) as columns, in place of some, and variances (k, d) along them that keep a floor; their loss in
// place of the least before them, or nothing where none is below it. False: out of memory.
bool floored_axes(Index k, Index d, bool equal_volume, const double* counts, const double* own, const double* root,
                  double* columns, double* best, double* least) {
    const Index size = d * d;
    Room room(k * size + 3 * k * d + 2 * size + 2 * d + 2 * k);
    if (!room.memory) return false;
    const Sweeps sweeps{k, d, equal_volume, counts, room.take(k * size), room.take(k * d), room.take(size), room.take(size)};
    double *row = room.take(d), *lowest = room.take(d);
    const OneVolume one_volume{k, d, counts, room.take(k * d), room.take(k * d), room.take(k),
                               room.take(k)};
    sweeps.begin(columns, own, row);
    for (Index i = 0; i < d; ++i) {
        for (Index j = 0; j < d; ++j) sweeps.turned[i * d + j] = 0.0;
        for (Index l = 0; l < d; ++l) subtract(sweeps.turned + i * d, -sweeps.axes[i * d + l], root + l * d, d);
    }
    for (int sweep = 0; sweep < 2; ++sweep) {
        const double before = *least;
        for (Index round = -1; round + 1 < sweeps.players(); ++round) {
            double rounding;
            const double loss = floored_spread(sweeps, one_volume, lowest, rounding);
            if (loss < *least - rounding) {
                *least = loss;
                sweeps.write(columns);
                std::copy(sweeps.spread, sweeps.spread + k * d, best);
            }
            if (round >= 0) sweeps.turn_round(round);
        }
        if (!(before - *least > 1e-10)) break;
    }
    return true;
}
