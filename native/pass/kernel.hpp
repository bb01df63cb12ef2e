// What the binding and the compiled variants of the core have in common: plain values, no Python.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mixtura {

using Index = std::ptrdiff_t;
enum class Layout { dense = 0, diagonal = 1, shared = 2 };

// One pass over a chunk of n rows, d columns, k components; the arrays of kernels/contract.py.
// Null pointers stand for what is not given or not wanted.
struct Pass {
    Layout layout;
    Index n, d, k;
    const double* rows64;  // (n, d); null where the rows are float32
    const float* rows32;
    const double *weight, *means, *factors, *offsets;  // (n), (k, d), by layout, (k)
    const double* responsibilities;                    // (n, k) that are given, without factors and offsets
    const std::intptr_t* given_labels;                 // (n) or these
    const std::intptr_t* order;                        // (n) rows by the columns they lack; null: nothing is missing
    const double* beside;                              // (n, k) added to the log densities
    const double* background;                          // (n) log density of what belongs to no component
    const double *freedom, *tails;                     // (k), (2, k, d + 1) of t components; null for Gaussians
    bool hard;
    double negligible;                         // share of a row that components left out may have together
    double *sums, *scores, *log_density, *memberships;  // (sums_size), (3) added to, (n), (n, k)
    std::intptr_t* labels;                              // (n)
    void** kept;  // null, or where memory is kept from one pass to the next on the same rows; to be freed by who asks for it
    double* laid;  // null, or laid_size, zeros at first, for the rows as a pass takes them, if it does in their order; not in the shared layout
};

// static: each variant keeps its own, compiled for its own instruction set
static inline Index moment_size(Layout layout, Index d) {
    return layout == Layout::dense ? d * (d + 1) / 2 : layout == Layout::diagonal ? d : 0;
}
static inline Index sums_size(Layout layout, Index k, Index d, bool tails = false) {
    return 2 + k * (1 + d + moment_size(layout, d) + (tails ? 2 : 0));
}

// Rows with their weights in blocks of 256 to 512, and of each block the sum of these, whether some are zero, and whether it is there.
static inline Index laid_size(Index n, Index d) { return ((n + 512) * (d + 1) + n / 32 + 24) / 8 * 8; }

// The core compiled for one instruction set.
struct Variant {
    const char* name;
    bool (*run)(const Pass&);  // false: out of memory, and nothing was added
    // Levels (n, j) of discrete columns: out (n, k) += table (l, k) at each; counts (l, k) += weight (n) times shares (n, k).
    void (*add_levels)(Index n, Index j, Index k, const std::int32_t* levels, const double* table, double* out);
    void (*count_levels)(Index n, Index j, Index k, const std::int32_t* levels, const double* weight,
                         const double* shares, double* counts);
    // What candidates (t, d) for a seed leave of distances (n): false: out of memory, and nothing was added.
    bool (*add_masses)(Index n, Index d, Index t, const double* rows, const double* weight, const double* distances,
                       const double* candidates, double* masses);
    bool (*add_masses_32)(Index n, Index d, Index t, const float* rows, const double* weight, const double* distances,
                          const double* candidates, double* masses);
    // Distances (n) to the nearest of some seeds (s, d) where these are nearer; false: out of memory.
    bool (*lower_distances)(Index n, Index d, Index s, const double* rows, const double* seeds, double* distances);
    bool (*lower_distances_32)(Index n, Index d, Index s, const float* rows, const double* seeds, double* distances);
    void (*exp)(const double* x, double* y, Index n);  // for tests of accuracy; n a multiple of 8
    void (*log)(const double* x, double* y, Index n);
};

namespace baseline { extern const Variant variant; }
namespace avx2 { extern const Variant variant; }
namespace avx512 { extern const Variant variant; }

}  // namespace mixtura
