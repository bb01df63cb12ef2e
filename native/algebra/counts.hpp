// Negative binomial distributions of counts; kernels/iterations/negative_binomials.py is the twin, and says why. Included by
// algebra.cpp alone, inside an anonymous namespace.
#pragma once

constexpr double least_size = 1e-3, largest_size = 1e6;
constexpr int most_size_steps = 60;
constexpr double precise_size = 1e-5, no_slope = 1e-15;

// The root of sum_i above_i / (r + i) = n log(1 + mean / r) in r, of v numbers.
double root_of_size(Index v, const double* above, double n, double mean, double size) {
    double low = std::log(least_size), high = std::log(largest_size), at = std::log(size);
    for (int step = 0; step < most_size_steps; ++step) {
        const double r = std::exp(at);
        double slope = 0.0, bend = 0.0;
        for (Index i = 0; i < v; ++i) {
            const double inverse = 1.0 / (r + static_cast<double>(i)), term = above[i] * inverse;
            slope += term, bend += term * inverse;
        }
        slope -= n * std::log1p(mean / r);
        bend = r * (n * mean / (r * (r + mean)) - bend);
        (slope > 0.0 ? low : high) = at;
        const double newton = at - slope / bend, next = newton > low && newton < high ? newton : 0.5 * (low + high);
        const bool done = std::fabs(next - at) <= precise_size || std::fabs(slope) <= no_slope * n;
        at = next;
        if (done) break;
    }
    return std::exp(at);
}

// From weighted counts of the numbers 0 to v - 1, (v, k), to the log probabilities of the likeliest distributions, (v, k),
// their means and sizes, (k). False: out of memory.
bool negative_binomials(Index v, Index k, const double* counts, double* logs, double* means, double* sizes) {
    const Room above(v);
    if (!above.memory) return false;
    for (Index c = 0; c < k; ++c) {
        double n = 0.0, first = 0.0, second = 0.0;
        for (Index i = v; i-- > 0;) {
            above.memory[i] = n;
            n += counts[i * k + c];
            first += static_cast<double>(i) * counts[i * k + c];
        }
        n = std::fmax(n, tiny);
        const double mean = first / n;
        for (Index i = 0; i < v; ++i) {
            const double apart = static_cast<double>(i) - mean;
            second += apart * apart * counts[i * k + c];
        }
        const double variance = second / n, moments = mean * mean / (variance - mean);
        const double start = std::fmin(std::fmax(moments, least_size), largest_size);
        const double r = variance > mean ? root_of_size(v, above.memory, n, mean, start) : largest_size;
        const double share = std::log(mean / (r + mean));
        double now = -r * std::log1p(mean / r);
        for (Index i = 0; i < v; ++i) {
            logs[i * k + c] = now;
            now += std::log((r + static_cast<double>(i)) / static_cast<double>(i + 1)) + share;
        }
        means[c] = mean, sizes[c] = r;
    }
    return true;
}
