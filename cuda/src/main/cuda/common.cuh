// What all kernels share: their place in the grid, the active rows, four elements at a time, sums in a fixed order.
#pragma once

#include "cuda.cuh"

constexpr unsigned FULL_WARP = 0xffffffffu;
constexpr int WARP = 32;
constexpr int MAX_WARPS = 1024 / WARP;

__device__ inline long long grid_thread() { return static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ inline long long grid_threads() { return static_cast<long long>(gridDim.x) * blockDim.x; }

// Batch rows that count, before folding; the rest up to `rows` is padding.
__device__ inline long long active_rows(const long long* active, long long rows) {
    return active == nullptr ? rows : min(max(*active, 0LL), rows);
}

// ---- four elements at a time

struct Four {
    float at[4];
};

struct __align__(8) TwinFour {
    __nv_bfloat162 low, high;
};

// How many of the next four elements there are when `left` remain.
__device__ inline int four_of(long long left) { return static_cast<int>(min(max(left, 0LL), 4LL)); }

// Elements from `count` on are zero and not read. `vector` promises that the address is a multiple of 16 bytes.
__device__ inline Four load_four(const float* base, long long at, int count, bool vector) {
    Four four = {};
    if (vector && count == 4) {
        const float4 all = *reinterpret_cast<const float4*>(base + at);
        four = {{all.x, all.y, all.z, all.w}};
    } else {
        for (int i = 0; i < 4; i++) {
            if (i < count) four.at[i] = base[at + i];
        }
    }
    return four;
}

__device__ inline void store_four(float* base, long long at, const Four& four, int count, bool vector) {
    if (vector && count == 4) {
        *reinterpret_cast<float4*>(base + at) = make_float4(four.at[0], four.at[1], four.at[2], four.at[3]);
    } else {
        for (int i = 0; i < 4; i++) {
            if (i < count) base[at + i] = four.at[i];
        }
    }
}

// The copy of an output that products read as bf16, rounded to nearest even; nothing when there is none.
__device__ inline void store_twin(__nv_bfloat16* twin, long long at, const Four& four, int count, bool vector) {
    if (twin == nullptr) return;
    if (vector && count == 4) {
        *reinterpret_cast<TwinFour*>(twin + at) = {__floats2bfloat162_rn(four.at[0], four.at[1]),
                                                   __floats2bfloat162_rn(four.at[2], four.at[3])};
    } else {
        for (int i = 0; i < 4; i++) {
            if (i < count) twin[at + i] = __float2bfloat16_rn(four.at[i]);
        }
    }
}

// ---- sums whose order depends on the size of the block and on nothing else

// Every lane gets the sum, in the same bits: each addition of the butterfly has the same two operands in both lanes.
template <class T>
__device__ inline T warp_sum(T value) {
    for (int offset = WARP / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(FULL_WARP, value, offset);
    return value;
}

// Every thread gets the sum. All threads of the block call it; the block is one-dimensional, of whole warps.
template <class T>
__device__ inline T block_sum(T value) {
    __shared__ T warp_sums[MAX_WARPS];
    const unsigned lane = threadIdx.x % WARP;
    value = warp_sum(value);
    __syncthreads();  // the last call's sums have been read
    if (lane == 0) warp_sums[threadIdx.x / WARP] = value;
    __syncthreads();
    return warp_sum(lane < blockDim.x / WARP ? warp_sums[lane] : T{0});
}

// ---- rows: a team of threads takes one at a time, either the whole block or, in a block of height above 1, a warp

__device__ inline long long first_row() { return static_cast<long long>(blockIdx.x) * blockDim.y + threadIdx.y; }
__device__ inline long long row_stride() { return static_cast<long long>(gridDim.x) * blockDim.y; }

// Every thread of the team gets the sum.
template <class T>
__device__ inline T row_sum(T value) {
    return blockDim.x == WARP ? warp_sum(value) : block_sum(value);
}

// Every thread gets the smallest value; otherwise as block_sum.
__device__ inline long long block_min(long long value) {
    __shared__ long long warp_mins[MAX_WARPS];
    const unsigned lane = threadIdx.x % WARP;
    for (int offset = WARP / 2; offset > 0; offset /= 2) value = min(value, __shfl_xor_sync(FULL_WARP, value, offset));
    __syncthreads();
    if (lane == 0) warp_mins[threadIdx.x / WARP] = value;
    __syncthreads();
    value = warp_mins[lane < blockDim.x / WARP ? lane : 0];
    for (int offset = WARP / 2; offset > 0; offset /= 2) value = min(value, __shfl_xor_sync(FULL_WARP, value, offset));
    return value;
}
