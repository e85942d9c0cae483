// Sets the active batch rows of the present step from the host's count.
//
// Formula: active = given; order_rows = given, 0 when no order is walked.
// Memory: overwrites two fields of the state.
// Launch: any grid and block; one thread writes.
// Numerics: integers.
// See docs/kernels/advance.md.
#include "step_state.cuh"

KERNEL activate(StepState* state, long long active, long long order_rows) {
    if (grid_thread() != 0) return;
    state->active = active;
    state->order_rows = order_rows;
}
