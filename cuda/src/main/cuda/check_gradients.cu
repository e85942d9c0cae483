// Halts the run at the first view whose gradient has a number that is not finite or larger than 1e18.
//
// Formula: bad(i) = !(|g(i)| <= 1e18), over the views only, not the gaps between them.
// Memory: views [view_count] pairs of offset and size in elements of `gradients`, ascending; sets the state's halt
//     flag.
// Launch: any grid, any block of whole warps; the block that finishes last decides; 264 bytes static.
// Numerics: integers: the earliest bad element by an atomic minimum, then a count over its view.
// See docs/kernels/adam.md.
#include "step_state.cuh"

constexpr unsigned long long NOTHING_BAD = ~0ull;

__device__ inline bool bad_gradient(float g) { return !(fabsf(g) <= 1e18f); }  // the negation catches NaN as well

KERNEL check_gradients_f32(StepState* state, const float* gradients, const long long* views, int view_count,
                           long long first_name) {
    __shared__ bool last;
    __shared__ unsigned long long first_bad;
    if (halted(state)) return;
    for (int view = 0; view < view_count; view++) {
        const long long offset = views[2 * view];
        const long long size = views[2 * view + 1];
        const bool vector = offset % 4 == 0;
        for (long long i = 4 * grid_thread(); i < size; i += 4 * grid_threads()) {
            const Four g = load_four(gradients, offset + i, four_of(size - i), vector);
            for (int j = 3; j >= 0; j--) {
                if (bad_gradient(g.at[j])) {
                    atomicMin(&state->check_first, static_cast<unsigned long long>(offset + i + j));
                }
            }
        }
    }
    __threadfence();  // this thread's minimum comes before its block's ticket
    __syncthreads();
    if (threadIdx.x == 0) {
        last = atomicInc(&state->check_ticket, gridDim.x - 1) == gridDim.x - 1;  // and back to 0
        __threadfence();
        if (last) first_bad = atomicExch(&state->check_first, NOTHING_BAD);
    }
    __syncthreads();
    if (!last || first_bad == NOTHING_BAD) return;

    const long long first = static_cast<long long>(first_bad);
    int view = 0;
    while (first >= views[2 * view] + views[2 * view + 1]) view++;
    const long long offset = views[2 * view];
    const long long size = views[2 * view + 1];
    long long bad = 0;
    for (long long i = threadIdx.x; i < size; i += blockDim.x) bad += bad_gradient(gradients[offset + i]) ? 1 : 0;
    bad = block_sum(bad);
    if (threadIdx.x == 0) halt(state, first_name + view, first - offset, bad);
}
