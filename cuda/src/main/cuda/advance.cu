// Ends a step, so that a graph can be launched many times with no word from the host.
//
// Formula: step += 1; rows += active; position += active, and at the end of the order position = 0, epoch += 1.
// Memory: overwrites the state's counters.
// Launch: any grid and block; one thread writes.
// Numerics: integers. Does nothing once the run is halted, so the counter names the bad step.
// See docs/kernels/advance.md.
#include "step_state.cuh"

KERNEL advance(StepState* state) {
    if (grid_thread() != 0 || halted(state)) return;
    state->step++;
    state->rows += state->active;
    if (state->order_rows > 0) {
        state->position += state->active;
        if (state->position >= state->order_rows) {
            state->position = 0;
            state->epoch++;
        }
    }
}
