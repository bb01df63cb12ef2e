// What the binding and the compiled variants of agglomeration have in common: plain values, no Python.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mixtura {

using Index = std::ptrdiff_t;
enum class Criterion { eii = 0, vii = 1, vvv = 2 };

// m rows of d columns, each counting as many; floor is the `a` of the criteria.
struct Agglomeration {
    Criterion criterion;
    Index m, d;
    double floor;
    const double *rows, *counts;   // (m, d), (m)
    std::intptr_t *pairs, *heads;  // (m - 1, 2) clusters joined at each step, by their smallest rows; room for (m)
};

// Agglomeration compiled for one instruction set.
struct Trees {
    bool (*agglomerate)(const Agglomeration&);  // false: out of memory
};

namespace baseline { extern const Trees trees; }
namespace avx2 { extern const Trees trees; }
namespace avx512 { extern const Trees trees; }

}  // namespace mixtura
