// What a run may still gain; fit/loop/stopping.py is the twin. Included by stretch.cpp alone, inside an anonymous namespace.
#pragma once

enum Kind { plain = 0, extrapolated = 1, rejected = 2 };

constexpr double infinity = HUGE_VAL, caution = 100.0;
constexpr double rounding = 8 * 2.220446049250313e-16;

// What the gains to come add up to; Aitken's estimate.
double remaining_gain(double change, double before) {
    if (change <= 0.0) return 0.0;
    if (!(change < before && before < infinity)) return infinity;
    return change * change / (before - change);
}

// Whether the rule that ends runs is satisfied by the plain changes so far, with less than enough left to gain.
bool is_satisfied(const State& s, Kind kind, double objective, double weight, double enough) {
    const double change = objective - s[previous];
    s[previous] = objective;
    if (kind == plain)
        push(s, n_plain, plain_0, change);
    else
        s[n_plain] = 0.0;
    if (s[n_plain] < 3.0) return false;
    const double least = rounding * std::fmax(1.0, std::fabs(objective));
    double gains[3];
    for (int i = 0; i < 3; ++i) gains[i] = std::fabs(s.scalars[plain_0 + i]) <= least ? 0.0 : s.scalars[plain_0 + i];
    const double latest = remaining_gain(gains[0], gains[1]), before = remaining_gain(gains[1], gains[2]);
    return std::fmax(latest, before) * weight * (latest > before ? caution : 1.0) < enough;
}
