// Discrete columns in a stretch: core/parts/discrete.py and fit/steps/level_coordinates.py are the twins. Included by
// stretch.cpp alone, inside an anonymous namespace.
#pragma once

constexpr double tiny = 2.2250738585072014e-308, least_probability = 1e-12, least_kept = 0.1;
constexpr Index most_terms = 100000;

// f(column, begin, end) for each column, its levels from begin to before end.
template <typename Function>
void each_column(const Levels& levels, Function f) {
    for (Index j = 0; j < levels.n_columns; ++j) f(j, levels.starts[j], levels.starts[j + 1]);
}

// Poisson distributions of the likeliest means, (k).
void poissons(Index v, Index k, const double* counts, double* logs, double* means) {
    for (Index c = 0; c < k; ++c) {
        double n = 0.0, first = 0.0;
        for (Index i = 0; i < v; ++i) n += counts[i * k + c], first += static_cast<double>(i) * counts[i * k + c];
        const double mean = means[c] = first / std::fmax(n, tiny), root = std::log(mean);
        double now = -mean;
        for (Index i = 0; i < v; ++i) {
            logs[i * k + c] = now;
            now += root - std::log(static_cast<double>(i + 1));
        }
    }
}

// The log probability of larger numbers than those to v - 1, where each is (share x + rest) / (x + 1) times as likely as x, the
// one before it. Not a number where that takes too long.
double log_beyond(Index v, Index k, const double* logs, double share, double rest) {
    double below = 0.0, beyond = 0.0, term = std::exp(logs[(v - 1) * k]);
    for (Index x = 0; x < v; ++x) below += std::exp(logs[x * k]);
    if (below < 0.5) return std::log(1.0 - below);
    for (Index i = 0; i < most_terms; ++i) {
        const double x = static_cast<double>(v - 1 + i), ratio = (share * x + rest) / (x + 1.0);
        term *= ratio;
        beyond += term;
        if (ratio < 1.0 && term <= 1e-17 * (1.0 - ratio) * beyond) return std::log(std::fmax(beyond, tiny));
    }
    return std::nan("");
}

// The log probabilities (size, k) of counts (size, k), with room for as many and two more rows. Of a count, what lies beyond
// the largest number is left to who asks, where no row is there. False: out of memory, or it takes too long.
bool maximize_levels(const Levels& levels, Index k, const double* counts, double* room, double* table) {
    double *seen = room, *means = room + levels.size * k, *sizes = means + k;
    bool good = true;
    for (Index i = 0; i < levels.size * k; ++i) seen[i] = counts[i] + levels.prior[i / k];
    each_column(levels, [&](Index j, Index begin, Index end) {
        const double* here = seen + begin * k;
        double* logs = table + begin * k;
        const Index n = end - begin;
        if (levels.kinds[j] == category) {
            for (Index c = 0; c < k; ++c) {
                double total = 0.0;
                for (Index l = 0; l < n; ++l) total += here[l * k + c];
                for (Index l = 0; l < n; ++l) logs[l * k + c] = std::log(here[l * k + c] / std::fmax(total, tiny));
            }
            return;
        }
        const bool wide = levels.kinds[j] == negative_binomial;
        if (wide)
            good = algebra.negative_binomials(n - 1, k, here, logs, means, sizes) && good;
        else
            poissons(n - 1, k, here, logs, means);
        double there = 0.0;
        for (Index c = 0; c < k; ++c) there += here[(n - 1) * k + c];
        for (Index c = 0; c < k; ++c) {
            const double share = wide ? means[c] / (sizes[c] + means[c]) : 0.0, rest = wide ? sizes[c] * share : means[c];
            const double log = there > 0.0 ? log_beyond(n - 1, k, logs + c, share, rest) : std::log(tiny);
            logs[(n - 1) * k + c] = log;
            good = good && log == log;
        }
    });
    for (Index c = 0; c < k; ++c) table[(levels.size - 1) * k + c] = 0.0;
    return good;
}

// The logarithm of the prior density of a table.
double log_prior(const Levels& levels, Index k, const double* table) {
    double total = 0.0;
    for (Index l = 0; l < levels.size; ++l)
        for (Index c = 0; c < k && levels.prior[l] > 0.0; ++c) total += levels.prior[l] * table[l * k + c];
    return total;
}

// Lays coordinates about a table, and the counts of levels of its pass.
void lay_levels(const Levels& levels, const State& s, const double* table, const double* counts) {
    const Index k = s.z.k;
    each_column(levels, [&](Index, Index begin, Index end) {
        for (Index c = 0; c < k; ++c) {
            double known = 0.0;
            for (Index l = begin; l < end; ++l) known += counts[l * k + c];
            for (Index l = begin; l < end; ++l) {
                const Index at = l * k + c;
                double there = levels.prior[l];
                for (Index other = 0; other < k; ++other) there += counts[l * k + other];
                const double likely = there > 0.0 ? std::exp(table[at]) : 0.0;
                s.likely[at] = std::fmax(likely, least_probability);
                s.widths[at] = std::sqrt(s.likely[at] * std::fmax(known, least_probability));
                s.known[at] = known / (s.roots[c] * s.roots[c]);
            }
        }
    });
}

// The coordinates of counts of levels.
void level_coordinates(const Levels& levels, const State& s, const double* counts, double* out) {
    const Index k = s.z.k;
    each_column(levels, [&](Index, Index begin, Index end) {
        for (Index c = 0; c < k; ++c) {
            double total = 0.0;
            for (Index l = begin; l < end; ++l) total += counts[l * k + c];
            for (Index at = begin * k + c; at < end * k; at += k)
                out[at] = (counts[at] - s.likely[at] * total) / s.widths[at];
        }
    });
}

// The counts of levels at a point, of components with these counts; a level keeps a share of what it had.
void level_counts(const State& s, const double* point, const double* of_components, const double* before, double* out) {
    const Index k = s.z.k;
    for (Index at = 0; at < s.z.open; ++at) {
        const double whole = s.likely[at] * s.known[at] * of_components[at % k];
        out[at] = std::fmax(whole + point[at] * s.widths[at], least_kept * std::fmin(whole, before[at]));
    }
    for (Index at = s.z.open; at < s.z.table; ++at) out[at] = 0.0;
}

// The largest length of a step within one column of a component, as a share of it, if it is larger than that of the rest.
double largest_level_change(const Levels& levels, const State& s, const double* step, double largest) {
    const Index k = s.z.k;
    each_column(levels, [&](Index, Index begin, Index end) {
        for (Index c = 0; c < k; ++c) {
            double square = 0.0;
            for (Index at = begin * k + c; at < end * k; at += k) square += step[at] * step[at];
            const double change = std::sqrt(square) / s.roots[c];
            if (change > largest || change != change) largest = change;
        }
    });
    return largest;
}
