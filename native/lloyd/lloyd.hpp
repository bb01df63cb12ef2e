// What the binding and the compiled variants of K-means' iterations have in common; kernels/iterations/center_moves.py
// says what a call does, and fit/kmeans/lloyd.py what an iteration is.
#pragma once

#include "../pass/kernel.hpp"

namespace mixtura {

// Why iterations ended: all are made; the next takes more care; the rule that ends a run is satisfied.
enum class Halt { complete = 0, trouble = 1, satisfied = 2 };

struct Lloyd {
    Pass pass;         // the rows and their weights; hard, in the shared layout, with unit spheres; the rest is set here
    Index block;       // rows whose sums are added up together
    double tolerance;  // of the sum of squared moves of the centers
    double best;       // the largest objective so far
    Index n_steps;
    std::intptr_t* labels;  // (n) of the latest pass, in and out
    double* film;           // (n_steps, 3 + k d): objective, shift, rows that changed, centers after each
    Index frame() const { return 3 + pass.k * pass.d; }
};

// Makes some iterations from the centers in Pass::means; how many is left in `done`.
using Settle = Halt (*)(const Lloyd&, Index* done);

// Seeds of greedy k-means++; fit/kmeans/plusplus.py says how they are drawn.
struct Seeding {
    Pass pass;            // the rows and their weights; the rest is set here
    Index n_seeds, n_trials;
    const double* draws;  // (1 + (n_seeds - 1) n_trials) even numbers from 0 to 1
    std::intptr_t* seeds;  // (n_seeds) rows
};
using Sow = bool (*)(const Seeding&);  // false: out of memory

namespace baseline { extern const Settle settle; extern const Sow sow; }
namespace avx2 { extern const Settle settle; extern const Sow sow; }
namespace avx512 { extern const Settle settle; extern const Sow sow; }

}  // namespace mixtura
