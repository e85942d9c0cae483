/*
 * Adds the active rows to a metric, in double and ascending; a row that is not finite halts the run instead, with the
 * first such row and their number.
 */
#include "halt.h"

namespace elbo4j {
namespace ELBO4J_ISA {

void accumulate(const Accumulate& call, const Run& run) {
    elbo4j_state* state = run.state;
    if (state->halted != 0) {
        return;
    }
    double sum = state->sums[call.metric];
    int64_t first_bad = -1;
    int64_t bad = 0;
    for (int64_t row = 0; row < run.active_rows * call.fold; row++) {
        float value = call.per_row[row];
        sum += value;
        if (!__builtin_isfinite(value)) {
            first_bad = bad == 0 ? row : first_bad;
            bad++;
        }
    }
    if (bad > 0) {
        halt(state, call.halt_name, first_bad, bad);
    } else {
        state->sums[call.metric] = sum;
    }
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
