// One step of Adam (Kingma and Ba 2015, in PyTorch's form) over a contiguous range of parameters.
//
// Formula: m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; w = w - lr / c1 * m / (sqrt(v) / sqrt(c2) +
//     epsilon).
// Memory: w, g, m, v [size]; w, m and v are overwritten, and the bf16 shadow of w, which may be null.
// Launch: any grid, any block of whole warps; a thread takes four elements; 8 bytes static.
// Numerics: lr / c1 and sqrt(c2) in double once for each block, then rounded; every other operation rounds to
//     binary32 as the Java reference does: the same bits. Does nothing once the run is halted.
// See docs/kernels/adam.md.
#include "step_state.cuh"

// A subnormal moment would decay no further: zero, as on the CPU, where it would be slow as well.
static __device__ float normal_or_zero(float moment) { return fabsf(moment) < 1.17549435e-38f ? 0 : moment; }

KERNEL adam_f32(const StepState* state, float* w, const float* g, float* m, float* v, __nv_bfloat16* twin,
                long long size, double lr, int lr_slot, double correction1, int slot1, double correction2, int slot2,
                float beta1, float one_minus_beta1, float beta2, float one_minus_beta2, float epsilon) {
    __shared__ float step_size;
    __shared__ float sqrt_correction2;
    if (halted(state)) return;
    if (threadIdx.x == 0) {
        step_size = static_cast<float>(scalar(state, lr, lr_slot) / scalar(state, correction1, slot1));
        sqrt_correction2 = static_cast<float>(sqrt(scalar(state, correction2, slot2)));
    }
    __syncthreads();
    for (long long at = 4 * grid_thread(); at < size; at += 4 * grid_threads()) {
        const int count = four_of(size - at);
        const Four gradient = load_four(g, at, count, true);
        Four first = load_four(m, at, count, true);
        Four second = load_four(v, at, count, true);
        Four weight = load_four(w, at, count, true);
        for (int i = 0; i < 4; i++) {
            const float gi = gradient.at[i];
            first.at[i] = normal_or_zero(beta1 * first.at[i] + one_minus_beta1 * gi);
            second.at[i] = normal_or_zero(beta2 * second.at[i] + one_minus_beta2 * (gi * gi));
            weight.at[i] -= step_size * (first.at[i] / (sqrtf(second.at[i]) / sqrt_correction2 + epsilon));
        }
        store_four(m, at, first, count, true);
        store_four(v, at, second, count, true);
        store_four(w, at, weight, count, true);
        store_twin(twin, at, weight, count, true);
    }
}
