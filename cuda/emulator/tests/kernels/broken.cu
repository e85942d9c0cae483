// One kernel for each kind of mistake the emulator must show.
KERNEL out_of_bounds(float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    __syncthreads();
    if (i <= n) y[i] = 1.0f;  // mistake: <=
}

KERNEL underrun(float* y) { y[static_cast<int>(threadIdx.x) - 1] = 1.0f; }

KERNEL misaligned_vector(float* y) {
    float4* p = reinterpret_cast<float4*>(y + 1);
    float4 v = p[threadIdx.x];
    v.x += 1.0f;
    p[threadIdx.x] = v;
}

KERNEL misaligned_scalar(char* y) {
    volatile float* p = reinterpret_cast<float*>(y + 2 + 4 * threadIdx.x);
    *p = 1.0f;
}

KERNEL wild_pointer(float** y) { y[0][threadIdx.x] = 1.0f; }

KERNEL null_pointer(float* y) { y[threadIdx.x] = 1.0f; }

KERNEL divide_by_zero(volatile int* y, int n) { y[threadIdx.x] = n / (y[threadIdx.x] - y[threadIdx.x]); }

KERNEL stack_overflow(float* y, int n) {
    volatile char big[2000000];
    for (int i = 0; i < 2000000; i += 1024) big[1999999 - i] = 1;
    y[0] = big[n];
}

KERNEL trap_itself(float* y) {
    if (y[0] == y[0]) __trap();
}

// mistake: no barrier between the writes and the reads of the neighbour
KERNEL missing_barrier(const float* x, float* y) {
    __shared__ float tile[128];
    tile[threadIdx.x] = x[threadIdx.x];
    y[threadIdx.x] = tile[(threadIdx.x + 1) % blockDim.x];
}

// mistake: no barrier before the tile is written again, which no NaN shows
KERNEL missing_second_barrier(const float* x, float* y) {
    __shared__ float tile[64];
    for (int round = 0; round < 2; round++) {
        tile[threadIdx.x] = x[round * 64 + threadIdx.x];
        __syncthreads();
        y[round * 64 + threadIdx.x] = tile[63 - threadIdx.x];
    }
}

// mistake: warp-synchronous code without __syncwarp
KERNEL missing_syncwarp(const float* x, float* y) {
    __shared__ float tile[32];
    tile[threadIdx.x] = x[threadIdx.x];
    y[threadIdx.x] = tile[31 - threadIdx.x];
}

KERNEL divergent_shuffle(float* y) {
    float v = 1.0f;
    if (threadIdx.x < 20) v = __shfl_xor_sync(0xffffffffu, v, 1);
    y[threadIdx.x] = v;
}

KERNEL mixed_warp_operations(unsigned* y) {
    if (threadIdx.x < 16) {
        y[threadIdx.x] = __shfl_xor_sync(0xffffffffu, threadIdx.x, 1);
    } else {
        y[threadIdx.x] = __ballot_sync(0xffffffffu, 1);
    }
}

KERNEL divergent_barrier(float* y, int n) {
    if (static_cast<int>(threadIdx.x) >= n) return;  // mistake: leaves before the barrier
    __syncthreads();
    y[threadIdx.x] = 1.0f;
}

// mistake: the last element stays unwritten
KERNEL unwritten_element(const float* x, float* y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n - 1) y[i] = x[i];
}

// mistake: the order of float additions is the order of the blocks
KERNEL float_atomics(const float* x, float* sum, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) atomicAdd(sum, x[i]);
}

KERNEL endless_spin(unsigned* flag) {
    while (__atomic_load_n(flag, __ATOMIC_RELAXED) != 1u) emu_yield();
}

KERNEL shared_overrun(float* y, int n) {
    DYNAMIC_SHARED(float, tile);
    tile[threadIdx.x + n] = 1.0f;
    __syncthreads();
    y[threadIdx.x] = tile[threadIdx.x];
}
