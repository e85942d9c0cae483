// Adds the rows of a batch to a sum over the epoch, or halts the run at a number that is not finite.
//
// Formula: sums(metric) += sum over active rows of per_row.
// Memory: per_row [rows * fold]; one number of the state's sums is added to, or the halt flag is set.
// Launch: one block of whole warps (others do nothing); 768 bytes static.
// Numerics: in double, in an order that depends on the size of the block only. One bad number and nothing is added.
// See docs/kernels/accumulate.md.
#include "step_state.cuh"

KERNEL accumulate_f32(const long long* active, long long rows, int fold, StepState* state, int metric, long long name,
                      const float* per_row) {
    constexpr float LARGEST = 3.40282347e38f;
    if (blockIdx.x != 0 || halted(state)) return;
    const long long live = active_rows(active, rows) * fold;
    double sum = 0.0;
    long long first_bad = live;
    long long bad = 0;
    for (long long row = threadIdx.x; row < live; row += blockDim.x) {
        const float value = per_row[row];
        sum += static_cast<double>(value);
        if (!(fabsf(value) <= LARGEST)) {  // the negation catches NaN as well
            first_bad = min(first_bad, row);
            bad++;
        }
    }
    sum = block_sum(sum);
    bad = block_sum(bad);
    first_bad = block_min(first_bad);
    if (threadIdx.x != 0) return;
    if (bad > 0) {
        halt(state, name, first_bad, bad);
    } else {
        state->sums[metric] += sum;
    }
}
