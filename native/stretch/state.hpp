// The state of a stretch as named parts of one array. Included by stretch.cpp alone, inside an anonymous namespace.
#pragma once

// Numbers among the first of a state; flags are 0 or 1.
enum Scalar {
    n_made, is_accelerated, n_passes, confirming, best_then, best, n_changes, change_0, change_1, change_2, active, radius,
    little, has_trial, has_entered, has_coordinates, n_history, n_curvature, has_last, is_concave, is_finite_so_far, age,
    n_plain, plain_0, plain_1, plain_2, previous, entered_is_last, trial_length, trial_expected
};

struct Model {
    Model(double* from, const StretchSizes& z)
        : weights(from), means(from + z.k), covariances(means + z.k * z.d), whitening(covariances + z.covariances),
          logs(whitening + z.whitening), offsets(logs + z.logs), table(offsets + z.k), noise(table + z.table),
          freedom(noise + z.noise) {}
    double *weights, *means, *covariances, *whitening, *logs, *offsets, *table, *noise, *freedom;
};

struct State {
    State(double* from, const StretchSizes& sizes) : z(sizes), scalars(from) {
        double* at = from + stretch_scalars;
        const auto next = [&at](Index size) {
            double* part = at;
            at += size;
            return part;
        };
        model = next(z.model), origin_model = next(z.model);
        entered = next(z.sums), trial = next(z.sums), origin = next(z.sums);
        trial_point = next(z.point), trial_left = next(z.point), point = next(z.point), left = next(z.point);
        last_point = next(z.point), last_gradient = next(z.point);
        moves = next(stretch_memory * z.point), drops = next(stretch_memory * z.point);
        about = next(z.k * z.d), roots = next(z.k), whitening = next(z.factors), coloring = next(z.factors);
        likely = next(z.open), widths = next(z.open), known = next(z.open);
        expected = next(z.tails), spreads = next(z.tails);
        linked = next(stretch_pairs), history = next(2 * stretch_pairs * z.sums);
    }
    double& operator[](Scalar one) const { return scalars[one]; }
    double* pair(Index number) const { return history + 2 * number * z.sums; }
    Index count(Scalar one) const { return static_cast<Index>(scalars[one]); }
    bool is(Scalar one) const { return scalars[one] != 0.0; }

    const StretchSizes& z;
    double *scalars, *model, *origin_model, *entered, *trial, *origin, *trial_point, *trial_left, *point, *left;
    double *last_point, *last_gradient, *moves, *drops, *about, *roots, *whitening, *coloring, *linked, *history;
    double *likely, *widths, *known;  // coordinates of levels
    double *expected, *spreads;       // of tails
};

// (change, latest two of those before), at most three.
void push(const State& s, Scalar count, Scalar first, double change) {
    s.scalars[first + 2] = s.scalars[first + 1];
    s.scalars[first + 1] = s.scalars[first];
    s.scalars[first] = change;
    s[count] = std::fmin(3.0, s[count] + 1.0);
}
