// Noise and t components in a stretch: core/model.py, core/parts/student.py, kernels/terms/tails.py and the tails of
// fit/steps/coordinates.py are the twins. Included by stretch.cpp alone, inside an anonymous namespace.
#pragma once

constexpr double asymptotic = 12.0;  // from here on series have all digits
constexpr int shape_steps = 4;
constexpr double nothing = 1e-200;  // share of the rows of which nothing can be learned

// log Gamma(x), its first and its second derivative, of positive numbers: Abramowitz and Stegun 6.1.41, 6.3.18 and 6.4.12.
struct Gamma {
    explicit Gamma(double x) : log(0.0), first(0.0), second(0.0) {
        double below = 1.0;
        for (; x < asymptotic; x += 1.0) below *= x, first -= 1.0 / x, second += 1.0 / (x * x);
        const double r = 1.0 / x, q = r * r, root = std::log(x);
        log = (x - 0.5) * root - x + 0.9189385332046727418 - std::log(below) +
              r * (1.0 / 12 - q * (1.0 / 360 - q * (1.0 / 1260 - q * (1.0 / 1680 - q * (1.0 / 1188 - q * 691.0 / 360360)))));
        first += root - 0.5 * r -
                 q * (1.0 / 12 - q * (1.0 / 120 - q * (1.0 / 252 - q * (1.0 / 240 - q * (1.0 / 132 - q * 691.0 / 32760)))));
        second += r + 0.5 * q +
                  q * r * (1.0 / 6 - q * (1.0 / 30 - q * (1.0 / 42 - q * (1.0 / 30 - q * (5.0 / 66 - q * 691.0 / 2730)))));
    }
    double log, first, second;
};

// (2, k, d + 1): by the number of columns that a row has, what density and expected logarithm have more than a Gaussian's.
void tail_tables(Index k, Index d, const double* freedom, double* out) {
    double* more = out + k * (d + 1);
    for (Index c = 0; c < k; ++c) {
        const double half = 0.5 * freedom[c], root = std::log(half), at_half = Gamma(half).log;
        for (Index p = 0; p <= d; ++p) {
            const double columns = 0.5 * static_cast<double>(p), shape = half + columns;
            const Gamma of(shape);
            *out++ = of.log - at_half - columns * root;
            *more++ = of.first - std::log(shape);
        }
    }
}

// The root a of log a - psi(a) = c, where it is between two bounds, otherwise the nearer one.
double gamma_shape(double c, double least, double most) {
    if (!(c > std::log(most) - Gamma(most).first)) return most;
    if (c > std::log(least) - Gamma(least).first) return least;
    double a = (3.0 - c + std::sqrt((c - 3.0) * (c - 3.0) + 24.0 * c)) / (12.0 * c);
    for (int step = 0; step < shape_steps; ++step) {
        const Gamma of(a);
        a = 1.0 / (1.0 / a + (std::log(a) - of.first - c) / (a - a * a * of.second));
    }
    return std::fmin(std::fmax(a, least), most);
}

// Degrees of freedom from counts and expected logarithms, (k) each. `freedom`: whether all have the same, the least, the most.
void maximize_tails(const double* freedom, Index k, const double* counts, const double* logs, double* out) {
    double n = 0.0, total = 0.0;
    for (Index c = 0; c < k; ++c) n += counts[c], total += logs[c];
    for (Index c = 0; c < k; ++c) {
        const double of = freedom[0] != 0.0 ? n : counts[c], more = freedom[0] != 0.0 ? total : logs[c];
        out[c] = 2.0 * gamma_shape(-1.0 - more / std::fmax(of, tiny), 0.5 * freedom[1], 0.5 * freedom[2]);
    }
}

// Sums of t components, after their means, as those of Gaussians with the same M-step, about the means that they lead to.
void as_gaussian(const StretchSizes& z, const double* of, double* out) {
    const Index k = z.k, d = z.d;
    std::copy(of, of + k * d + 2 + z.gaussian, out);
    const double *first = of + k * d + 2 + k, *mass = first + z.gaussian - k;
    double *means = out, *zero = out + k * d + 2 + k, *second = zero + k * d;
    for (Index c = 0; c < k; ++c, first += d, means += d, zero += d, second += z.moments) {
        const double share = mass[c] > 0.0 ? 1.0 / mass[c] : 0.0;
        for (Index i = 0, at = 0; i < d; ++i) {
            means[i] += first[i] * share, zero[i] = 0.0;
            if (z.layout == Layout::diagonal)
                second[i] -= first[i] * first[i] * share;
            else
                for (Index j = 0; j <= i; ++j) second[at++] -= first[i] * first[j] * share;
        }
    }
}

// The share of the rows that belong to components is theirs, the rest is the noise's; false where they have nothing.
bool leave_to_noise(const StretchSizes& z, const double* sums, const Model& m) {
    double share = 0.0;
    for (Index c = 0; c < z.k; ++c) share += sums[2 + c];
    share = std::fmin(share / sums[1], 1.0);
    if (!(share > nothing)) return false;
    for (Index c = 0; c < z.k; ++c) m.weights[c] *= share, m.offsets[c] += std::log(share);
    *m.noise = 1.0 - share;
    return true;
}

// Lays coordinates about degrees of freedom.
void lay_tails(const State& s, const double* freedom) {
    for (Index c = 0; c < s.z.tails; ++c) {
        const double half = 0.5 * freedom[c];
        const Gamma of(half);
        s.expected[c] = of.first - std::log(half) - 1.0;
        s.spreads[c] = std::sqrt(of.second - 1.0 / half);
    }
}

// The coordinates of expected logarithms.
void tail_coordinates(const State& s, const double* counts, const double* logs, double* out) {
    for (Index c = 0; c < s.z.tails; ++c) out[c] = (logs[c] - s.expected[c] * counts[c]) / (s.spreads[c] * s.roots[c]);
}

// Mass and expected logarithms at a point, (2, k).
void tail_sums(const State& s, const double* point, const double* counts, double* out) {
    const Index k = s.z.tails;
    for (Index c = 0; c < k; ++c)
        out[c] = counts[c], out[k + c] = s.expected[c] * counts[c] + point[c] * s.spreads[c] * s.roots[c];
}

double largest_tail_change(const State& s, const double* step, double largest) {
    for (Index c = 0; c < s.z.tails; ++c) {
        const double change = std::fabs(step[c] / s.roots[c]);
        if (change > largest || change != change) largest = change;
    }
    return largest;
}
