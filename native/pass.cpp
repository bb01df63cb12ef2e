// One pass over a chunk of rows, compiled once per instruction set; kernels/contract.py says what it does.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "kernel.hpp"

#ifndef MIXTURA_VARIANT
#error "define MIXTURA_VARIANT as baseline, avx2 or avx512"
#endif
#define MIXTURA_JOIN_(a, b) a##b
#define MIXTURA_JOIN(a, b) MIXTURA_JOIN_(a, b)
#define MIXTURA_TEXT_(a) #a
#define MIXTURA_TEXT(a) MIXTURA_TEXT_(a)

namespace mixtura {
namespace MIXTURA_JOIN(core_, MIXTURA_VARIANT) {
namespace {

#include "simd.hpp"

#include "densities.hpp"

#include "sums.hpp"

constexpr double infinity = std::numeric_limits<double>::infinity();

// What the sums of one call are gathered in, and the arrays of a block: one allocation.
struct Work {
    Block block;
    double* sums;      // as Pass::sums
    double* center;    // (d) subtracted from the rows in the shared layout, else null
    double* whitened;  // (k, d) L (mu_k - center)
    Index* order;      // (stride) row numbers sorted by label
    Index* begin;      // (k + 1) where each label begins in it
    void* memory;
};

constexpr Index round_up(Index n, Index step) { return (n + step - 1) / step * step; }

// Rows in a block: enough to spread the cost of adding up lanes, few enough for the caches (measured).
Index block_rows(const Pass& pass) {
    const Index fitting = 8192 / (2 * pass.d + pass.k + 4);
    const Index rows = fitting < 128 ? 128 : fitting > 512 ? 512 : fitting;
    return round_up(pass.n < rows ? pass.n : rows, group * W);
}

bool allocate(const Pass& pass, Work& work) {
    const Index stride = block_rows(pass), size = sums_size(pass.layout, pass.k, pass.d);
    const Index sizes[] = {pass.d * stride, stride, pass.k * stride, stride, stride, pass.d * stride,
                           tile_size * stride, stride, size, pass.d, pass.k * pass.d, stride, pass.k + 1};
    Index total = 8;
    for (Index s : sizes) total += round_up(s, 8);
    work.memory = std::malloc(static_cast<std::size_t>(total) * sizeof(double));
    if (!work.memory) return false;
    const auto address = reinterpret_cast<std::uintptr_t>(work.memory);
    double* next = static_cast<double*>(work.memory) + (64 - address % 64) % 64 / sizeof(double);
    double* parts[sizeof(sizes) / sizeof(sizes[0])];
    Index i = 0;
    for (Index s : sizes) {
        parts[i++] = next;
        next += round_up(s, 8);
    }
    work.block = Block{0, 0, stride, parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6],
                       reinterpret_cast<std::intptr_t*>(parts[7]), nullptr, 0, false};
    work.sums = parts[8];
    std::memset(work.sums, 0, static_cast<std::size_t>(size) * sizeof(double));
    work.center = pass.layout == Layout::shared ? parts[9] : nullptr;
    work.whitened = parts[10];
    work.order = reinterpret_cast<Index*>(parts[11]);
    work.begin = reinterpret_cast<Index*>(parts[12]);
    return true;
}

// c = mean of the means, and L (mu_k - c).
void center_means(const Pass& pass, Work& work) {
    const Index d = pass.d;
    for (Index j = 0; j < d; ++j) {
        double total = 0.0;
        for (Index k = 0; k < pass.k; ++k) total += pass.means[k * d + j];
        work.center[j] = total / static_cast<double>(pass.k);
    }
    if (!pass.factors) return;
    for (Index k = 0; k < pass.k; ++k)
        for (Index i = 0; i < d; ++i) {
            double z = 0.0;
            for (Index j = 0; j <= i; ++j) z += pass.factors[i * d + j] * (pass.means[k * d + j] - work.center[j]);
            work.whitened[k * d + i] = z;
        }
}

// Transpose rows `start + order[i]` (or start + i) into the block; padding repeats the last one.
template <typename Row>
void load_columns(const Row* rows, const Index* order, Index d, const double* center, Block b) {
    for (Index v = 0; v < b.padded; v += W) {
        const Row* row[W];
        for (int lane = 0; lane < W; ++lane) {
            const Index i = v + lane < b.rows ? v + lane : b.rows - 1;
            row[lane] = rows + (order ? order[i] : i) * d;
        }
        for (Index j = 0; j < d; ++j) {
            const V x = across(row, j);
            store(b.x + j * b.stride + v, center ? x - splat(center[j]) : x);
        }
    }
}

void load_weights(const double* weight, const Index* order, Block& b) {
    b.masked = b.padded != b.rows;
    for (Index i = 0; i < b.rows; ++i) {
        b.w[i] = weight ? weight[order ? order[i] : i] : 1.0;
        b.masked |= b.w[i] == 0.0;
    }
    for (Index i = b.rows; i < b.padded; ++i) b.w[i] = 0.0;
}

// The chosen rows of the chunk that begin at `start`, all of them where there is no order.
void load_block(const Pass& pass, Index start, Index rows, const Index* order, const double* center, Block& b) {
    b.rows = rows;
    b.padded = round_up(rows, group * W);
    load_weights(pass.weight ? pass.weight + start : nullptr, order, b);
    if (pass.rows64)
        load_columns(pass.rows64 + start * pass.d, order, pass.d, center, b);
    else
        load_columns(pass.rows32 + start * pass.d, order, pass.d, center, b);
}

// A product with a weight that is zero where the weight is, whatever the other factor is.
inline V times(V weight, V x) { return weight == splat(0.0) ? splat(0.0) : weight * x; }

// Ask for the rows W of the next block, so that memory delivers them while this one is computed.
inline void prefetch(const Block& b, Index v) {
    if (!b.next) return;
    const char* from = b.next + v * b.row_bytes;
    for (const char* p = from; p < from + W * b.row_bytes; p += 64) __builtin_prefetch(p, 0, 2);
}

// logs_k <- exp(logs_k - top);  top <- log sum_k exp(logs_k) = top + log sum_k exp(logs_k - top).
V normalize(const Pass& pass, Block b) {
    for (Index v = 0; v < b.padded; v += W) {
        const V top = load(b.top + v);
        V total = splat(0.0);
        prefetch(b, v);
        for (Index k = 0; k < pass.k; ++k) {
            const V e = exp(load(b.logs + k * b.stride + v) - top);
            store(b.logs + k * b.stride + v, e);
            total += e;
        }
        store(b.inverse + v, total);
    }
    V log_likelihood = splat(0.0);
    for (Index v = 0; v < b.padded; v += W) {
        const V top = load(b.top + v), total = load(b.inverse + v);
        const V log_density = top == splat(-infinity) ? top : top + log(total);
        store(b.top + v, log_density);
        store(b.inverse + v, splat(1.0) / total);
        log_likelihood += times(load(b.w + v), log_density);
    }
    return log_likelihood;
}

// labels <- argmax_k logs_k, the lowest number among equals;  top <- the largest; NaN where any is NaN.
V assign(const Pass& pass, Block b) {
    V log_likelihood = splat(0.0);
    for (Index v = 0; v < b.padded; v += W) {
        V best = load(b.logs + v), label = splat(0.0), nan = best - best;
        prefetch(b, v);
        for (Index k = 1; k < pass.k; ++k) {
            const V x = load(b.logs + k * b.stride + v);
            label = x > best ? splat(static_cast<double>(k)) : label;
            best = x > best ? x : best;
            nan = x == x ? nan : x;
        }
        best = nan == nan || best == splat(-infinity) ? best : nan;
        store(b.top + v, best);
        for (int lane = 0; lane < W; ++lane)
            b.labels[v + lane] = best[lane] == best[lane] ? static_cast<std::intptr_t>(label[lane]) : 0;
        log_likelihood += times(load(b.w + v), best);
    }
    return log_likelihood;
}

void write_outputs(const Pass& pass, Block b, Index start) {
    if (pass.log_density)
        std::memcpy(pass.log_density + start, b.top, static_cast<std::size_t>(b.rows) * sizeof(double));
    if (pass.labels)
        for (Index i = 0; i < b.rows; ++i) pass.labels[start + i] = b.top[i] == b.top[i] ? b.labels[i] : 0;
    if (!pass.memberships) return;
    for (Index i = 0; i < b.rows; ++i) {
        double* out = pass.memberships + (start + i) * pass.k;
        const bool certain = b.top[i] > -infinity;
        for (Index k = 0; k < pass.k; ++k) {
            const double one = b.labels[i] == k ? 1.0 : 0.0;
            const double hard = certain ? one : std::numeric_limits<double>::quiet_NaN();
            out[k] = pass.hard ? hard : b.logs[k * b.stride + i] * b.inverse[i];
        }
    }
}

double* counts(const Work& work) { return work.sums + 2; }
double* first_moments(const Pass& pass, const Work& work, Index k) { return work.sums + 2 + pass.k + k * pass.d; }
double* second_moments(const Pass& pass, const Work& work, Index k) {
    return work.sums + 2 + pass.k * (1 + pass.d) + k * moment_size(pass.layout, pass.d);
}

// Responsibilities of component k times the sample weights, in place; returns their sum.
double weigh(Block b, Index k, bool normalized) {
    double* r = b.logs + k * b.stride;
    V count[group] = {};
    for (Index v = 0; v < b.padded; v += group * W)
        for (int g = 0; g < group; ++g) {
            const Index at = v + g * W;
            const V w = load(b.w + at), e = normalized ? load(r + at) : load(r + at) * load(b.inverse + at);
            const V share = b.masked ? times(w, e) : w * e;
            store(r + at, share);
            count[g] += share;
        }
    return sum_lanes((count[0] + count[1]) + (count[2] + count[3]));
}

void add_component(const Pass& pass, const Work& work, Index k, const double* r) {
    const double* mean = pass.means + k * pass.d;
    double* first = first_moments(pass, work, k);
    double* second = second_moments(pass, work, k);
    if (pass.layout == Layout::dense)
        moments_dense(work.block, pass.d, r, mean, first, second);
    else
        moments_diagonal(work.block, pass.d, r, mean, first, second);
}

// Counts and moments from the responsibilities in the block.
void add_soft(const Pass& pass, Work& work, bool normalized) {
    Block& b = work.block;
    if (b.masked)
        for (Index i = 0; i < b.padded; ++i)
            if (b.w[i] == 0.0)
                for (Index j = 0; j < pass.d; ++j) b.x[j * b.stride + i] = 0.0;
    for (Index k = 0; k < pass.k; ++k) {
        const double count = weigh(b, k, normalized);
        counts(work)[k] += count;
        // Nothing to add; but given responsibilities may cancel, or multiply a NaN.
        if (count == 0.0 && !normalized) continue;
        if (pass.layout != Layout::shared) add_component(pass, work, k, b.logs + k * b.stride);
    }
    if (pass.layout == Layout::shared) moments_shared(b, pass, first_moments(pass, work, 0));
}

// Each row to the component of its label alone: row by row in the shared layout.
template <typename Row>
void scatter(const Pass& pass, Work& work, const Row* rows, const std::intptr_t* labels) {
    for (Index i = 0; i < work.block.rows; ++i) {
        const double w = work.block.w[i];
        if (w == 0.0 || labels[i] < 0 || labels[i] >= pass.k) continue;
        double* first = first_moments(pass, work, labels[i]);
        counts(work)[labels[i]] += w;
        for (Index j = 0; j < pass.d; ++j) first[j] += w * (static_cast<double>(rows[i * pass.d + j]) - work.center[j]);
    }
}

// The same in the other layouts: the rows of each label are gathered into a block of their own.
void gather(const Pass& pass, Work& work, Index start, const std::intptr_t* labels) {
    Block& b = work.block;
    const Index rows = b.rows;
    for (Index k = 0; k <= pass.k; ++k) work.begin[k] = 0;
    const auto counted = [&](Index i) { return b.w[i] != 0.0 && labels[i] >= 0 && labels[i] < pass.k; };
    for (Index i = 0; i < rows; ++i)
        if (counted(i)) ++work.begin[labels[i]];
    for (Index k = 0, total = 0; k <= pass.k; ++k) {
        total += work.begin[k];
        work.begin[k] = total;  // the end, which filling from behind turns into the beginning
    }
    for (Index i = rows; i-- > 0;)
        if (counted(i)) work.order[--work.begin[labels[i]]] = i;
    for (Index k = 0; k < pass.k; ++k) {
        const Index chosen = work.begin[k + 1] - work.begin[k];
        if (chosen == 0) continue;
        load_block(pass, start, chosen, work.order + work.begin[k], nullptr, b);
        for (Index i = 0; i < chosen; ++i) counts(work)[k] += b.w[i];
        add_component(pass, work, k, b.w);
    }
}

void add_labelled(const Pass& pass, Work& work, Index start, const std::intptr_t* labels) {
    if (pass.layout != Layout::shared)
        gather(pass, work, start, labels);
    else if (pass.rows64)
        scatter(pass, work, pass.rows64 + start * pass.d, labels);
    else
        scatter(pass, work, pass.rows32 + start * pass.d, labels);
}

// A counted row that has no certain component makes every sum NaN.
void spoil_if_uncertain(const Pass& pass, Work& work) {
    const Block& b = work.block;
    bool uncertain = false;
    for (Index i = 0; i < b.rows; ++i) uncertain |= b.w[i] != 0.0 && !(b.top[i] > -infinity);
    if (!uncertain) return;
    const Index size = sums_size(pass.layout, pass.k, pass.d);
    for (Index i = 2; i < size; ++i) work.sums[i] = std::numeric_limits<double>::quiet_NaN();
}

void evaluate(const Pass& pass, Work& work, Index start) {
    Block& b = work.block;
    if (pass.layout == Layout::dense)
        dense(b, pass);
    else if (pass.layout == Layout::diagonal)
        distances_of<true>(b, pass, b.x, pass.means);
    else
        shared(b, pass, work.whitened);
    V log_likelihood = splat(0.0);
    if (pass.hard || pass.labels) log_likelihood = assign(pass, b);
    if (!pass.hard) log_likelihood = normalize(pass, b);
    work.sums[0] += sum_lanes(log_likelihood);
    write_outputs(pass, b, start);
    if (!pass.sums) return;
    if (!pass.hard) return add_soft(pass, work, false);
    spoil_if_uncertain(pass, work);
    add_labelled(pass, work, start, b.labels);
}

void add_given(const Pass& pass, Work& work, Index start) {
    Block& b = work.block;
    if (pass.given_labels) return add_labelled(pass, work, start, pass.given_labels + start);
    for (Index i = 0; i < b.padded; ++i) {
        const double* given = pass.responsibilities + (start + (i < b.rows ? i : b.rows - 1)) * pass.k;
        for (Index k = 0; k < pass.k; ++k) b.logs[k * b.stride + i] = given[k];
    }
    add_soft(pass, work, true);
}

// sums += the sums of this call, first moments brought from the common center to the means:
// sum r (x - mu_k) = sum r (x - c) - n_k (mu_k - c).
void finish(const Pass& pass, Work& work) {
    if (!pass.sums) return;
    if (work.center)
        for (Index k = 0; k < pass.k; ++k)
            for (Index j = 0; j < pass.d; ++j)
                first_moments(pass, work, k)[j] -= counts(work)[k] * (pass.means[k * pass.d + j] - work.center[j]);
    const Index size = sums_size(pass.layout, pass.k, pass.d);
    for (Index i = 0; i < size; ++i) pass.sums[i] += work.sums[i];
}

const char* next_rows(const Pass& pass, Index start) {
    return pass.rows64 ? reinterpret_cast<const char*>(pass.rows64 + start * pass.d)
                       : reinterpret_cast<const char*>(pass.rows32 + start * pass.d);
}

bool run(const Pass& pass) {
    if (pass.n == 0 || pass.k == 0) return true;
    Work work;
    if (!allocate(pass, work)) return false;
    if (work.center) center_means(pass, work);
    work.block.row_bytes = pass.d * static_cast<Index>(pass.rows64 ? sizeof(double) : sizeof(float));
    for (Index start = 0; start < pass.n; start += work.block.stride) {
        const Index left = pass.n - start;
        const Index rows = left < work.block.stride ? left : work.block.stride;
        load_block(pass, start, rows, nullptr, work.center, work.block);
        work.block.next = left >= 2 * work.block.stride ? next_rows(pass, start + rows) : nullptr;
        for (Index i = 0; i < rows; ++i) work.sums[1] += work.block.w[i];
        if (pass.factors)
            evaluate(pass, work, start);
        else
            add_given(pass, work, start);
    }
    finish(pass, work);
    std::free(work.memory);
    return true;
}

template <V (*function)(V)>
void each(const double* x, double* y, Index n) {
    for (Index i = 0; i + W <= n; i += W) {
        V value;
        std::memcpy(&value, x + i, sizeof value);
        value = function(value);
        std::memcpy(y + i, &value, sizeof value);
    }
}

// Ten independent chains of a <- a x + y, enough to keep every multiply-add unit busy.
double multiply_add(Index rounds) {
    constexpr int chains = 10;
    volatile double source = 0.5;
    const V x = splat(source), y = splat(source);
    V a[chains];
    for (int i = 0; i < chains; ++i) a[i] = splat(source + i);
    for (Index round = 0; round < rounds; ++round)
#pragma GCC unroll 16
        for (int i = 0; i < chains; ++i) a[i] = a[i] * x + y;
    V total = splat(0.0);
    for (int i = 0; i < chains; ++i) total += a[i];
    source = sum_lanes(total);
    return 2.0 * chains * W * static_cast<double>(rounds);
}

}  // namespace
}  // namespace MIXTURA_JOIN(core_, MIXTURA_VARIANT)

const Variant MIXTURA_JOIN(variant_, MIXTURA_VARIANT) = {
    MIXTURA_TEXT(MIXTURA_VARIANT), MIXTURA_JOIN(core_, MIXTURA_VARIANT)::run,
    MIXTURA_JOIN(core_, MIXTURA_VARIANT)::each<MIXTURA_JOIN(core_, MIXTURA_VARIANT)::exp>,
    MIXTURA_JOIN(core_, MIXTURA_VARIANT)::each<MIXTURA_JOIN(core_, MIXTURA_VARIANT)::log>,
    MIXTURA_JOIN(core_, MIXTURA_VARIANT)::multiply_add};

}  // namespace mixtura
