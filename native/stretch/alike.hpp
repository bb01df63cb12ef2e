// Whether two models are the same but for what is left to gain; fit/racing.py is the twin. Included by stretch.cpp alone,
// inside an anonymous namespace.
#pragma once

constexpr double alike = 0.1;  // deviations of means, and shares of weights and volumes

// The variance of a component in a column.
inline double variance_of(const CommonForm& form, bool is_common, const Model& m, Index d, Index c, Index i) {
    const ClosedForm& f = form.step;
    if (f.diagonal) return !is_common && f.averaged && !f.pooled ? m.covariances[c] : m.covariances[c * d + i];
    return m.covariances[(!is_common && f.pooled ? 0 : c * d * d) + i * (d + 1)];
}

// Whether each component of a model is near one of another, and none of these near two; `taken` has room for (k).
bool are_alike(const Stretch& t, const StretchSizes& z, const Model& m, const Model& known, double* taken) {
    std::fill(taken, taken + z.k, 0.0);
    for (Index c = 0; c < z.k; ++c) {
        double smallest = HUGE_VAL;
        Index nearest = 0;
        for (Index o = 0; o < z.k; ++o) {
            double apart = 0.0;
            for (Index i = 0; i < z.d; ++i) {
                const double shift = m.means[c * z.d + i] - known.means[o * z.d + i];
                apart += shift * shift / variance_of(t.form, t.is_common, known, z.d, o, i);
            }
            if (apart < smallest) smallest = apart, nearest = o;
        }
        if (!(smallest < alike * alike) || taken[nearest] != 0.0) return false;
        taken[nearest] = 1.0;
        const bool one = z.logs == 1;
        if (!(std::fabs(m.weights[c] - known.weights[nearest]) < alike * known.weights[nearest])) return false;
        if (!(std::fabs(m.logs[one ? 0 : c] - known.logs[one ? 0 : nearest]) < alike)) return false;
    }
    return true;
}
