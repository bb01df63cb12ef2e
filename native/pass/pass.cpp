// One pass over a chunk of rows, compiled once per instruction set; kernels/contract.py says what it does.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <type_traits>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "kernel.hpp"

namespace mixtura {
namespace MIXTURA_VARIANT {
namespace {

#include "simd.hpp"
#include "densities.hpp"
#include "sums.hpp"
#include "../missing/missing.hpp"

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

#include "levels.hpp"
#include "memberships.hpp"
#include "tails.hpp"

struct Homes;

// The sums of one call, as Pass::sums, and what their parts need.
struct Work {
    Block block;
    Missing missing;
    double *sums, *counts, *first, *second;
    double *mass, *extra;  // (k) of t components; elsewhere mass is counts
    Index size;            // of the sums
    double entropies[2];   // as Pass::scores
    double* head;          // where all this is kept between passes
    double total;          // weight of the rows of the block
    const std::intptr_t* order;  // (n) in which rows are taken; null: as they stand
    const Homes* homes;    // what finds their homes,
    const Index* home;     // (n) these in that order; or null
    Index spent;           // products of vectors in densities and moments of rows that have homes
    double *center, *whitened;  // (d) subtracted from the rows, zero but in the shared layout; (k, d) L (mu_k - center)
    bool identity;         // whether L is that, in the shared layout
    const Index* columns;  // (d) of the rows that are looked at; null: all
    bool gaps;             // whether rows may lack values of these

    void place_sums(const Pass& pass) {
        counts = sums + 2;
        first = counts + pass.k;
        second = first + pass.k * pass.d;
        mass = pass.freedom ? sums + size - 2 * pass.k : counts;
        extra = mass + pass.k;
    }
};

constexpr Index round_up(Index n, Index step) { return (n + step - 1) / step * step; }

constexpr Index most_spread = Index{1} << 20;

// Rows in a block: enough to spread the cost of adding up lanes, few enough for the caches (measured).
Index block_rows(const Pass& pass) {
    const Index fitting = 8192 / (2 * pass.d + pass.k + 4);
    Index rows = fitting < 256 ? 256 : fitting > 512 ? 512 : fitting;
    // Every row may lack other columns: their conditional covariances are kept for one block.
    const Index spread = pass.order ? sets_of(pass.layout, pass.k) * W * triangle(pass.d) + 1 : 1;
    rows = rows * spread > most_spread ? most_spread / spread : rows;
    rows = rows < 1 ? 1 : rows;
    return round_up(pass.n < rows ? pass.n : rows, group * W);
}

#include "room.hpp"
#include "centers.hpp"

// Transpose b.rows rows into the block, or some of their columns; padding repeats the last one.
template <typename Row>
void load_rows(const Row* rows, const std::intptr_t* order, Index d, const double* center, Block b,
               const Index* columns = nullptr) {
    const Index width = columns ? b.row_bytes / static_cast<Index>(sizeof(Row)) : d;
    for (Index v = 0; v < b.padded; v += W) {
        const Row* row[W];
        for (int lane = 0; lane < W; ++lane) {
            const Index at = v + lane < b.rows ? v + lane : b.rows - 1;
            row[lane] = rows + (order ? order[at] : at) * width;
        }
        for (Index j = 0; j < d; ++j)
            store(b.x + j * b.stride + v, across(row, columns ? columns[j] : j) - splat(center[j]));
    }
}

void load_block(const Pass& pass, Work& work, Index start) {
    Block& b = work.block;
    const std::intptr_t* order = b.order = work.order ? work.order + start : nullptr;
    const Index left = pass.n - start, at = order ? 0 : start * pass.d, size = (pass.d + 1) * b.stride;
    b.home = work.home ? work.home + start : nullptr;
    b.rows = left < b.stride ? left : b.stride;
    b.padded = round_up(b.rows, group * W);
    b.next = nullptr;
    double* laid = pass.laid && !order ? align(pass.laid) + start / b.stride * (size + 8) : nullptr;
    if (laid) b.x = laid, b.w = laid + size - b.stride;
    if (laid && laid[size + 2] != 0.0) {
        work.total = laid[size], b.masked = laid[size + 1] != 0.0;
        return;
    }
    for (Index i = 0; i < b.rows; ++i) b.w[i] = pass.weight ? pass.weight[order ? order[i] : start + i] : 1.0;
    for (Index i = b.rows; i < b.padded; ++i) b.w[i] = 0.0;
    V total = splat(0.0), zeros = splat(0.0);
    for (Index v = 0; v < b.padded; v += W) {
        total += load(b.w + v);
        zeros += load(b.w + v) == splat(0.0) ? splat(1.0) : splat(0.0);
    }
    work.total = sum_lanes(total);
    // Padding is the last row again, and adds zero, or NaN where that row does; but what is missing is not filled in it.
    b.masked = sum_lanes(zeros) > static_cast<double>(work.gaps ? 0 : b.padded - b.rows);
    const char* here = pass.rows64 ? reinterpret_cast<const char*>(pass.rows64 + at)
                                   : reinterpret_cast<const char*>(pass.rows32 + at);
    if (left >= 2 * b.stride && !order) b.next = here + b.stride * b.row_bytes;
    if (laid) laid[size] = work.total, laid[size + 1] = b.masked, laid[size + 2] = 1.0;
    if (pass.rows64)
        load_rows(pass.rows64 + at, order, pass.d, work.center, b, work.columns);
    else
        load_rows(pass.rows32 + at, order, pass.d, work.center, b, work.columns);
    if (work.gaps) find_patterns(b, pass.d, work.missing);
}

#include "../near/cells.hpp"
#include "../near/homes.hpp"

// Counts and moments from the responsibilities in the block.
void add_soft(const Pass& pass, Work& work, bool normalized) {
    Block& b = work.block;
    for (Index i = 0; i < b.padded && b.masked; ++i)
        for (Index j = 0; j < pass.d && b.w[i] == 0.0; ++j) b.x[j * b.stride + i] = 0.0;
    for (Index k = 0; k < pass.k && b.home; ++k) work.spent += add_counted(pass, work, k, normalized);
    for (Index k = 0; k < pass.k && !b.home; ++k) {
        const double count = weigh(b, k, normalized);
        work.counts[k] += count;
        // Nothing to add; but given responsibilities may cancel, or multiply a NaN.
        if (count == 0.0 && pass.factors) continue;
        if (pass.freedom) weigh_tails(pass, b, k, false, work.mass, work.extra);
        if (pass.layout == Layout::shared) continue;
        const auto moments = pass.layout == Layout::dense ? moments_dense : moments_diagonal;
        moments(b, pass.d, b.logs + k * b.stride, pass.means + k * pass.d, work.first + k * pass.d,
                work.second + k * moment_size(pass.layout, pass.d));
    }
    if (pass.layout == Layout::shared) moments_shared(b, pass, work.first);
}

// The same where values are missing: rows are those that each component fills, about its mean.
void add_missing(const Pass& pass, Work& work, bool normalized) {
    Block& b = work.block;
    const Missing& m = work.missing;
    for (Index k = 0; k < pass.k; ++k) {
        double *r = b.logs + k * b.stride, *first = work.first + k * pass.d, *plain = pass.freedom ? b.scratch : r;
        const double count = weigh(b, k, normalized);
        Block filled = b;
        filled.x = m.filled + k * pass.d * b.stride;
        double* second = work.second + k * moment_size(pass.layout, pass.d);
        const double before = pass.freedom ? work.mass[k] : 0.0;
        work.counts[k] += count;
        if (pass.freedom) {  // counts of rows, not their weights, add what is not known of missing values
            if (pass.layout == Layout::dense) add_spread(pass, m, k, r, second);
            std::memcpy(plain, r, static_cast<std::size_t>(b.padded) * sizeof(double));
            weigh_tails(pass, b, k, true, work.mass, work.extra);
        }
        const double mass = pass.freedom ? work.mass[k] - before : count;
        if (pass.layout == Layout::shared) {  // about the common center, as sums of whole rows
            for (Index j = 0; j < pass.d; ++j) {
                first[j] += mass * (pass.means[k * pass.d + j] - work.center[j]);
                for (Index i = 0; i < b.rows; ++i) first[j] += r[i] == 0.0 ? 0.0 : r[i] * filled.x[j * b.stride + i];
            }
        } else if (pass.layout == Layout::diagonal) {
            moments_observed(b, pass, k, r, plain, first, second);
        } else {
            moments_dense(filled, pass.d, r, m.zero, first, second);
            if (!pass.freedom) add_spread(pass, m, k, r, second);
        }
    }
}

// Each row to the component of its label alone, one by one; labels outside 0..k-1 to none.
void add_labelled(const Pass& pass, Work& work, const std::intptr_t* labels) {
    const Block& b = work.block;
    const Index d = pass.d, size = moment_size(pass.layout, d);
    for (Index i = 0; i < b.rows; ++i) {
        const Index k = labels[i];
        const double w = b.w[i];
        if (w == 0.0 || k < 0 || k >= pass.k) continue;
        work.counts[k] += w;
        double *first = work.first + k * d, *__restrict second = work.second + k * size, *__restrict c = b.scratch;
        for (Index j = 0; j < d; ++j) {
            c[j] = b.x[j * b.stride + i] - (pass.layout == Layout::shared ? 0.0 : pass.means[k * d + j]);
            const double wc = w * c[j];
            first[j] += wc;
            if (pass.layout == Layout::diagonal) second[j] += wc * c[j];
            for (Index l = 0; l <= j && pass.layout == Layout::dense; ++l) second[l] += wc * c[l];
            if (pass.layout == Layout::dense) second += j + 1;
        }
    }
}

// A counted row that has no certain component makes every sum NaN.
void spoil_uncertain(Work& work) {
    const bool certain = work.sums[0] > -infinity;
    for (Index i = 2; i < work.size && !certain; ++i) work.sums[i] = not_a_number;
}

#include "../near/near.hpp"
#include "../near/pairs.hpp"
#include "../near/seeds.hpp"

// Log densities of all components in the block.
void evaluate_logs(const Pass& pass, Work& work, Index start, bool missing) {
    Block& b = work.block;
    if (missing)
        evaluate_missing(b, pass, work.missing, work.center);
    else if (b.home)
        dense_from_homes(b, pass, *work.homes, work.spent);
    else if (pass.layout == Layout::dense)
        dense(b, pass);
    else if (pass.layout == Layout::diagonal)
        distances<true>(b, pass, b.x, pass.means);
    else
        distances<false>(b, pass, whiten_rows(b, pass, work.identity), work.whitened);
    if (pass.freedom) apply_tails(pass, b, work.missing, missing);
    if (pass.beside) add_beside(pass, b, start);
    if (pass.background) add_background(pass, b, start);
}

void evaluate(const Pass& pass, Work& work, Index start) {
    Block& b = work.block;
    const bool missing = work.gaps && work.missing.any;
    const bool alone = !missing && !pass.freedom && !pass.beside && !pass.background;  // distances say it all
    V log_likelihood = splat(0.0);
    if (pass.hard && alone && pass.layout == Layout::diagonal) {
        log_likelihood = assign_nearest<true>(pass, b, b.x, pass.means);
    } else if (pass.hard && alone && pass.layout == Layout::shared) {
        log_likelihood = assign_nearest<false>(pass, b, whiten_rows(b, pass, work.identity), work.whitened);
    } else {
        evaluate_logs(pass, work, start, missing);
        if (pass.hard || pass.labels) log_likelihood = assign(pass, b);
        if (!pass.hard) log_likelihood = (b.cross ? normalize<true> : normalize<false>)(pass, b, work.entropies);
    }
    work.sums[0] += sum_lanes(log_likelihood);
    write_outputs(pass, b, start);
    if (!pass.sums) return;
    const auto add = missing ? add_missing : add_soft;
    if (!pass.hard) return add(pass, work, false);
    if (pass.k * pass.d > 256 && !missing && !pass.freedom) {
        add_labelled(pass, work, b.labels);
    } else {  // ones and zeros as responsibilities are quicker than one row at a time
        b.hard = !b.home;
        for (Index k = 0; k < pass.k && b.home; ++k)
            for (Index i = 0; i < b.padded; ++i) b.logs[k * b.stride + i] = b.labels[i] == k ? 1.0 : 0.0;
        add(pass, work, true);
        b.hard = false;
    }
    spoil_uncertain(work);
}

void add_given(const Pass& pass, Work& work, Index start) {
    Block& b = work.block;
    if (pass.given_labels) return add_labelled(pass, work, pass.given_labels + start);
    for (Index i = 0; i < b.padded; ++i) {
        const double* given = pass.responsibilities + (start + (i < b.rows ? i : b.rows - 1)) * pass.k;
        for (Index k = 0; k < pass.k; ++k) b.logs[k * b.stride + i] = given[k];
    }
    add_soft(pass, work, true);
}

// All rows, a block after the other.
void run_blocks(const Pass& pass, Work& work) {
    double *const x = work.block.x, *const w = work.block.w;
    for (Index start = 0; start < pass.n; start += work.block.stride) {
        load_block(pass, work, start);
        work.sums[1] += work.total;
        if (pass.factors)
            evaluate(pass, work, start);
        else
            add_given(pass, work, start);
    }
    work.block.x = x, work.block.w = w;
}

#include "../missing/marginal.hpp"

bool run(const Pass& pass) {
    if (pass.n == 0 || pass.k == 0) return true;
    Work work{};
    const bool near = is_near(pass);
    void* memory = make_room(pass, work, near ? near_stride : block_rows(pass));
    if (!memory) return false;
    center_means(pass, work);
    bool done = near && run_near(pass, work);
    if (near) work.block.stride = block_rows(pass);
    done = done || (has_homes(pass) && run_homes(pass, work));
    if (!done && pass.order) {
        if (!run_patterns(pass, work)) return std::free(memory), false;
    } else if (!done) {
        run_blocks(pass, work);
    }
    // From the common center to the means: sum r (x - mu_k) = sum r (x - c) - n_k (mu_k - c).
    for (Index i = 0; i < pass.k * pass.d && pass.layout == Layout::shared; ++i)
        work.first[i] -= work.mass[i / pass.d] * (pass.means[i] - work.center[i % pass.d]);
    for (Index i = 0; i < work.size && pass.sums; ++i) pass.sums[i] += work.sums[i];
    for (Index i = 0; i < 3 && pass.scores; ++i) pass.scores[i] += i == 0 ? work.sums[0] : work.entropies[i - 1];
    leave_room(pass, work, memory, !near);
    return true;
}

template <V (*function)(V)>
void each(const double* x, double* y, Index n) {
    for (Index i = 0; i + W <= n; i += W) {
        const V value = function(load_any(x + i));
        std::memcpy(y + i, &value, sizeof value);
    }
}

}  // namespace

const Variant variant = {MIXTURA_NAME, run, add_levels, count_levels, add_masses<double>, add_masses<float>,
                         lower_distances<double>, lower_distances<float>, each<exp>, each<log>};

}  // namespace MIXTURA_VARIANT
}  // namespace mixtura
