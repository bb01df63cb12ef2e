// Model-based agglomeration, compiled once per instruction set; kernels/trees is the twin, and says what the criteria are.
// Without contraction to fused operations: of equal costs the last is taken, so that costs have to be equal where the
// twin's are.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
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

// log(x) = e log 2 + log(m),  x = 2^e m,  sqrt(1/2) <= m < sqrt(2),  for x that is positive and not subnormal, written so
// that compilers take several at a time; log(m) as in pass/simd.hpp. Not a call of the library, which takes them one by one.
inline double logarithm(double x) {
    constexpr std::uint64_t bias = 1023ull << 52, root = 0x3fe6a09e667f3bcd, two_52_bits = 0x4330000000000000;
    std::uint64_t bits;
    std::memcpy(&bits, &x, sizeof x);
    const std::uint64_t exponent = (bits + bias - root) >> 52, mantissa = bits + bias - (exponent << 52), low = exponent | two_52_bits;
    double m, e;
    std::memcpy(&m, &mantissa, sizeof m);
    std::memcpy(&e, &low, sizeof e);
    e -= 4503599627370496.0 + 1023.0;
    const double f = m - 1.0, s = f / (f + 2.0), z = s * s, half_square = 0.5 * f * f;
    double p = 1.479819860511658591e-01;
    p = p * z + 1.531383769920937332e-01;
    p = p * z + 1.818357216161805012e-01;
    p = p * z + 2.222219843214978396e-01;
    p = p * z + 2.857142874366239149e-01;
    p = p * z + 3.999999999940941908e-01;
    p = p * z + 6.666666666666735130e-01;
    const double rest = s * (half_square + p * z) + e * 1.90821492927058770002e-10;
    const double y = e * 6.93147180369123816490e-01 - ((half_square - rest) - f);
    return x < infinity ? y : x;
}

// The smallest of n numbers, infinity of none; several at a time, as compilers keep their order otherwise.
inline double smallest(const double* x, Index n) {
    constexpr Index width = 16;
    double lanes[width];
    std::fill(lanes, lanes + width, infinity);
    const Index whole = n - n % width;
    for (Index i = 0; i < whole; i += width)
        for (Index lane = 0; lane < width; ++lane) lanes[lane] = x[i + lane] < lanes[lane] ? x[i + lane] : lanes[lane];
    for (Index i = whole; i < n; ++i) lanes[0] = x[i] < lanes[0] ? x[i] : lanes[0];
    for (Index lane = 1; lane < width; ++lane) lanes[0] = lanes[lane] < lanes[0] ? lanes[lane] : lanes[0];
    return lanes[0];
}

// x <- x to a power of at least 1, by halves.
inline void raise(double* x, Index n, Index exponent, double* base) {
    std::copy(x, x + n, base);
    Index bit = 1;
    while (2 * bit <= exponent) bit *= 2;
    for (bit /= 2; bit > 0; bit /= 2)
        for (Index j = 0; j < n; ++j) x[j] = exponent & bit ? x[j] * x[j] * base[j] : x[j] * x[j];
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
    double *counts, *traces, *terms, *roots, *centers, *scatters, *between, *volumes, *matrix;

    bool spread() const { return scatters != nullptr; }

    // The term of a cluster whose scatter has rank one at most.
    double term(double count, double trace) const {
        if (criterion == Criterion::eii) return trace;
        const double determinant = criterion == Criterion::vvv && d == 1 && count > 1.0 ? trace : 0.0;
        return count * logarithm((determinant + trace + floor) / count);
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
        if (!spread()) {
            for (Index j = 0; j < n; ++j) out[j] = term(counts[j] + own, between[j]) - (terms[j] + terms[place]);
            return;
        }
        for (Index j = 0; j < n; ++j) volumes[j] = (roots[j] + roots[place]) / (counts[j] + own);
        raise(volumes, n, d, out);
        const double least = floor, of_one = terms[place], few = static_cast<double>(d);
        for (Index j = 0; j < n; ++j) {
            const double count = counts[j] + own, both = volumes[j], volume = count <= few ? 0.0 : both;
            out[j] = logarithm(volume + (between[j] + least) / count) * count - (terms[j] + of_one);
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
        const double term = count * logarithm(volume + (trace + floor) / count);
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
        const double least_of_all = smallest(x, n);
        Index place = n - 1;
        while (place > 0 && x[place] != least_of_all) --place;
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
        for (Index after = place + 1; after < m; ++after) row(after)[place] = given[after];
        for (Index after = place + 1; after < m; ++after) least[after] = given[after] < least[after] ? given[after] : least[after];
        least[place] = bound;
    }
};

}  // namespace

static bool agglomerate(const Agglomeration& a) {
    const Index m = a.m, d = a.d;
    const bool spread = a.criterion == Criterion::vvv && d > 1;
    Memory memory(m * (m - 1) / 2 + (8 + d) * m + (spread ? m * d * d : 0) + 2 * d * d);
    if (!memory.all) return false;
    Board board{m, memory.take(m * (m - 1) / 2), memory.take(m)};
    const Clusters clusters{a.criterion,    m, d, a.floor, memory.take(m), memory.take(m), memory.take(m), memory.take(m),
                            memory.take(d * m), spread ? memory.take(m * d * d) : nullptr, memory.take(m),
                            memory.take(m), memory.take(d * d)};
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
        board.least[c] = smallest(board.row(c), c);
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
        board.put(kept, costs, smallest(costs, kept));
    }
    return true;
}

const Trees trees = {agglomerate};

}  // namespace MIXTURA_VARIANT
}  // namespace mixtura
