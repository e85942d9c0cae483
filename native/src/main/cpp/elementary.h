/*
 * Elementary functions of sixteen lanes at a time, without branches or tables, out of + - * / and fma alone: the same bits
 * on every instruction set, but for the payload of a NaN. NaN gives NaN; results too large are infinite, results too small
 * are denormal or 0.
 *
 * docs/kernels/elementary.md has the error of each in units in the last place, over all floats, and the method.
 */
#ifndef ELBO4J_ELEMENTARY_H
#define ELBO4J_ELEMENTARY_H

#include "simd.h"

namespace elbo4j {
namespace ELBO4J_ISA {

/* 1.5 * 2^23: the unit of a sum with it is 1, so that it rounds to an integer, which its low bits hold. */
constexpr float ROUNDING = 0x1.8p23f;
constexpr float LOG2_E = 0x1.715476p0f;
constexpr float LN2 = 0x1.62e430p-1f;
constexpr float LN2_REST = -0x1.05c610p-29f;

/* An exponential's argument as n ln 2 + r, |r| <= ln 2 / 2. */
struct Reduced {
    Floats n;
    Floats r;
    /* 2^(n + bias - ROUNDING - 127). */
    Floats power;
};

/* n plus the bias less ROUNDING must be an exponent field, 1 to 254. */
ELBO4J_INLINE Reduced reduce(const Floats& x, const Floats& bias) {
    Floats shifted = fma(x, floats(LOG2_E), bias);
    Floats n = shifted - bias;
    /* Exact: a multiple of 2^-25 not above 1/2. */
    Floats r = fma(n, floats(-LN2), x);
    return {n, r, of_bits(shift_left(bits(shifted), 23))};
}

/* (exp r - 1 - r) / r^2 * scale, |r| <= ln 2 / 2: minimax of degree 4, whose relative error in exp r is 3.2e-9. */
ELBO4J_INLINE Floats exp_series(const Floats& r, float scale) {
    Floats q = fma(floats(0x1.6ac104p-10f * scale), r, floats(0x1.123da4p-7f * scale));
    q = fma(q, r, floats(0x1.555858p-5f * scale));
    q = fma(q, r, floats(0x1.55548cp-3f * scale));
    return fma(q, r, floats(0x1.fffffcp-2f * scale));
}

/* exp r * scale, |r| <= ln 2 / 2. */
ELBO4J_INLINE Floats exp_reduced(const Floats& r, float scale) {
    return fma(fma(exp_series(r, scale), r, floats(scale)), r, floats(scale));
}

/* A value as a product: the fraction is normal, so that a denormal value is rounded once, by the multiplication. */
struct Scaled {
    Floats fraction;
    Floats power;
};

/* exp x, -104 <= x <= 0 or NaN. */
ELBO4J_INLINE Scaled exp_scaled(const Floats& x) {
    Reduced of = reduce(x, floats(ROUNDING + 127 + 32));
    return {exp_reduced(fma(of.n, floats(-LN2_REST), of.r), 0x1p-32f), of.power};
}

/* exp x for x <= 0: fewer instructions than exp, and the same bits. */
ELBO4J_INLINE Floats exp_nonpositive(const Floats& x) {
    Scaled e = exp_scaled(at_least(x, -104));
    return e.fraction * e.power;
}

ELBO4J_INLINE Floats exp(const Floats& x) {
    Floats bounded = at_most(at_least(x, -104), 89);
    /* The exponent takes more than one factor's range: 2^32 or 2^-32 is split off. */
    Ints positive = greater(x, floats(0));
    Reduced of = reduce(bounded, select(positive, floats(ROUNDING + 127 - 32), floats(ROUNDING + 127 + 32)));
    Floats e = exp_reduced(fma(of.n, floats(-LN2_REST), of.r), 1);
    return e * of.power * select(positive, floats(0x1p32f), floats(0x1p-32f));
}

/* exp x - 1. */
ELBO4J_INLINE Floats expm1(const Floats& x) {
    /* Half of the result, as 2^n may be infinite where that is not. */
    Reduced of = reduce(at_most(at_least(x, -18), 89), floats(ROUNDING + 127 - 1));
    Floats rest = of.n * floats(-LN2_REST);
    Floats r = of.r + rest;
    Floats tail = fma(exp_series(r, 1), r * r, rest);
    /* (power - 1/2) + power * of.r + power * tail, with the rounding errors of the first two sums. */
    Floats offset = of.power - floats(0.5f);
    Floats sum = fma(of.power, of.r, offset);
    Floats error = fma(of.power, of.r, offset - sum) + ((of.power - offset) - floats(0.5f));
    Floats half = sum + fma(of.power, tail, error);
    /* Where it is x, half of which may be no float; and -0. */
    return select(less(abs(x), floats(0x1p-25f)), x, half + half);
}

/* The integer k with 3/4 <= x / 2^k < 3/2 as 2^23 k, which can be subtracted from the bits of a float. */
ELBO4J_INLINE Ints exponent_bits(const Floats& x) { return (bits(x) - ints(0x3F400000)) & ints((int32_t)0xFF800000); }

/* k ln 2 + log (1 + f), k as 2^23 k, -1/4 <= f < 1/2. */
ELBO4J_INLINE Floats log_scaled(const Ints& exponent, const Floats& f) {
    /* (log (1 + f) - f) / f^2: minimax of degree 8, whose relative error in the logarithm is 5.0e-9. */
    Floats f2 = f * f;
    Floats even = fma(floats(-0x1.71de40p-5f), f2, floats(-0x1.0d9cfap-3f));
    Floats odd = fma(floats(0x1.acf8c6p-4f), f2, floats(0x1.288234p-3f));
    even = fma(even, f2, floats(-0x1.54ed9ep-3f));
    odd = fma(odd, f2, floats(0x1.996982p-3f));
    even = fma(even, f2, floats(-0x1.000048p-2f));
    odd = fma(odd, f2, floats(0x1.5555a4p-2f));
    Floats q = fma(fma(even, f, odd), f, floats(-0.5f));
    /* k times the first 15 bits of ln 2 is exact; so is what its sum with f loses, as f is the smaller one or k is 0. */
    constexpr float HIGH = 0x1.62e4p-1f * 0x1p-23f;
    constexpr float LOW = 0x1.7f7d1cp-20f * 0x1p-23f;
    Floats k = to_floats(exponent);
    Floats sum = fma(k, floats(HIGH), f);
    Floats error = fma(k, floats(HIGH), -sum) + f;
    error = fma(k, floats(LOW), error);
    return sum + fma(q, f2, error);
}

/* The given logarithm of x where x is positive and finite, else what there is instead. */
ELBO4J_INLINE Floats log_or_special(const Floats& x, const Floats& finite) {
    constexpr float INFINITE = __builtin_inff();
    Floats special = select(less(x, floats(0)), floats(__builtin_nanf("")), x);
    special = select(equal(x, floats(0)), floats(-INFINITE), special);
    return select(greater(x, floats(0)) & less(x, floats(INFINITE)), finite, special);
}

ELBO4J_INLINE Floats log(const Floats& x) {
    Ints denormal = less(x, floats(0x1p-126f));
    Floats normal = select(denormal, x * floats(0x1p23f), x);
    Ints exponent = exponent_bits(normal);
    Floats f = of_bits(bits(normal) - exponent) - floats(1);
    exponent = select(denormal, exponent - ints(23 << 23), exponent);
    return log_or_special(x, log_scaled(exponent, f));
}

/* log (1 + x). */
ELBO4J_INLINE Floats log1p(const Floats& x) {
    Floats sum = x + floats(1);
    Ints exponent = exponent_bits(sum);
    /* f = x / 2^k + (1 / 2^k - 1) is exact with these bounds; 4 / 2^k is normal for every k. */
    Floats power = of_bits(ints(0x40800000) - exponent);
    Floats f = of_bits(bits(x) - exponent) + fma(power, floats(0.25f), floats(-1));
    return log_or_special(sum, with_sign_of(x, abs(log_scaled(exponent, f))));
}

/* log (1 + x) for 0 <= x <= 1: fewer instructions than log1p, and other bits. */
ELBO4J_INLINE Floats log1p_unit(const Floats& x) {
    /* log (1 + x) / x - 7/8, in x - 1/2 as then no sum is large: minimax of degree 9, relative error 7.5e-9. */
    Floats s = x - floats(0.5f);
    Floats s2 = s * s;
    Floats even = fma(floats(0x1.5b6744p-8f), s2, floats(0x1.7a7f0ep-7f));
    Floats odd = fma(floats(-0x1.a38500p-9f), s2, floats(-0x1.bc078ep-8f));
    even = fma(even, s2, floats(0x1.2c273ep-5f));
    odd = fma(odd, s2, floats(-0x1.50f0bcp-6f));
    even = fma(even, s2, floats(0x1.0f952ep-3f));
    odd = fma(odd, s2, floats(-0x1.15401cp-4f));
    even = fma(even, s2, floats(-0x1.066e08p-4f));
    odd = fma(odd, s2, floats(-0x1.2773a6p-2f));
    return fma(x, floats(7 / 8.0f), x * fma(odd, s, even));
}

ELBO4J_INLINE Floats tanh(const Floats& x) {
    Floats a = abs(x);
    Floats a2 = a * a;
    /* (tanh a / a - 1) / a^2, a <= 1: minimax of degree 6, whose relative error in tanh a is 4.7e-9. */
    Floats p = fma(floats(-0x1.7803d8p-12f), a2, floats(0x1.2db66ep-9f));
    p = fma(p, a2, floats(-0x1.0466f8p-7f));
    p = fma(p, a2, floats(0x1.600bc0p-6f));
    p = fma(p, a2, floats(-0x1.b96286p-5f));
    p = fma(p, a2, floats(0x1.110be6p-3f));
    p = fma(p, a2, floats(-0x1.55553cp-2f));
    Floats small = fma(p, a2 * a, a);
    /* 1 - 2 e / (1 + e), less most of what the rounding of 1 + e does to the quotient. */
    Floats e = exp_nonpositive(a * floats(-2));
    Floats sum = e + floats(1);
    Floats error = (floats(1) - sum) + e;
    Floats quotient = (e + e) / sum;
    Floats large = floats(1) - fma(-error, quotient, quotient);
    return with_sign_of(x, select(less(a, floats(1)), small, large));
}

/* 1 / (1 + exp -x), by the exponential that cannot overflow. */
ELBO4J_INLINE Floats sigmoid(const Floats& x) {
    Floats e = exp_nonpositive(negative_abs(x));
    return select(less(x, floats(0)), e, floats(1)) / (e + floats(1));
}

/* Where the normal density and distribution function are 0 to binary32, though exp (-a^2 / 2) still has an exponent. */
constexpr float NORMAL_LIMIT = 14.4f;

/* exp (-a^2 / 2), 0 <= a <= NORMAL_LIMIT. */
ELBO4J_INLINE Scaled gaussian(const Floats& a) {
    Floats square = a * a;
    /* A relative error of the square would be one a^2 / 2 times as large of the exponential. */
    Floats error = fma(a, a, -square);
    Reduced of = reduce(square * floats(-0.5f), floats(ROUNDING + 127 + 32));
    Floats r = fma(error, floats(-0.5f), fma(of.n, floats(-LN2_REST), of.r));
    return {exp_reduced(r, 0x1p-32f), of.power};
}

/* The density exp (-x^2 / 2) / sqrt (2 pi). */
ELBO4J_INLINE Floats normal_pdf(const Floats& x) {
    Scaled e = gaussian(at_most(abs(x), NORMAL_LIMIT));
    return e.fraction * floats(0x1.988454p-2f) * e.power;
}

/* The distribution function, whose lower tail keeps its relative accuracy. */
ELBO4J_INLINE Floats normal_cdf(const Floats& x) {
    Floats a = at_most(abs(x), NORMAL_LIMIT);
    Scaled e = gaussian(a);
    /* exp (a^2 / 2) times the tail beyond a is p / q: minimax of degrees 4 and 5, relative error 1.2e-8. */
    Floats a2 = a * a;
    Floats p_even = fma(fma(floats(0x1.0b437cp-8f), a2, floats(0x1.75d786p-3f)), a2, floats(0.5f));
    Floats p_odd = fma(floats(0x1.4ae29ep-5f), a2, floats(0x1.bfe3aep-2f));
    Floats p = fma(p_odd, a, p_even);
    Floats q_even = fma(fma(floats(0x1.9ebaf6p-4f), a2, floats(0x1.331dbep0f)), a2, floats(1));
    Floats q_odd = fma(fma(floats(0x1.4ef612p-7f), a2, floats(0x1.deda0ep-2f)), a2, floats(0x1.ac3406p0f));
    Floats q = fma(q_odd, a, q_even);
    Floats tail = e.fraction * (p / q) * e.power;
    return select(greater(x, floats(0)), floats(1) - tail, tail);
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j

#endif
