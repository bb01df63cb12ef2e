// What the binding and the compiled variants of a stretch of EM have in common; kernels/iterations/stretch.py says what a
// stretch is and where what it remembers stands.
#pragma once

#include "../algebra/algebra.hpp"
#include "../pass/kernel.hpp"
#include "race.hpp"

namespace mixtura {

// Why a stretch ended: all steps are made; the next one takes care that is not taken here; little is left to gain; a race
// looks at the run; it is too far behind, or comes to the end that is known.
enum class Ending { complete = 0, trouble = 1, satisfied = 2, looked_at = 3, abandoned = 4 };

// Discrete columns: how the levels of each follow from their counts; the numbers of kernels/iterations/stretch.py.
enum LevelKind : std::intptr_t { category = 0, negative_binomial = 1, poisson = 2 };

struct Levels {
    Index size, n_columns;        // levels of all columns, with that of missing values, which is the last; no columns: none
    const std::int32_t* of_rows;  // (n, columns)
    const std::intptr_t *starts, *kinds;  // (columns + 1), (columns)
    const double* prior;          // (size) pseudo-counts; zero for levels that no row has
};

struct Stretch {
    Pass pass;                                // the rows, their weights, and the layout; the model is the state's
    Index block;                              // rows whose sums are added up together
    CommonForm form;                          // of the M-step; a closed form where it is not common
    bool is_common;
    const double *total_mean, *total_second;  // (d), (d, d) of all rows, where second moments are pooled
    Index warmup;                             // plain steps before extrapolation may begin; negative: it never does
    double tolerance, enough;                 // nats: of extrapolation, and of the rule that ends a stretch
    const Race* race;                         // nullptr where there is none
    bool alone;                               // whether nobody else looks at runs that are close
    double* known;                            // the model of the race's target, if there is one
    Levels levels;
    const double* noise;    // (n) log densities of noise but for its weight; nullptr where there is none
    const double* freedom;  // (3) of t components: whether all have the same, and the bounds; nullptr for Gaussian ones
    Index n_steps;
    double *state, *film;                     // (size), (n_steps, frame)
};

constexpr Index stretch_scalars = 32, stretch_pairs = 9, stretch_memory = 8;

// How long the parts of a state are.
struct StretchSizes {
    explicit StretchSizes(const Stretch& s)
        : k(s.pass.k), d(s.pass.d), layout(s.pass.layout), moments(moment_size(layout, d)), gaussian(k * (1 + d + moments)),
          table(s.levels.size * k), noise(s.noise ? 1 : 0), tails(s.freedom ? k : 0), block(s.block < s.pass.n ? s.block : s.pass.n),
          beside(table > 0 ? block * k : 0), open(table > 0 ? table - k : 0), point(gaussian + open + tails),
          sums(k * d + 2 + gaussian + 2 * tails + table),
          factors(layout == Layout::dense ? k * d * d : layout == Layout::diagonal ? k * d : d * d) {
        const ClosedForm& f = s.form.step;
        const bool one = !s.is_common && f.pooled && !f.diagonal, spheres = !s.is_common && f.diagonal && f.averaged && !f.pooled;
        whitening = one ? d * d : f.diagonal ? k * d : k * d * d;
        covariances = spheres ? k : whitening;
        logs = one ? 1 : k;
        model = 2 * k + k * d + covariances + whitening + logs + table + noise + tails;
    }
    Index state() const {
        return stretch_scalars + 2 * model + (3 + 2 * stretch_pairs) * sums + stretch_pairs +
               (2 * stretch_memory + 6) * point + k * d + k + 2 * factors + 3 * open + 2 * tails;
    }
    Index frame() const { return 3 + model; }

    Index k, d;
    Layout layout;
    Index moments, gaussian;
    Index table, noise, tails, block, beside, open;  // table: of all levels; open: of those of values that are there
    Index point, sums, factors;            // sums: with the means that they are about
    Index whitening, covariances, logs, model;
};

// Runs one after the other, on one film, until one has to be looked at. The end of one is the target of those after it.
struct Contest {
    Stretch stretch;           // with the race, if there is one; neither state nor film; steps of a run at most
    bool begins;               // whether runs set out from the models of their states
    Index n_runs, n_frames;
    double *states, *film;     // (runs, state), (n_frames, frame)
    double* found;             // (runs, 3): steps made, why no more, and the target then
};

// Runs from their starts to their ends, each on one of several samples of as many rows.
struct Runs {
    Stretch stretch;  // of the first sample, whose arrays those of the others follow; neither state nor film; steps at most
    Index n_runs;
    const std::intptr_t* samples;  // (runs)
    const double* starts;          // (runs, model)
    double *ends, *found;          // (runs, model), (runs, 3): log-likelihood of the end, steps made, why they ended
};

// Runs that were begun, -1 out of memory. Each step is a frame of the film; after trouble a state is that before it.
using Advance = Index (*)(const Contest&);
using Finish = bool (*)(const Runs&);  // false: out of memory

namespace baseline { extern const Advance advance; extern const Finish finish; }
namespace avx2 { extern const Advance advance; extern const Finish finish; }
namespace avx512 { extern const Advance advance; extern const Finish finish; }

}  // namespace mixtura
