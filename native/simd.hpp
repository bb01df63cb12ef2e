// Vectors of doubles and the two functions of them that a mixture needs.
//
// Included by pass.cpp alone, once per instruction set, inside that variant's namespace, so that no
// function compiled for one machine can be linked in for another.
#pragma once

#if defined(__AVX512F__)
constexpr int W = 8;  // doubles in a vector
constexpr int registers = 32;
#define MIXTURA_LANES(f) {f(0), f(1), f(2), f(3), f(4), f(5), f(6), f(7)}
#elif defined(__AVX2__)
constexpr int W = 4;
constexpr int registers = 16;
#define MIXTURA_LANES(f) {f(0), f(1), f(2), f(3)}
#else
constexpr int W = 2;
#if defined(__aarch64__)
constexpr int registers = 32;
#else
constexpr int registers = 16;
#endif
#define MIXTURA_LANES(f) {f(0), f(1)}
#endif

typedef double V __attribute__((vector_size(W * 8)));
typedef std::uint64_t I __attribute__((vector_size(W * 8)));
typedef V Stored __attribute__((may_alias));  // a vector among doubles in memory

#define MIXTURA_SAME(lane) x
inline V splat(double x) { return V MIXTURA_LANES(MIXTURA_SAME); }
inline I splat_bits(std::uint64_t x) { return I MIXTURA_LANES(MIXTURA_SAME); }
#undef MIXTURA_SAME

// Element j of W rows.
template <typename Row>
inline V across(const Row* const (&row)[W], Index j) {
#define MIXTURA_ELEMENT(lane) static_cast<double>(row[lane][j])
    return V MIXTURA_LANES(MIXTURA_ELEMENT);
#undef MIXTURA_ELEMENT
}

inline V load(const double* p) { return *reinterpret_cast<const Stored*>(p); }
inline void store(double* p, V x) { *reinterpret_cast<Stored*>(p) = x; }
inline void store_anywhere(double* p, V x) { __builtin_memcpy(p, &x, sizeof x); }
inline I bits(V x) { return reinterpret_cast<I>(x); }
inline V from_bits(I x) { return reinterpret_cast<V>(x); }

// exp(x) = 2^n (1 + r + r^2 q(r)),  n = round(x / log 2),  r = x - n log 2,  |r| <= log(2)/2.
//
// q has degree 8 and is minimax for the relative error of exp (Remez; 2.9e-16 before rounding).
// For x <= 708. Below -708 the result is 0; NaN stays NaN.
inline V exp(V x) {
    const V shift = splat(6755399441055744.0);  // 1.5 * 2^52: adding it rounds to an integer in the low bits
    const V shifted = x * splat(1.4426950408889634074) + shift;
    const V n = shifted - shift;
    V r = x - n * splat(6.93147180369123816490e-01);  // log 2 in two parts, the first with 21 trailing zeros
    r = r - n * splat(1.90821492927058770002e-10);
    V q = splat(2.7476784130917934651e-7);
    q = q * r + splat(2.7635006226749143869e-6);
    q = q * r + splat(2.4801931846090836078e-5);
    q = q * r + splat(1.9841185202598495451e-4);
    q = q * r + splat(1.3888888516013200019e-3);
    q = q * r + splat(8.3333333708924539631e-3);
    q = q * r + splat(4.1666666668137620921e-2);
    q = q * r + splat(1.6666666666611511266e-1);
    q = q * r + splat(4.9999999999998322665e-1);
    q = q * r + splat(1.0);
    q = q * r + splat(1.0);
    const V scale = from_bits((bits(shifted) + splat_bits(1023)) << 52);
    return x < splat(-708.0) ? splat(0.0) : q * scale;
}

// log(x) = e log 2 + log(m),  x = 2^e m,  sqrt(1/2) <= m < sqrt(2),  for finite x >= 1; NaN stays NaN.
//
// log(m) by the odd series of s = f / (2 + f), f = m - 1, with the coefficients of fdlibm's e_log.c.
inline V log(V x) {
    const I root_half = splat_bits(0x3fe6a09e667f3bcd);
    const I exponent = (bits(x) - root_half) >> 52;
    const V f = from_bits(bits(x) - (exponent << 52)) - splat(1.0);
    const I two_52 = splat_bits(0x4330000000000000);
    const V e = from_bits(exponent | two_52) - from_bits(two_52);
    const V s = f / (splat(2.0) + f);
    const V z = s * s;
    V p = splat(1.479819860511658591e-01);
    p = p * z + splat(1.531383769920937332e-01);
    p = p * z + splat(1.818357216161805012e-01);
    p = p * z + splat(2.222219843214978396e-01);
    p = p * z + splat(2.857142874366239149e-01);
    p = p * z + splat(3.999999999940941908e-01);
    p = p * z + splat(6.666666666666735130e-01);
    const V half_square = splat(0.5) * f * f;
    const V low = s * (half_square + p * z) + e * splat(1.90821492927058770002e-10);
    const V y = e * splat(6.93147180369123816490e-01) - ((half_square - low) - f);
    return x == x ? y : x;
}

inline double sum_lanes(V x) {
    double total = 0.0;
    for (int lane = 0; lane < W; ++lane) total += x[lane];
    return total;
}

// The sums over lanes of W vectors as one vector: log2(W) rounds of shuffle and add.
inline V sum_each(const V* x) {
#if defined(__AVX512F__)
    V a[4], b[2];
    for (int i = 0; i < 4; ++i)
        a[i] = __builtin_shufflevector(x[2 * i], x[2 * i + 1], 0, 8, 2, 10, 4, 12, 6, 14) +
               __builtin_shufflevector(x[2 * i], x[2 * i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    for (int i = 0; i < 2; ++i)
        b[i] = __builtin_shufflevector(a[2 * i], a[2 * i + 1], 0, 1, 8, 9, 4, 5, 12, 13) +
               __builtin_shufflevector(a[2 * i], a[2 * i + 1], 2, 3, 10, 11, 6, 7, 14, 15);
    return __builtin_shufflevector(b[0], b[1], 0, 1, 2, 3, 8, 9, 10, 11) +
           __builtin_shufflevector(b[0], b[1], 4, 5, 6, 7, 12, 13, 14, 15);
#elif defined(__AVX2__)
    V a[2];
    for (int i = 0; i < 2; ++i)
        a[i] = __builtin_shufflevector(x[2 * i], x[2 * i + 1], 0, 4, 2, 6) +
               __builtin_shufflevector(x[2 * i], x[2 * i + 1], 1, 5, 3, 7);
    return __builtin_shufflevector(a[0], a[1], 0, 1, 4, 5) + __builtin_shufflevector(a[0], a[1], 2, 3, 6, 7);
#else
    return __builtin_shufflevector(x[0], x[1], 0, 2) + __builtin_shufflevector(x[0], x[1], 1, 3);
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
    // out has room for n rounded up to W.
    void total(double* out) const {
#pragma GCC unroll 8
        for (int i = 0; i < n; i += W) store_anywhere(out + i, sum_each(v + i));
    }
};
