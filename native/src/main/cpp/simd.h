/*
 * Sixteen lanes of binary32 or 32-bit integers, whatever the width of the registers: kernels are written once and compiled
 * for each instruction set, and give the same bits on all of them. Every operation is the correctly rounded one of
 * IEEE 754; products and sums are never contracted by the compiler (-ffp-contract=off), only where fma says so.
 *
 * Included by files that are compiled once per instruction set, each within the namespace ELBO4J_ISA.
 */
#ifndef ELBO4J_SIMD_H
#define ELBO4J_SIMD_H

#include <stdint.h>
#include <string.h>

/* ELBO4J_PORTABLE leaves out what compilers take for granted on an architecture. */
#if defined(__SSE2__) && !defined(ELBO4J_PORTABLE)
#define ELBO4J_SSE2
#endif
#if defined(__aarch64__) && !defined(ELBO4J_PORTABLE)
#define ELBO4J_NEON
#endif

#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(ELBO4J_SSE2)
#include <emmintrin.h>
#elif defined(ELBO4J_NEON)
#include <arm_neon.h>
#endif

#define ELBO4J_INLINE inline __attribute__((always_inline))

/* The lanes of two registers by their numbers, those of the second counted on. */
#if defined(__clang__)
#define ELBO4J_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define ELBO4J_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, IntRegister{__VA_ARGS__})
#endif

namespace elbo4j {
namespace ELBO4J_ISA {

#if defined(__AVX512F__)
constexpr int WIDTH = 16;
#elif defined(__AVX2__)
constexpr int WIDTH = 8;
#else
constexpr int WIDTH = 4;
#endif

/* The registers of this instruction set. */
typedef float Register __attribute__((vector_size(WIDTH * 4)));
typedef float UnalignedRegister __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));
typedef int32_t IntRegister __attribute__((vector_size(WIDTH * 4)));
typedef uint32_t UnsignedRegister __attribute__((vector_size(WIDTH * 4)));
typedef int32_t UnalignedIntRegister __attribute__((vector_size(WIDTH * 4), aligned(4), may_alias));
typedef uint64_t LongRegister __attribute__((vector_size(WIDTH * 4)));
typedef float UnalignedQuad __attribute__((vector_size(16), aligned(4), may_alias));

/* Lanes of the determinism rules: a row's sum has 16, column mod 16. */
constexpr int LANES = 16;
constexpr int PARTS = LANES / WIDTH;

#if !defined(__AVX2__) && !defined(ELBO4J_NEON)
/*
 * a * b + c rounded once, without an instruction for it: the product is exact in binary64; the sum is rounded to odd, which
 * a second rounding to binary32 cannot tell from the exact sum (Boldo and Melquiond 2008).
 */
ELBO4J_INLINE float fma_by_parts(float a, float b, float c) {
    double product = (double)a * (double)b;
    double addend = c;
    double sum = product + addend;
    double back = sum - product;
    double error = (product - (sum - back)) + (addend - back);
    int64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    /* Towards the exact sum, if that is not representable and the last bit is even; false for infinities and NaN. */
    bool inexact = error > 0 || error < 0;
    if (inexact && (bits & 1) == 0) {
        bits += (error > 0) == (sum > 0) ? 1 : -1;
        memcpy(&sum, &bits, sizeof sum);
    }
    return (float)sum;
}
#endif

/* a * b + c, rounded once. Inlined only where it is an instruction: the code of all others would be mostly this. */
#if defined(__AVX2__) || defined(ELBO4J_NEON)
ELBO4J_INLINE Register fma(Register a, Register b, Register c) {
#else
__attribute__((noinline, unused)) static Register fma(Register a, Register b, Register c) {
#endif
#if defined(__AVX512F__)
    return _mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__)
    return _mm256_fmadd_ps(a, b, c);
#elif defined(ELBO4J_NEON)
return vfmaq_f32(c, a, b);
#else
Register result;
for (int i = 0; i < WIDTH; i++) {
    result[i] = fma_by_parts(a[i], b[i], c[i]);
}
return result;
#endif
}

#if defined(__AVX512F__)
/* For the intrinsics whose unmasked form warns of an uninitialized operand inside the header of GCC 12. */
constexpr __mmask16 ALL_LANES = 0xFFFF;
#endif

ELBO4J_INLINE Register register_sqrt(Register a) {
#if defined(__AVX512F__)
    return _mm512_maskz_sqrt_ps(ALL_LANES, a);
#elif defined(__AVX2__)
    return _mm256_sqrt_ps(a);
#elif defined(ELBO4J_NEON)
    return vsqrtq_f32(a);
#else
    Register result;
    for (int i = 0; i < WIDTH; i++) {
        result[i] = __builtin_sqrtf(a[i]);
    }
    return result;
#endif
}

/* The 64-bit products of the low halves. */
ELBO4J_INLINE LongRegister multiply_low_halves(LongRegister a, LongRegister b) {
#if defined(__AVX512F__)
    return (LongRegister)_mm512_maskz_mul_epu32((__mmask8)ALL_LANES, (__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return (LongRegister)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(ELBO4J_SSE2)
    return (LongRegister)_mm_mul_epu32((__m128i)a, (__m128i)b);
#elif defined(ELBO4J_NEON)
    return (LongRegister)vmull_u32(vmovn_u64((uint64x2_t)a), vmovn_u64((uint64x2_t)b));
#else
    return (a & 0xFFFFFFFF) * (b & 0xFFFFFFFF);
#endif
}

/* a0 b0 a1 b1 and a2 b2 a3 b3 of each four lanes. */
ELBO4J_INLINE Register interleave_low(Register a, Register b) {
#if defined(__AVX512F__)
    return _mm512_maskz_unpacklo_ps(ALL_LANES, a, b);
#elif defined(__AVX2__)
    return _mm256_unpacklo_ps(a, b);
#else
    return ELBO4J_SHUFFLE(a, b, 0, 4, 1, 5);
#endif
}
ELBO4J_INLINE Register interleave_high(Register a, Register b) {
#if defined(__AVX512F__)
    return _mm512_maskz_unpackhi_ps(ALL_LANES, a, b);
#elif defined(__AVX2__)
    return _mm256_unpackhi_ps(a, b);
#else
    return ELBO4J_SHUFFLE(a, b, 2, 6, 3, 7);
#endif
}

/* Stores each four lanes, stride elements apart. */
ELBO4J_INLINE void store_quads(float* to, Register value, int stride) {
#if defined(__AVX512F__)
    *(UnalignedQuad*)to = _mm512_maskz_extractf32x4_ps((__mmask8)ALL_LANES, value, 0);
    *(UnalignedQuad*)(to + stride) = _mm512_maskz_extractf32x4_ps((__mmask8)ALL_LANES, value, 1);
    *(UnalignedQuad*)(to + 2 * stride) = _mm512_maskz_extractf32x4_ps((__mmask8)ALL_LANES, value, 2);
    *(UnalignedQuad*)(to + 3 * stride) = _mm512_maskz_extractf32x4_ps((__mmask8)ALL_LANES, value, 3);
#elif defined(__AVX2__)
    *(UnalignedQuad*)to = _mm256_castps256_ps128(value);
    *(UnalignedQuad*)(to + stride) = _mm256_extractf128_ps(value, 1);
#else
    (void)stride;
    *(UnalignedQuad*)to = value;
#endif
}

ELBO4J_INLINE Register load_register(const float* from) { return *(const UnalignedRegister*)from; }

ELBO4J_INLINE void store_register(float* to, Register value) { *(UnalignedRegister*)to = value; }

/* The value less zero is the value, also of -0. */
ELBO4J_INLINE Register broadcast_register(float value) { return value - Register{}; }

struct Floats {
    Register part[PARTS];
};

/* 32-bit integers; as a mask every lane is all ones or zero. */
struct Ints {
    IntRegister part[PARTS];
};

/* The body of a function: EXPRESSION for each part p. */
#define ELBO4J_LANEWISE(TYPE, EXPRESSION) \
    TYPE result;                          \
    for (int p = 0; p < PARTS; p++) {     \
        result.part[p] = (EXPRESSION);    \
    }                                     \
    return result

ELBO4J_INLINE Floats floats(float value) { ELBO4J_LANEWISE(Floats, broadcast_register(value)); }
ELBO4J_INLINE Ints ints(int32_t value) { ELBO4J_LANEWISE(Ints, IntRegister{} + value); }

ELBO4J_INLINE Floats load(const float* from) { ELBO4J_LANEWISE(Floats, load_register(from + p * WIDTH)); }
ELBO4J_INLINE Ints load(const int32_t* from) {
    ELBO4J_LANEWISE(Ints, *(const UnalignedIntRegister*)(from + p * WIDTH));
}
ELBO4J_INLINE void store(float* to, const Floats& value) {
    for (int p = 0; p < PARTS; p++) {
        store_register(to + p * WIDTH, value.part[p]);
    }
}
ELBO4J_INLINE void store(int32_t* to, const Ints& value) {
    for (int p = 0; p < PARTS; p++) {
        *(UnalignedIntRegister*)(to + p * WIDTH) = value.part[p];
    }
}

constexpr int32_t LANE_NUMBERS[LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
ELBO4J_INLINE Ints lane_numbers() { return load(LANE_NUMBERS); }

/* Writes first + i for each bit i that is set, and says where they end; there is room for sixteen. */
ELBO4J_INLINE int32_t* append_numbers(int32_t* to, uint32_t bits, int64_t first) {
#if defined(__AVX512F__)
    __m512i numbers = (__m512i)(ints((int32_t)first).part[0] + lane_numbers().part[0]);
    _mm512_storeu_si512(to, _mm512_maskz_compress_epi32((__mmask16)bits, numbers));
    return to + __builtin_popcount(bits);
#else
    for (int i = 0; i < LANES; i++) {
        *to = (int32_t)first + i;
        to += bits >> i & 1;
    }
    return to;
#endif
}

/* The first count lanes, 0 to 16; the others are zero, and their memory is not touched. */
ELBO4J_INLINE Floats load_first(const float* from, int64_t count) {
    if (count == LANES) {
        return load(from);
    }
#if defined(__AVX512F__)
    return {{_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from)}};
#elif defined(__AVX2__)
    ELBO4J_LANEWISE(Floats, _mm256_maskload_ps(from + p * WIDTH, (__m256i)(lane_numbers().part[p] < (int32_t)count)));
#else
    float lanes[LANES] = {};
    for (int64_t i = 0; i < count; i++) {
        lanes[i] = from[i];
    }
    return load(lanes);
#endif
}
ELBO4J_INLINE void store_first(float* to, const Floats& value, int64_t count) {
    if (count == LANES) {
        store(to, value);
        return;
    }
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), value.part[0]);
#else
    float lanes[LANES];
    store(lanes, value);
    for (int64_t i = 0; i < count; i++) {
        to[i] = lanes[i];
    }
#endif
}
/* The same lanes of a value. */
ELBO4J_INLINE Floats first(const Floats& value, int64_t count) {
    if (count == LANES) {
        return value;
    }
    ELBO4J_LANEWISE(Floats, lane_numbers().part[p] < (int32_t)count ? value.part[p] : Register{});
}

/* A bit for each lane that is not zero. */
ELBO4J_INLINE uint32_t nonzero_lanes(const Floats& a) {
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask(a.part[0], Register{}, _CMP_NEQ_UQ);
#elif defined(__AVX2__)
    uint32_t low = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(a.part[0], Register{}, _CMP_NEQ_UQ));
    uint32_t high = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(a.part[1], Register{}, _CMP_NEQ_UQ));
    return low | high << WIDTH;
#else
    uint32_t bits = 0;
    for (int i = 0; i < LANES; i++) {
        bits |= (a.part[i / WIDTH][i % WIDTH] != 0 ? 1u : 0u) << i;
    }
    return bits;
#endif
}

/* A bit for each of sixteen masks that shares one with another. */
ELBO4J_INLINE uint32_t masks_with(const uint16_t* masks, uint16_t other) {
#if defined(ELBO4J_SSE2) || defined(__AVX2__)
    __m128i wanted = _mm_set1_epi16((int16_t)other);
    __m128i zero = _mm_setzero_si128();
    __m128i low = _mm_cmpeq_epi16(_mm_and_si128(_mm_loadu_si128((const __m128i*)masks), wanted), zero);
    __m128i high = _mm_cmpeq_epi16(_mm_and_si128(_mm_loadu_si128((const __m128i*)(masks + 8)), wanted), zero);
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(low, high)) ^ 0xFFFF;
#else
    uint32_t bits = 0;
    for (int i = 0; i < LANES; i++) {
        bits |= (masks[i] & other ? 1u : 0u) << i;
    }
    return bits;
#endif
}

/* Bytes as integers; GCC 12 would take a vector conversion of so few apart. */
ELBO4J_INLINE IntRegister load_bytes(const uint8_t* from) {
#if defined(__AVX512F__)
    return (IntRegister)_mm512_maskz_cvtepu8_epi32(ALL_LANES, _mm_loadu_si128((const __m128i*)from));
#elif defined(__AVX2__)
    return (IntRegister)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)from));
#elif defined(ELBO4J_SSE2)
    int32_t four;
    memcpy(&four, from, sizeof four);
    __m128i zero = _mm_setzero_si128();
    return (IntRegister)_mm_unpacklo_epi16(_mm_unpacklo_epi8(_mm_cvtsi32_si128(four), zero), zero);
#elif defined(ELBO4J_NEON)
    uint32_t four;
    memcpy(&four, from, sizeof four);
    return (IntRegister)vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four))));
#else
    return IntRegister{from[0], from[1], from[2], from[3]};
#endif
}
ELBO4J_INLINE Ints load(const uint8_t* from) { ELBO4J_LANEWISE(Ints, load_bytes(from + p * WIDTH)); }
ELBO4J_INLINE Ints load_first(const uint8_t* from, int64_t count) {
    if (count == LANES) {
        return load(from);
    }
    uint8_t lanes[LANES] = {};
    for (int64_t i = 0; i < count; i++) {
        lanes[i] = from[i];
    }
    return load(lanes);
}

/* a0 b0 c0 d0 a1 b1 and so on to d15. */
ELBO4J_INLINE void store_interleaved(float* to, const Floats& a, const Floats& b, const Floats& c, const Floats& d) {
    for (int p = 0; p < PARTS; p++) {
        Register even_low = interleave_low(a.part[p], c.part[p]);
        Register odd_low = interleave_low(b.part[p], d.part[p]);
        Register even_high = interleave_high(a.part[p], c.part[p]);
        Register odd_high = interleave_high(b.part[p], d.part[p]);
        float* at = to + 4 * p * WIDTH;
        store_quads(at, interleave_low(even_low, odd_low), 16);
        store_quads(at + 4, interleave_high(even_low, odd_low), 16);
        store_quads(at + 8, interleave_low(even_high, odd_high), 16);
        store_quads(at + 12, interleave_high(even_high, odd_high), 16);
    }
}

ELBO4J_INLINE Floats operator+(const Floats& a, const Floats& b) { ELBO4J_LANEWISE(Floats, a.part[p] + b.part[p]); }
ELBO4J_INLINE Floats operator-(const Floats& a, const Floats& b) { ELBO4J_LANEWISE(Floats, a.part[p] - b.part[p]); }
ELBO4J_INLINE Floats operator*(const Floats& a, const Floats& b) { ELBO4J_LANEWISE(Floats, a.part[p] * b.part[p]); }
ELBO4J_INLINE Floats operator/(const Floats& a, const Floats& b) { ELBO4J_LANEWISE(Floats, a.part[p] / b.part[p]); }
ELBO4J_INLINE Floats operator-(const Floats& a) { ELBO4J_LANEWISE(Floats, -a.part[p]); }
ELBO4J_INLINE Floats fma(const Floats& a, const Floats& b, const Floats& c) {
    ELBO4J_LANEWISE(Floats, fma(a.part[p], b.part[p], c.part[p]));
}
ELBO4J_INLINE Floats sqrt(const Floats& a) { ELBO4J_LANEWISE(Floats, register_sqrt(a.part[p])); }

ELBO4J_INLINE Ints operator+(const Ints& a, const Ints& b) {
    ELBO4J_LANEWISE(Ints, (IntRegister)((UnsignedRegister)a.part[p] + (UnsignedRegister)b.part[p]));
}
ELBO4J_INLINE Ints operator-(const Ints& a, const Ints& b) {
    ELBO4J_LANEWISE(Ints, (IntRegister)((UnsignedRegister)a.part[p] - (UnsignedRegister)b.part[p]));
}
ELBO4J_INLINE Ints operator*(const Ints& a, const Ints& b) {
    ELBO4J_LANEWISE(Ints, (IntRegister)((UnsignedRegister)a.part[p] * (UnsignedRegister)b.part[p]));
}
ELBO4J_INLINE Ints operator&(const Ints& a, const Ints& b) { ELBO4J_LANEWISE(Ints, a.part[p] & b.part[p]); }
ELBO4J_INLINE Ints operator|(const Ints& a, const Ints& b) { ELBO4J_LANEWISE(Ints, a.part[p] | b.part[p]); }
ELBO4J_INLINE Ints operator^(const Ints& a, const Ints& b) { ELBO4J_LANEWISE(Ints, a.part[p] ^ b.part[p]); }
ELBO4J_INLINE Ints operator~(const Ints& a) { ELBO4J_LANEWISE(Ints, ~a.part[p]); }
ELBO4J_INLINE Ints shift_left(const Ints& a, int bits) {
    ELBO4J_LANEWISE(Ints, (IntRegister)((UnsignedRegister)a.part[p] << bits));
}
/* With zeros, and with the sign. */
ELBO4J_INLINE Ints shift_right(const Ints& a, int bits) {
    ELBO4J_LANEWISE(Ints, (IntRegister)((UnsignedRegister)a.part[p] >> bits));
}
ELBO4J_INLINE Ints shift_right_signed(const Ints& a, int bits) { ELBO4J_LANEWISE(Ints, a.part[p] >> bits); }

/* Masks; false where a lane is NaN, but for not_equal. */
ELBO4J_INLINE Ints less(const Floats& a, const Floats& b) { ELBO4J_LANEWISE(Ints, a.part[p] < b.part[p]); }
ELBO4J_INLINE Ints less_equal(const Floats& a, const Floats& b) { ELBO4J_LANEWISE(Ints, a.part[p] <= b.part[p]); }
ELBO4J_INLINE Ints greater(const Floats& a, const Floats& b) { ELBO4J_LANEWISE(Ints, a.part[p] > b.part[p]); }
ELBO4J_INLINE Ints equal(const Floats& a, const Floats& b) { ELBO4J_LANEWISE(Ints, a.part[p] == b.part[p]); }
ELBO4J_INLINE Ints not_equal(const Floats& a, const Floats& b) { ELBO4J_LANEWISE(Ints, a.part[p] != b.part[p]); }
ELBO4J_INLINE Ints less(const Ints& a, const Ints& b) { ELBO4J_LANEWISE(Ints, a.part[p] < b.part[p]); }
ELBO4J_INLINE Ints equal(const Ints& a, const Ints& b) { ELBO4J_LANEWISE(Ints, a.part[p] == b.part[p]); }

/* Whether a lane of a mask is set. */
ELBO4J_INLINE bool any(const Ints& mask) {
    IntRegister all = mask.part[0];
    for (int p = 1; p < PARTS; p++) {
        all |= mask.part[p];
    }
#if defined(__AVX512F__)
    return _mm512_test_epi32_mask((__m512i)all, (__m512i)all) != 0;
#elif defined(__AVX2__)
    return _mm256_testz_si256((__m256i)all, (__m256i)all) == 0;
#else
    int32_t some = 0;
    for (int i = 0; i < WIDTH; i++) {
        some |= all[i];
    }
    return some != 0;
#endif
}

ELBO4J_INLINE Floats select(const Ints& mask, const Floats& yes, const Floats& no) {
    ELBO4J_LANEWISE(Floats, mask.part[p] ? yes.part[p] : no.part[p]);
}
ELBO4J_INLINE Ints select(const Ints& mask, const Ints& yes, const Ints& no) {
    ELBO4J_LANEWISE(Ints, mask.part[p] ? yes.part[p] : no.part[p]);
}

ELBO4J_INLINE IntRegister register_max(IntRegister a, IntRegister b) {
#if defined(__AVX512F__)
    return (IntRegister)_mm512_maskz_max_epi32(ALL_LANES, (__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return (IntRegister)_mm256_max_epi32((__m256i)a, (__m256i)b);
#else
    return a > b ? a : b;
#endif
}
ELBO4J_INLINE Ints max(const Ints& a, const Ints& b) { ELBO4J_LANEWISE(Ints, register_max(a.part[p], b.part[p])); }

ELBO4J_INLINE Ints bits(const Floats& a) { ELBO4J_LANEWISE(Ints, (IntRegister)a.part[p]); }
ELBO4J_INLINE Floats of_bits(const Ints& a) { ELBO4J_LANEWISE(Floats, (Register)a.part[p]); }
/* Rounded to nearest; towards zero. */
ELBO4J_INLINE Floats to_floats(const Ints& a) { ELBO4J_LANEWISE(Floats, __builtin_convertvector(a.part[p], Register)); }
ELBO4J_INLINE Ints to_ints(const Floats& a) { ELBO4J_LANEWISE(Ints, __builtin_convertvector(a.part[p], IntRegister)); }

constexpr int32_t SIGN = INT32_MIN;
ELBO4J_INLINE Floats abs(const Floats& a) { return of_bits(bits(a) & ints(~SIGN)); }
/* -|a|. */
ELBO4J_INLINE Floats negative_abs(const Floats& a) { return of_bits(bits(a) | ints(SIGN)); }
/* a, which is not negative, with the sign of the other. */
ELBO4J_INLINE Floats with_sign_of(const Floats& sign, const Floats& a) {
    return of_bits(bits(a) | (bits(sign) & ints(SIGN)));
}
/* Zero for subnormal numbers; NaN stays NaN. */
ELBO4J_INLINE Floats normal_or_zero(const Floats& a) {
    return select(equal(bits(a) & ints(0x7F800000), ints(0)), floats(0), a);
}
/* Java's: NaN if one is NaN, and +0 above -0 where the signs differ. */
ELBO4J_INLINE Floats max(const Floats& a, const Floats& b) {
    Floats larger = select(equal(a, b), of_bits(bits(a) & bits(b)), select(greater(a, b), a, b));
    return select(not_equal(a, a), a, larger);
}
ELBO4J_INLINE Floats min(const Floats& a, const Floats& b) {
    Floats smaller = select(equal(a, b), of_bits(bits(a) | bits(b)), select(less(a, b), a, b));
    return select(not_equal(a, a), a, smaller);
}

/* Not below, and not above, a bound other than zero; NaN stays NaN. */
ELBO4J_INLINE Register register_at_least(Register a, Register bound) {
#if defined(__AVX512F__)
    return _mm512_maskz_max_ps(ALL_LANES, bound, a);
#elif defined(__AVX2__)
    return _mm256_max_ps(bound, a);
#else
    return a < bound ? bound : a;
#endif
}
ELBO4J_INLINE Register register_at_most(Register a, Register bound) {
#if defined(__AVX512F__)
    return _mm512_maskz_min_ps(ALL_LANES, bound, a);
#elif defined(__AVX2__)
    return _mm256_min_ps(bound, a);
#else
    return a > bound ? bound : a;
#endif
}
ELBO4J_INLINE Floats at_least(const Floats& a, float bound) {
    ELBO4J_LANEWISE(Floats, register_at_least(a.part[p], broadcast_register(bound)));
}
ELBO4J_INLINE Floats at_most(const Floats& a, float bound) {
    ELBO4J_LANEWISE(Floats, register_at_most(a.part[p], broadcast_register(bound)));
}

/* The sum of all lanes by the tree 8-4-2-1. */
ELBO4J_INLINE float tree_sum(const Floats& a) {
    float lanes[LANES];
    store(lanes, a);
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            lanes[i] += lanes[i + half];
        }
    }
    return lanes[0];
}

#undef ELBO4J_LANEWISE

}  // namespace ELBO4J_ISA
}  // namespace elbo4j

#endif
