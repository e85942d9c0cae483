// One step of gradient descent over a contiguous range of parameters.
//
// Formula: w = w - lr g.
// Memory: w and g [size]; w is overwritten, and its bf16 shadow, which may be null.
// Launch: any grid, any block of whole warps; a thread takes four elements; no shared memory.
// Numerics: a rounded product, then a rounded difference, as the Java reference: the same bits. Does nothing once the
//     run is halted.
// See docs/kernels/sgd.md.
#include "step_state.cuh"

KERNEL sgd_f32(const StepState* state, float* w, const float* g, __nv_bfloat16* twin, long long size, double lr,
               int slot) {
    if (halted(state)) return;
    const float rate = static_cast<float>(scalar(state, lr, slot));
    for (long long at = 4 * grid_thread(); at < size; at += 4 * grid_threads()) {
        const int count = four_of(size - at);
        const Four gradient = load_four(g, at, count, true);
        Four weight = load_four(w, at, count, true);
        for (int i = 0; i < 4; i++) weight.at[i] -= rate * gradient.at[i];
        store_four(w, at, weight, count, true);
        store_twin(twin, at, weight, count, true);
    }
}
