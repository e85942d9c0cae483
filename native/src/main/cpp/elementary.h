/*
 * Elementary functions of sixteen lanes at a time, without branches or tables, out of + - * / and fma alone: the same bits
 * on every instruction set, save for the payload of a NaN. NaN gives NaN, results too large are infinite, results too small
 * are denormal and rounded once.
 *
 * docs/kernels/elementary.md has the error of each in units in the last place, over all floats, and the method.
 */
#ifndef ELBO4J_ELEMENTARY_H
#define ELBO4J_ELEMENTARY_H

#include "simd.h"

namespace elbo4j {
namespace ELBO4J_ISA {

/* 1.5 * 2^23: the unit of a sum with it is 1, so that it rounds to an integer and shows that in its low bits. */
constexpr float ROUNDING = 0x1.8p23f;
constexpr float LOG2_E = 0x1.715476p0f;
/* ln 2 in two floats. */
constexpr float LN2 = 0x1.62e430p-1f;
constexpr float LN2_LOW = -0x1.05c610p-29f;

/* (exp r - 1 - r) / r^2 * scale, |r| <= ln 2 / 2: minimax of degree 4, whose error in exp r is 3.2e-9. */
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

/* A number as a product that is normal times a power of 2. */
struct Scaled {
    Floats fraction;
    Floats power;
};

/* exp (x + low), -106 <= x <= 0 or NaN, |low| below a unit of x. */
ELBO4J_INLINE Scaled exp_scaled(const Floats& x, const Floats& low) {
    /* The power is too large by 2^32, and the fraction too small by as much: both stay normal where exp x is not. */
    constexpr float BIAS = ROUNDING + 127 + 32;
    Floats shifted = fma(x, floats(LOG2_E), floats(BIAS));
    Floats n = shifted - floats(BIAS);
    /* Exact, being a multiple of 2^-25 below 1/2. */
    Floats high = fma(n, floats(-LN2), x);
    Floats r = fma(n, floats(-LN2_LOW), high) + low;
    return {exp_reduced(r, 0x1p-32f), of_bits(shift_left(bits(shifted), 23))};
}

/* exp x, where x <= 0. */
ELBO4J_INLINE Floats exp_nonpositive(const Floats& x) {
    constexpr float BIAS = ROUNDING + 127 + 32;
    Floats bounded = at_least(x, -104);
    Floats shifted = fma(bounded, floats(LOG2_E), floats(BIAS));
    Floats n = shifted - floats(BIAS);
    Floats r = fma(n, floats(-LN2_LOW), fma(n, floats(-LN2), bounded));
    return exp_reduced(r, 0x1p-32f) * of_bits(shift_left(bits(shifted), 23));
}

ELBO4J_INLINE Floats exp(const Floats& x) {
    Floats bounded = at_most(at_least(x, -104), 89);
    /* The power of 2 in two factors, of which one alone would leave the range. */
    Ints positive = greater(x, floats(0));
    Floats bias = select(positive, floats(ROUNDING + 127 - 32), floats(ROUNDING + 127 + 32));
    Floats shifted = fma(bounded, floats(LOG2_E), bias);
    Floats n = shifted - bias;
    Floats r = fma(n, floats(-LN2_LOW), fma(n, floats(-LN2), bounded));
    return exp_reduced(r, 1) * of_bits(shift_left(bits(shifted), 23)) *
           select(positive, floats(0x1p32f), floats(0x1p-32f));
}

ELBO4J_INLINE Floats expm1(const Floats& x) {
    /* Below, the result is -1. */
    Floats bounded = at_most(at_least(x, -18), 89);
    /* Half the power of 2, which is infinite for the largest results. */
    constexpr float BIAS = ROUNDING + 127 - 1;
    Floats shifted = fma(bounded, floats(LOG2_E), floats(BIAS));
    Floats n = shifted - floats(BIAS);
    Floats power = of_bits(shift_left(bits(shifted), 23));
    Floats high = fma(n, floats(-LN2), bounded);
    Floats low = n * floats(-LN2_LOW);
    Floats r = high + low;
    /* power * exp r - 1/2 = (power - 1/2) + power * high + power * (low + r^2 q), the first sum with its rounding error. */
    Floats rest = fma(exp_series(r, 1), r * r, low);
    Floats offset = power - floats(0.5f);
    Floats sum = fma(power, high, offset);
    Floats error = fma(power, high, offset - sum);
    Floats half = sum + fma(power, rest, error);
    /* Half of a denormal would be rounded, and -0 lost. */
    return select(less(abs(x), floats(0x1p-25f)), x, half + half);
}

/* log (1 + f), -1/4 <= f <= 1/2: f + f^2 q(f), minimax of degree 8, whose relative error is 1.6e-8. */
ELBO4J_INLINE Floats log1p_reduced(const Floats& f) {
    Floats f2 = f * f;
    Floats even = fma(floats(-0x1.82ee36p-5f), f2, floats(-0x1.0d7b8cp-3f));
    Floats odd = fma(floats(0x1.b3587cp-4f), f2, floats(0x1.280e1cp-3f));
    even = fma(even, f2, floats(-0x1.54e0ecp-3f));
    odd = fma(odd, f2, floats(0x1.996bbap-3f));
    even = fma(even, f2, floats(-0x1.000082p-2f));
    odd = fma(odd, f2, floats(0x1.5555acp-2f));
    even = fma(even, f2, floats(-0.5f));
    return fma(fma(odd, f, even), f2, f);
}

/* 2^23 times the integer k for which 3/4 <= x / 2^k < 3/2, as bits to subtract from those of x. */
ELBO4J_INLINE Ints exponent_bits(const Floats& x) { return (bits(x) - ints(0x3F400000)) & ints((int32_t)0xFF800000); }

/* The logarithm of x where that is finite, else what a logarithm of x is. */
ELBO4J_INLINE Floats logarithm(const Floats& x, const Floats& finite) {
    Floats special = select(less(x, floats(0)), floats(__builtin_nanf("")), x);
    special = select(equal(x, floats(0)), floats(-__builtin_inff()), special);
    return select(greater(x, floats(0)) & less(x, floats(__builtin_inff())), finite, special);
}

ELBO4J_INLINE Floats log(const Floats& x) {
    Ints denormal = less(x, floats(0x1p-126f));
    Floats normal = select(denormal, x * floats(0x1p23f), x);
    Ints exponent = exponent_bits(normal);
    Floats f = of_bits(bits(normal) - exponent) - floats(1);
    Floats k = to_floats(select(denormal, exponent - ints(23 << 23), exponent));
    return logarithm(x, fma(k, floats(LN2 * 0x1p-23f), log1p_reduced(f)));
}

ELBO4J_INLINE Floats log1p(const Floats& x) {
    Floats sum = x + floats(1);
    Ints exponent = exponent_bits(sum);
    /* (1 + x) / 2^k - 1, which is exact with these bounds; 4 / 2^k is normal for every k. */
    Floats power = of_bits(ints(0x40800000) - exponent);
    Floats f = of_bits(bits(x) - exponent) + fma(power, floats(0.25f), floats(-1));
    Floats result = fma(to_floats(exponent), floats(LN2 * 0x1p-23f), log1p_reduced(f));
    /* -0 is lost otherwise. */
    result = of_bits(bits(result) | (bits(x) & ints((int32_t)0x80000000)));
    return logarithm(sum, result);
}

/* log (1 + x), where 0 <= x <= 1: x + x^2 q(x), minimax of degree 8, whose relative error is 5.3e-9. */
ELBO4J_INLINE Floats log1p_unit(const Floats& x) {
    Floats x2 = x * x;
    Floats even = fma(floats(-0x1.af49cep-9f), x2, floats(-0x1.d6b08cp-5f));
    Floats odd = fma(floats(0x1.4917cep-6f), x2, floats(0x1.b4ae08p-4f));
    even = fma(even, x2, floats(-0x1.3a435ep-3f));
    odd = fma(odd, x2, floats(0x1.934b54p-3f));
    even = fma(even, x2, floats(-0x1.ff23e6p-3f));
    odd = fma(odd, x2, floats(0x1.554dd0p-2f));
    even = fma(even, x2, floats(-0x1.ffffd2p-2f));
    return fma(fma(odd, x, even), x2, x);
}

ELBO4J_INLINE Floats tanh(const Floats& x) {
    Floats a = abs(x);
    /* Below 1, x + x^3 p(x^2): minimax of degree 6, whose relative error is 4.7e-9. */
    Floats a2 = a * a;
    Floats p = fma(floats(-0x1.77ca4cp-12f), a2, floats(0x1.2d9f4ep-9f));
    p = fma(p, a2, floats(-0x1.045fd0p-7f));
    p = fma(p, a2, floats(0x1.6009a2p-6f));
    p = fma(p, a2, floats(-0x1.b9623ap-5f));
    p = fma(p, a2, floats(0x1.110be4p-3f));
    p = fma(p, a2, floats(-0x1.55553cp-2f));
    Floats small = fma(p, a2 * a, a);
    Floats e = exp_nonpositive(a * floats(-2));
    Floats large = floats(1) - (e + e) / (e + floats(1));
    Floats magnitude = select(less(a, floats(1)), small, large);
    return of_bits(bits(magnitude) | (bits(x) & ints((int32_t)0x80000000)));
}

/* 1 / (1 + exp -x), by the exponential that cannot overflow. */
ELBO4J_INLINE Floats sigmoid(const Floats& x) {
    Floats e = exp_nonpositive(-abs(x));
    return select(less(x, floats(0)), e, floats(1)) / (e + floats(1));
}

/* exp (-a^2 / 2), the square without rounding error; a >= 0, and beyond 14.4, where the density is 0, as there. */
ELBO4J_INLINE Scaled gaussian(const Floats& a) {
    Floats square = a * a;
    Floats error = fma(a, a, -square);
    return exp_scaled(square * floats(-0.5f), error * floats(-0.5f));
}

/* The standard normal density exp (-x^2 / 2) / sqrt (2 pi). */
ELBO4J_INLINE Floats normal_pdf(const Floats& x) {
    Scaled e = gaussian(at_most(abs(x), 14.4f));
    return e.fraction * floats(0x1.988454p-2f) * e.power;
}

/* The standard normal distribution function, of small relative error in the lower tail too. */
ELBO4J_INLINE Floats normal_cdf(const Floats& x) {
    Floats a = at_most(abs(x), 14.4f);
    Scaled e = gaussian(a);
    /* exp (a^2 / 2) * Phi (-a), 0 <= a <= 14.4: rational minimax 4/5, whose relative error is 4e-8; no term is negative. */
    Floats p = fma(floats(0x1.0dc402p-8f), a, floats(0x1.4cdde2p-5f));
    p = fma(p, a, floats(0x1.7743dcp-3f));
    p = fma(p, a, floats(0x1.c0d050p-2f));
    p = fma(p, a, floats(0.5f));
    Floats q = fma(floats(0x1.5218e0p-7f), a, floats(0x1.a13686p-4f));
    q = fma(q, a, floats(0x1.e0bcbep-2f));
    q = fma(q, a, floats(0x1.33d72ep0f));
    q = fma(q, a, floats(0x1.acaa58p0f));
    q = fma(q, a, floats(1));
    Floats tail = e.fraction * (p / q) * e.power;
    return select(greater(x, floats(0)), floats(1) - tail, tail);
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j

#endif
