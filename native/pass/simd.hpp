// Vectors of doubles and the two functions of them that a mixture needs. Included by pass.cpp alone, inside an
// anonymous namespace, so that no function compiled for one machine can be linked in for another.
#pragma once

template <int n>
struct Size { static constexpr int value = n; };

// Call f(Size<n>) with n in 1..most known to the compiler.
template <int most, typename Function>
inline void with_size(Index n, Function f) {
    if (n == most) return f(Size<most>{});
    if constexpr (most > 1) with_size<most - 1>(n, f);
}

// Call f(begin, length) for equal parts of `size`, none longer than `most`.
template <typename Function>
inline void for_tiles(Index size, Index most, Function f) {
    const Index n = (size + most - 1) / most;
    for (Index t = 0; t < n; ++t) f(t * size / n, (t + 1) * size / n - t * size / n);
}

#define MIXTURA_TILE __attribute__((noinline))  // registers are for the tile, not for what calls it

#define MIXTURA_INLINE __attribute__((always_inline)) inline

// W: doubles in a vector.
#if defined(__AVX512F__)
constexpr int W = 8, registers = 32;
#elif defined(__AVX2__)
constexpr int W = 4, registers = 16;
#elif defined(__aarch64__)
constexpr int W = 2, registers = 32;
#else
constexpr int W = 2, registers = 16;
#endif

typedef double V __attribute__((vector_size(W * 8)));
typedef std::uint64_t I __attribute__((vector_size(W * 8)));
typedef V Stored __attribute__((may_alias));  // a vector among doubles in memory

inline V splat(double x) { return x - V{}; }
inline V load(const double* p) { return *reinterpret_cast<const Stored*>(p); }
inline void store(double* p, V x) { *reinterpret_cast<Stored*>(p) = x; }
inline I bits(V x) { return reinterpret_cast<I>(x); }
inline V from_bits(I x) { return reinterpret_cast<V>(x); }

constexpr double log_2_high = 6.93147180369123816490e-01;  // log 2 in two parts, the first with 21 trailing zeros
constexpr double log_2_low = 1.90821492927058770002e-10;
constexpr double two_52 = 4503599627370496.0;  // added to a small whole number, that number is in the low bits

// exp(x) = 2^n (1 + r + r^2 q(r)),  n = round(x / log 2),  r = x - n log 2,  |r| <= log(2)/2.
// q has degree 8 and is minimax for the relative error of exp (Remez; 2.9e-16 before rounding).
// For x <= 708. Below -708 the result is 0; NaN stays NaN.
inline V exp(V x) {
    constexpr double q_coefficients[] = {2.7476784130917934651e-7, 2.7635006226749143869e-6, 2.4801931846090836078e-5,
                                         1.9841185202598495451e-4, 1.3888888516013200019e-3, 8.3333333708924539631e-3,
                                         4.1666666668137620921e-2, 1.6666666666611511266e-1, 4.9999999999998322665e-1,
                                         1.0, 1.0};
    const V shifted = x * 1.4426950408889634074 + 1.5 * two_52;  // rounded: n in the low bits
    const V n = shifted - 1.5 * two_52;
    const V r = x - n * log_2_high - n * log_2_low;
    V q = splat(q_coefficients[0]);
#pragma GCC unroll 16
    for (int i = 1; i < 11; ++i) q = q * r + q_coefficients[i];
    const V power = from_bits((bits(shifted) + 1023) << 52);
    return x < splat(-708.0) ? splat(0.0) : q * power;
}

// log(x) = e log 2 + log(m),  x = 2^e m,  sqrt(1/2) <= m < sqrt(2),  for finite x >= 1; NaN stays NaN.
// log(m) by the odd series of s = f / (2 + f), f = m - 1, with the coefficients of fdlibm's e_log.c.
inline V log(V x) {
    constexpr double p_coefficients[] = {1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01,
                                         2.222219843214978396e-01, 2.857142874366239149e-01, 3.999999999940941908e-01,
                                         6.666666666666735130e-01};
    const I exponent = (bits(x) - 0x3fe6a09e667f3bcd) >> 52;  // the bits of sqrt(1/2)
    const V f = from_bits(bits(x) - (exponent << 52)) - 1.0;
    const V e = from_bits(exponent | bits(splat(two_52))) - two_52;
    const V s = f / (f + 2.0), z = s * s, half_square = 0.5 * f * f;
    V p = splat(p_coefficients[0]);
#pragma GCC unroll 8
    for (int i = 1; i < 7; ++i) p = p * z + p_coefficients[i];
    const V low = s * (half_square + p * z) + e * log_2_low;
    const V y = e * log_2_high - ((half_square - low) - f);
    return x == x ? y : x;
}

// Element j of W rows.
template <typename Row>
inline V across(const Row* const (&r)[W], Index j) {
    const auto at = [&](int lane) { return static_cast<double>(r[lane][j]); };
#if defined(__AVX512F__)
    return V{at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)};
#elif defined(__AVX2__)
    return V{at(0), at(1), at(2), at(3)};
#else
    return V{at(0), at(1)};
#endif
}

// The lanes in which not a < b, as bits: also those with a NaN.
inline unsigned not_less(V a, V b) {
#if defined(__AVX512F__)
    return _mm512_cmp_pd_mask(reinterpret_cast<__m512d>(a), reinterpret_cast<__m512d>(b), _CMP_NLT_UQ);
#elif defined(__AVX2__)
    return static_cast<unsigned>(_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_NLT_UQ)));
#else
    unsigned lanes = 0;
    for (int lane = 0; lane < W; ++lane) lanes |= a[lane] < b[lane] ? 0u : 1u << lane;
    return lanes;
#endif
}

inline V square_root(V x) {
#if defined(__AVX512F__)
    return reinterpret_cast<V>(_mm512_maskz_sqrt_pd(255, reinterpret_cast<__m512d>(x)));
#else
    for (int lane = 0; lane < W; ++lane) x[lane] = __builtin_sqrt(x[lane]);
    return x;
#endif
}

inline double sum_lanes(V x) {
    double total = 0.0;
    for (int lane = 0; lane < W; ++lane) total += x[lane];
    return total;
}

#if defined(__clang__) || __GNUC__ >= 12
#define MIXTURA_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define MIXTURA_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, I{__VA_ARGS__})
#endif

// The sums over lanes of W vectors as one vector: log2(W) rounds of shuffle and add.
inline V sum_each(const V* x) {
#if defined(__AVX512F__)
    V a[4], b[2];
    for (int i = 0; i < 4; ++i)
        a[i] = MIXTURA_SHUFFLE(x[2 * i], x[2 * i + 1], 0, 8, 2, 10, 4, 12, 6, 14) +
               MIXTURA_SHUFFLE(x[2 * i], x[2 * i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    for (int i = 0; i < 2; ++i)
        b[i] = MIXTURA_SHUFFLE(a[2 * i], a[2 * i + 1], 0, 1, 8, 9, 4, 5, 12, 13) +
               MIXTURA_SHUFFLE(a[2 * i], a[2 * i + 1], 2, 3, 10, 11, 6, 7, 14, 15);
    return MIXTURA_SHUFFLE(b[0], b[1], 0, 1, 2, 3, 8, 9, 10, 11) +
           MIXTURA_SHUFFLE(b[0], b[1], 4, 5, 6, 7, 12, 13, 14, 15);
#elif defined(__AVX2__)
    const V a = MIXTURA_SHUFFLE(x[0], x[1], 0, 4, 2, 6) + MIXTURA_SHUFFLE(x[0], x[1], 1, 5, 3, 7);
    const V b = MIXTURA_SHUFFLE(x[2], x[3], 0, 4, 2, 6) + MIXTURA_SHUFFLE(x[2], x[3], 1, 5, 3, 7);
    return MIXTURA_SHUFFLE(a, b, 0, 1, 4, 5) + MIXTURA_SHUFFLE(a, b, 2, 3, 6, 7);
#else
    return MIXTURA_SHUFFLE(x[0], x[1], 0, 2) + MIXTURA_SHUFFLE(x[0], x[1], 1, 3);
#endif
}

// n sums that are gathered lane by lane and added up over lanes at the end.
template <int n>
struct Sums {
    V v[(n + W - 1) / W * W];

    Sums() {
#pragma GCC unroll 40
        for (V& x : v) x = splat(0.0);
    }
    // Into memory that is aligned and has room for n rounded up to W.
    void total(double* out) const {
#pragma GCC unroll 8
        for (int i = 0; i < n; i += W) store(out + i, sum_each(v + i));
    }
};
