// Atomic functions: relaxed, as CUDA's are.
#pragma once

#include <cstdint>
#include <cstring>

template <class T>
inline T emu_atomic_update(T* address, T (*combine)(T, T), T operand) {
    T old;
    __atomic_load(address, &old, __ATOMIC_RELAXED);
    for (;;) {
        T desired = combine(old, operand);
        if (__atomic_compare_exchange(address, &old, &desired, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return old;
    }
}

#define EMU_ATOMIC_INTEGER(type)                                                                    \
    inline type atomicAdd(type* a, type v) { return __atomic_fetch_add(a, v, __ATOMIC_RELAXED); }   \
    inline type atomicAnd(type* a, type v) { return __atomic_fetch_and(a, v, __ATOMIC_RELAXED); }   \
    inline type atomicOr(type* a, type v) { return __atomic_fetch_or(a, v, __ATOMIC_RELAXED); }     \
    inline type atomicXor(type* a, type v) { return __atomic_fetch_xor(a, v, __ATOMIC_RELAXED); }   \
    inline type atomicExch(type* a, type v) { return __atomic_exchange_n(a, v, __ATOMIC_RELAXED); } \
    inline type atomicCAS(type* a, type expected, type v) {                                         \
        __atomic_compare_exchange_n(a, &expected, v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);    \
        return expected;                                                                            \
    }                                                                                               \
    inline type atomicMax(type* a, type v) {                                                        \
        return emu_atomic_update<type>(a, [](type x, type y) { return x > y ? x : y; }, v);         \
    }                                                                                               \
    inline type atomicMin(type* a, type v) {                                                        \
        return emu_atomic_update<type>(a, [](type x, type y) { return x < y ? x : y; }, v);         \
    }
EMU_ATOMIC_INTEGER(int)
EMU_ATOMIC_INTEGER(unsigned)
EMU_ATOMIC_INTEGER(unsigned long long)

inline int atomicSub(int* a, int v) { return __atomic_fetch_sub(a, v, __ATOMIC_RELAXED); }
inline unsigned atomicSub(unsigned* a, unsigned v) { return __atomic_fetch_sub(a, v, __ATOMIC_RELAXED); }
// Wraps to 0 above the limit.
inline unsigned atomicInc(unsigned* a, unsigned limit) {
    return emu_atomic_update<unsigned>(a, [](unsigned old, unsigned top) { return old >= top ? 0 : old + 1; }, limit);
}
inline float atomicAdd(float* a, float v) {
    return emu_atomic_update<float>(a, [](float x, float y) { return x + y; }, v);
}
inline double atomicAdd(double* a, double v) {
    return emu_atomic_update<double>(a, [](double x, double y) { return x + y; }, v);
}
inline float atomicExch(float* a, float v) {
    return emu_atomic_update<float>(a, [](float, float y) { return y; }, v);
}
