// Lets g++ compile CUDA kernel sources for the emulated driver. Included before the kernels instead of the toolkit's
// implicit header; kernels.cmake does so and registers every `KERNEL name(`.
//
// Rules for such sources: kernels are `KERNEL name(args)`, dynamic shared memory is `DYNAMIC_SHARED(type, name)`, warp
// operations take the full mask, every spin calls `emu_yield()`, inline PTX stays in functions that have a twin here.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "emu_module.h"

#define EMULATED_CUDA 1
#define KERNEL extern "C" void
#define __global__
#define __device__
#define __host__
#define __constant__ static const
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __restrict__ __restrict
// One copy for each worker thread, which runs one block at a time; filled with NaN before each block.
#define __shared__ static thread_local
#define DYNAMIC_SHARED(type, name) type* name = static_cast<type*>(emu_dynamic_shared())

#define threadIdx emu_thread_idx
#define blockIdx emu_block_idx
#define blockDim emu_block_dim
#define gridDim emu_grid_dim
constexpr int warpSize = 32;

using dim3 = EmuDim3;

// Alignments as in CUDA: vector loads of a misaligned address are an error there and here.
#define EMU_VECTOR(name, type, bytes)                                           \
    struct alignas(bytes * 2) name##2 { type x, y; };                           \
    struct name##3 { type x, y, z; };                                           \
    struct alignas(bytes * 4) name##4 { type x, y, z, w; };                     \
    inline name##2 make_##name##2(type x, type y) { return {x, y}; }            \
    inline name##3 make_##name##3(type x, type y, type z) { return {x, y, z}; } \
    inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }
EMU_VECTOR(float, float, 4)
EMU_VECTOR(int, int, 4)
EMU_VECTOR(uint, unsigned, 4)
EMU_VECTOR(uchar, unsigned char, 1)
EMU_VECTOR(char, signed char, 1)
EMU_VECTOR(ushort, unsigned short, 2)
struct alignas(16) double2 {
    double x, y;
};

inline void __syncthreads() { emu_syncthreads(); }
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
[[noreturn]] inline void __trap() { emu_kernel_failure("__trap()"); }
inline void __nanosleep(unsigned) { emu_yield(); }

// ---- warp operations

inline void __syncwarp(unsigned mask = 0xffffffffu) { emu_warp_gather(EMU_WARP_SYNC, mask, 0); }

template <class T>
inline uint64_t emu_pack(T value) {
    static_assert(sizeof(T) <= 8, "warp shuffles move at most 8 bytes");
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    return bits;
}

template <class T>
inline T emu_lane_value(const EmuWarpView& view, unsigned lane) {
    if ((view.lanes >> lane & 1u) == 0) emu_kernel_failure("shuffle from a lane that the block does not have");
    T value;
    std::memcpy(&value, &view.values[lane], sizeof value);
    return value;
}

template <class T>
inline T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
    const EmuWarpView view = emu_warp_gather(EMU_WARP_SHUFFLE, mask, emu_pack(value));
    return emu_lane_value<T>(view, (view.lane & ~(width - 1u)) | (source & (width - 1u)));
}
template <class T>
inline T __shfl_xor_sync(unsigned mask, T value, int lane_mask, int width = 32) {
    const EmuWarpView view = emu_warp_gather(EMU_WARP_SHUFFLE, mask, emu_pack(value));
    const unsigned source = view.lane ^ static_cast<unsigned>(lane_mask);
    // Reading a later segment returns the own value, an earlier one is allowed: as the instruction defines it.
    return source > (view.lane | (width - 1u)) ? value : emu_lane_value<T>(view, source);
}
template <class T>
inline T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
    const EmuWarpView view = emu_warp_gather(EMU_WARP_SHUFFLE, mask, emu_pack(value));
    const unsigned source = view.lane + delta;
    return source > (view.lane | (width - 1u)) ? value : emu_lane_value<T>(view, source);
}
template <class T>
inline T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
    const EmuWarpView view = emu_warp_gather(EMU_WARP_SHUFFLE, mask, emu_pack(value));
    return (view.lane & (width - 1u)) < delta ? value : emu_lane_value<T>(view, view.lane - delta);
}

inline unsigned __ballot_sync(unsigned mask, int predicate) {
    const EmuWarpView view = emu_warp_gather(EMU_WARP_VOTE, mask, predicate != 0);
    unsigned votes = 0;
    for (unsigned lane = 0; lane < 32; lane++) {
        if ((view.lanes >> lane & 1u) != 0 && view.values[lane] != 0) votes |= 1u << lane;
    }
    return votes;
}
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }
inline int __all_sync(unsigned mask, int predicate) { return __ballot_sync(mask, !predicate) == 0; }

inline unsigned __reduce_add_sync(unsigned mask, unsigned value) {
    const EmuWarpView view = emu_warp_gather(EMU_WARP_REDUCE, mask, value);
    unsigned sum = 0;
    for (unsigned lane = 0; lane < 32; lane++) {
        if ((view.lanes >> lane & 1u) != 0) sum += static_cast<unsigned>(view.values[lane]);
    }
    return sum;
}

// ---- the grid barrier: all blocks of a cooperative launch

inline void grid_barrier() { emu_grid_sync(); }

#include "emu_atomics.h"
#include "emu_bfloat16.h"
#include "emu_math.h"
#include "emu_register.h"
