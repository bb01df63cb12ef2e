// What the binding and the compiled variants of the small dense algebra have in common; kernels/algebra.py says what
// each does. Matrices are C-contiguous, k of them of d x d.
#pragma once

#include <cstddef>

namespace mixtura {

using Index = std::ptrdiff_t;

// What is wrong with a component; the numbers of kernels/algebra.py.
enum Status : unsigned char { good = 0, few = 1, singular = 2, near_bound = 3 };

struct ClosedForm {
    Index k, d;
    bool pooled, diagonal, averaged;
    bool packed;                 // second moments of each component are packed lower halves
    double ridge, fewest, added;
    const double *means, *sums, *bound;  // (k, d), as a pass adds them up or pooled, (d, d) or (d) or null
    double *weights, *centers, *covariances, *whitening, *log_determinants, *offsets;
    Status* status;              // (k)

    Index matrices() const { return pooled ? 1 : k; }  // how many there are where they are not variances
};

// Covariances that have something in common; as each other has, axes are those of the columns where the step is diagonal.
struct CommonForm {
    ClosedForm step;             // neither pooled nor averaged
    bool equal_volume, equal_shape, own_axes;
    const double *before, *whitening;  // covariances of the last step, and their factors, or null
};

// Sums of h passes and their whitened coordinates; the layouts are those of kernels/contract.py.
struct Whitened {
    Index h, k, d;
    int layout;                  // 0 dense, 1 diagonal, 2 shared
    const double *means, *sums, *about, *factors, *roots;  // (h, k, d), (h, size), (k, d), by layout, (k)
    double* out;

    Index moments() const { return layout == 0 ? d * (d + 1) / 2 : layout == 1 ? d : 0; }
};

// The algebra compiled for one instruction set.
struct Algebra {
    bool (*closed_form)(const ClosedForm&);  // whether all components are good; otherwise nothing but the status counts
    bool (*common_form)(const CommonForm&);  // the same
    void (*scatter)(Index k, Index d, const double* means, const double* sums, const double* centers, double* out);
    bool (*factor)(Index k, Index d, const double* matrices, double* whitening, double* log_determinants, Status*);
    void (*eigen)(Index k, Index d, double* matrices, double* values, double* axes);  // matrices are lost
    bool (*congruence)(Index k, Index d, bool common, const double* axes, const double* matrices, double* out);
    bool (*volumes)(Index k, Index d, bool diagonal, const double* counts, const double* own, double* volumes);
    bool (*whiten_sums)(const Whitened&);  // false: out of memory
    bool (*color_sums)(const Whitened&);
    bool (*turn_axes)(Index k, Index d, bool equal_volume, const double* counts, const double* own, double* axes);
    bool (*sweep_axes)(Index k, Index d, bool equal_volume, Index most_sweeps, const double* counts, const double* own,
                       double* axes);
    bool (*floored_axes)(Index k, Index d, bool equal_volume, const double* counts, const double* own, const double* root,
                         double* axes, double* spread, double* least);
    bool (*newton_direction)(Index h, Index p, const double* moves, const double* drops, const double* gradient, double* out);
    bool (*negative_binomials)(Index v, Index k, const double* counts, double* logs, double* means, double* sizes);
    double (*largest_change)(Index k, Index d, Index m, const double* step, const double* roots);
};

namespace baseline { extern const Algebra algebra; }
namespace avx2 { extern const Algebra algebra; }
namespace avx512 { extern const Algebra algebra; }

}  // namespace mixtura
