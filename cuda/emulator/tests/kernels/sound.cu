// Kernels that are right, compiled by g++ for the emulated device.
KERNEL vector_add(const float* a, const float* b, float* sum, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) sum[i] = a[i] + b[i];
}

// y = scale * x + y in 16-byte vectors; n is a multiple of 4.
KERNEL axpy_vector(const float4* x, float4* y, float scale, int n4) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n4) return;
    const float4 u = x[i];
    float4 v = y[i];
    v.x = fmaf(scale, u.x, v.x);
    v.y = fmaf(scale, u.y, v.y);
    v.z = fmaf(scale, u.z, v.z);
    v.w = fmaf(scale, u.w, v.w);
    y[i] = v;
}

// One sum for each block, by a tree in shared memory.
KERNEL block_sum(const float* x, float* sums, int n) {
    __shared__ float partial[256];
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    partial[threadIdx.x] = i < n ? x[i] : 0.0f;
    __syncthreads();
    for (unsigned stride = blockDim.x / 2; stride > 0; stride /= 2) {
        if (threadIdx.x < stride) partial[threadIdx.x] += partial[threadIdx.x + stride];
        __syncthreads();
    }
    if (threadIdx.x == 0) sums[blockIdx.x] = partial[0];
}

__device__ float warp_sum(float value) {
    for (int offset = 16; offset > 0; offset /= 2) value += __shfl_xor_sync(0xffffffffu, value, offset);
    return value;
}

// The same by shuffles and dynamic shared memory, one float for each warp.
KERNEL warp_block_sum(const float* x, float* sums, int n) {
    DYNAMIC_SHARED(float, partial);
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    const float sum = warp_sum(i < n ? x[i] : 0.0f);
    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = sum;
    __syncthreads();
    if (threadIdx.x == 0) {
        float total = 0.0f;
        for (unsigned w = 0; w < blockDim.x / 32; w++) total += partial[w];
        sums[blockIdx.x] = total;
    }
}

// Lane facts: ballot of odd lanes, value of the next lane, a rotation and a sum over the warp.
KERNEL warp_facts(unsigned* facts) {
    const unsigned lane = threadIdx.x % 32;
    unsigned* mine = facts + 4 * (blockIdx.x * blockDim.x + threadIdx.x);
    mine[0] = __ballot_sync(0xffffffffu, lane % 2);
    mine[1] = __shfl_down_sync(0xffffffffu, lane, 1);
    mine[2] = __shfl_sync(0xffffffffu, lane, lane + 3);
    mine[3] = __reduce_add_sync(0xffffffffu, lane);
}

// Two-phase sum over the whole grid with a barrier between: cooperative.
KERNEL grid_sum(const float* x, float* partial, float* total, int n) {
    float sum = 0.0f;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) sum += x[i];
    sum = warp_sum(sum);
    if (threadIdx.x == 0) partial[blockIdx.x] = sum;
    grid_barrier();
    if (blockIdx.x == 0 && threadIdx.x == 0) {
        float all = 0.0f;
        for (unsigned b = 0; b < gridDim.x; b++) all += partial[b];
        *total = all;
    }
}

KERNEL scale_by(float* x, float factor, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) x[i] *= factor;
}

KERNEL add_constant(float* x, float amount, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) x[i] += amount;
}

// Every position of a three-dimensional launch once.
KERNEL positions(unsigned* count, unsigned width, unsigned height) {
    const unsigned x = blockIdx.x * blockDim.x + threadIdx.x;
    const unsigned y = blockIdx.y * blockDim.y + threadIdx.y;
    const unsigned z = blockIdx.z * blockDim.z + threadIdx.z;
    atomicAdd(&count[(z * height + y) * width + x], 1u);
}

KERNEL nothing(float* x) {
    if (x == nullptr) __trap();
}

extern "C" __device__ __attribute__((visibility("default"))) unsigned launches_seen[4];
unsigned launches_seen[4];

KERNEL count_launch(int slot) {
    if (blockIdx.x == 0 && threadIdx.x == 0) atomicAdd(&launches_seen[slot], 1u);
}

// Every type of parameter.
KERNEL echo_arguments(double* out, int i, unsigned u, long long l, float f, double d) {
    if (blockIdx.x != 0 || threadIdx.x != 0) return;
    out[0] = i;
    out[1] = u;
    out[2] = static_cast<double>(l);
    out[3] = f;
    out[4] = d;
}

KERNEL meet(unsigned* arrived, const unsigned* go) {
    __atomic_store_n(arrived, 1u, __ATOMIC_RELEASE);
    while (__atomic_load_n(go, __ATOMIC_ACQUIRE) == 0) emu_yield();
}
