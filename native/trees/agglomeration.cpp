// Model-based agglomeration, compiled once per instruction set; kernels/trees is the twin, and says what the criteria are.
// Without contraction to fused operations: of equal costs the last is taken, so that costs have to be equal where the
// twin's are.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include "agglomeration.hpp"

namespace mixtura {
namespace MIXTURA_VARIANT {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Memory for everything, taken piece by piece.
struct Memory {
    explicit Memory(Index n) : all(static_cast<double*>(std::malloc(static_cast<std::size_t>(n) * sizeof(double)))), next(all) {}
    ~Memory() { std::free(all); }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    double* take(Index n) { return std::exchange(next, next + n); }
    double *all, *next;
};

inline double power(double base, Index exponent) {
    if (exponent == 1) return base;
    double half = power(base, exponent / 2);
    half *= half;
    return exponent % 2 ? half * base : half;
}

// The determinant of a matrix (d, d), which is lost, by elimination.
double determinant(Index d, double* a) {
    double product = 1.0;
    for (Index j = 0; j < d; ++j) {
        Index largest = j;
        for (Index i = j + 1; i < d; ++i) largest = std::fabs(a[i * d + j]) > std::fabs(a[largest * d + j]) ? i : largest;
        if (largest != j) {
            std::swap_ranges(a + j * d, a + (j + 1) * d, a + largest * d);
            product = -product;
        }
        product *= a[j * (d + 1)];
        if (product == 0.0) return 0.0;
        for (Index i = j + 1; i < d; ++i) {
            const double share = a[i * d + j] / a[j * (d + 1)];
            for (Index l = j + 1; l < d; ++l) a[i * d + l] -= share * a[j * d + l];
        }
    }
    return product;
}

// Clusters in places 0 to m - 1: row c of `state` has the counts, traces, terms or roots of all, row j of `centers` a
// coordinate of all. Scatters are kept for VVV of several columns alone.
struct Clusters {
    Criterion criterion;
    Index m, d;
    double floor;
    double *counts, *traces, *terms, *roots, *centers, *scatters, *between, *matrix;

    bool spread() const { return scatters != nullptr; }

    // The term of a cluster whose scatter has rank one at most.
    double term(double count, double trace) const {
        if (criterion == Criterion::eii) return trace;
        const double determinant = criterion == Criterion::vvv && d == 1 && count > 1.0 ? trace : 0.0;
        return count * std::log((determinant + trace + floor) / count);
    }

    // between <- squared distances of the centers in places 0 to n - 1 from one.
    void measure(Index place, Index n) const {
        std::fill(between, between + n, 0.0);
        for (Index i = 0; i < d; ++i) {
            const double *row = centers + i * m, own = row[place];
            for (Index j = 0; j < n; ++j) {
                const double apart = row[j] - own;
                between[j] += apart * apart;
            }
        }
    }

    // out <- what joining the first cluster in a place with each of those before it costs at least.
    void first_costs(Index place, double* out) const {
        measure(place, place);
        const double own = counts[place];
        for (Index j = 0; j < place; ++j) {
            const double both = own + counts[j];
            const double trace = between[j] * (own * counts[j] / both);
            out[j] = term(both, trace) - (terms[place] + terms[j]);
        }
    }

    // out <- what joining the cluster in a place with each of those in places 0 to n - 1 costs at least.
    void costs(Index place, Index n, double* out) const {
        measure(place, n);
        const double own = counts[place];
        for (Index j = 0; j < n; ++j) {
            const double count = counts[j] + own;
            between[j] = traces[j] + traces[place] + between[j] * (counts[j] * own / count);
        }
        for (Index j = 0; j < n; ++j) {
            const double count = counts[j] + own;
            double joined;
            if (spread()) {
                const double volume = count <= static_cast<double>(d) ? 0.0 : power((roots[j] + roots[place]) / count, d);
                joined = std::log(volume + (between[j] + floor) / count) * count;
            } else {
                joined = term(count, between[j]);
            }
            out[j] = joined - (terms[j] + terms[place]);
        }
    }

    // Two clusters as one: count, trace, term and root, and the share by which the first one's center moves.
    struct Union { double count, trace, term, root, share; };

    Union join(Index one, Index other, double* scatter) const {
        const double n = counts[one], also = counts[other], count = n + also, share = n * also / count;
        double square = 0.0;
        for (Index i = 0; i < d; ++i) {
            const double apart = centers[i * m + other] - centers[i * m + one];
            square += apart * apart;
        }
        const double trace = traces[one] + (traces[other] + share * square);
        if (!spread()) return {count, trace, term(count, trace), 0.0, also / count};
        const double *first = scatters + one * d * d, *second = scatters + other * d * d;
        for (Index i = 0; i < d; ++i)
            for (Index j = 0; j < d; ++j) {
                const double apart = centers[i * m + other] - centers[i * m + one];
                const double across = apart * (centers[j * m + other] - centers[j * m + one]);
                scatter[i * d + j] = first[i * d + j] + (second[i * d + j] + share * across);
            }
        double volume = 0.0;
        if (count > static_cast<double>(d)) {
            for (Index i = 0; i < d * d; ++i) matrix[i] = scatter[i] / count;
            volume = std::fmax(determinant(d, matrix), 0.0);
        }
        const double term = count * std::log(volume + (trace + floor) / count);
        return {count, trace, term, count * std::pow(volume, 1.0 / static_cast<double>(d)), also / count};
    }

    // Put the union of two clusters in the place of the first; the last cluster moves to the other's.
    void put(Index kept, Index left, Index last, const Union& found, const double* scatter) const {
        for (Index i = 0; i < d; ++i) {
            double* row = centers + i * m;
            row[kept] += (row[left] - row[kept]) * found.share;
            row[left] = row[last];
        }
        counts[kept] = found.count, traces[kept] = found.trace, terms[kept] = found.term, roots[kept] = found.root;
        for (double* one : {counts, traces, terms, roots}) one[left] = one[last];
        if (!spread()) return;
        std::copy(scatter, scatter + d * d, scatters + kept * d * d);
        if (left != last) std::copy(scatters + last * d * d, scatters + (last + 1) * d * d, scatters + left * d * d);
    }
};

// The costs of all pairs, each in the row of its later place, and what those of each row are at least.
struct Board {
    Index m;
    double *costs, *least;  // (m (m - 1) / 2) row by row, (m)

    double* row(Index place) const { return costs + place * (place - 1) / 2; }

    // The last place of the smallest of n numbers.
    static Index last_smallest(const double* x, Index n) {
        double smallest = infinity;
        for (Index i = 0; i < n; ++i) smallest = x[i] < smallest ? x[i] : smallest;
        Index place = n - 1;
        while (place > 0 && x[place] != smallest) --place;
        return place;
    }

    // The cheapest pair, the smaller place first; of equals the one that ends last.
    std::pair<Index, Index> cheapest() const {
        for (;;) {
            const Index second = std::max(last_smallest(least, m), Index{1}), first = last_smallest(row(second), second);
            const double cost = row(second)[first];
            if (!(cost > least[second])) return {first, second};
            least[second] = cost;
        }
    }

    // Give a pair its cost where it is above the bound it had, and say so.
    bool correct(const std::pair<Index, Index>& pair, double cost) const {
        double& bound = row(pair.second)[pair.first];
        const bool above = cost > bound;
        if (above) bound = cost;
        return above;
    }

    // Give the pairs of a place their costs, and its row a bound.
    void put(Index place, const double* given, double bound) const {
        std::copy(given, given + place, row(place));
        for (Index after = place + 1; after < m; ++after) {
            row(after)[place] = given[after];
            least[after] = std::fmin(least[after], given[after]);
        }
        least[place] = bound;
    }
};

}  // namespace

static bool agglomerate(const Agglomeration& a) {
    const Index m = a.m, d = a.d;
    const bool spread = a.criterion == Criterion::vvv && d > 1;
    Memory memory(m * (m - 1) / 2 + (7 + d) * m + (spread ? m * d * d : 0) + 2 * d * d);
    if (!memory.all) return false;
    Board board{m, memory.take(m * (m - 1) / 2), memory.take(m)};
    const Clusters clusters{a.criterion,    m, d, a.floor, memory.take(m), memory.take(m), memory.take(m), memory.take(m),
                            memory.take(d * m), spread ? memory.take(m * d * d) : nullptr, memory.take(m),
                            memory.take(d * d)};
    double *costs = memory.take(m), *scatter = memory.take(d * d);
    for (Index c = 0; c < m; ++c) {
        clusters.counts[c] = a.counts[c];
        clusters.traces[c] = clusters.roots[c] = 0.0;
        clusters.terms[c] = clusters.term(a.counts[c], 0.0);
        for (Index i = 0; i < d; ++i) clusters.centers[i * m + c] = a.rows[c * d + i];
        a.heads[c] = c;
    }
    if (spread) std::fill(clusters.scatters, clusters.scatters + m * d * d, 0.0);
    for (Index c = 0; c < m; ++c) {
        clusters.first_costs(c, board.row(c));
        board.least[c] = c ? *std::min_element(board.row(c), board.row(c) + c) : infinity;
    }
    for (Index last = m - 1, step = 0; last > 0; --last, ++step) {
        std::pair<Index, Index> pair;
        Clusters::Union found;
        do {
            pair = board.cheapest();
            found = clusters.join(pair.first, pair.second, scatter);
        } while (spread && board.correct(pair, found.term - (clusters.terms[pair.first] + clusters.terms[pair.second])));
        const auto [kept, left] = pair;
        a.pairs[2 * step] = std::min(a.heads[kept], a.heads[left]);
        a.pairs[2 * step + 1] = std::max(a.heads[kept], a.heads[left]);
        a.heads[kept] = a.pairs[2 * step];
        a.heads[left] = a.heads[last];
        clusters.put(kept, left, last, found, scatter);
        board.m = last;
        if (left < last) {
            std::copy(board.row(last), board.row(last) + last, costs);
            board.put(left, costs, board.least[last]);
        }
        clusters.costs(kept, last, costs);
        board.put(kept, costs, kept ? *std::min_element(costs, costs + kept) : infinity);
    }
    return true;
}

const Trees trees = {agglomerate};

}  // namespace MIXTURA_VARIANT
}  // namespace mixtura
