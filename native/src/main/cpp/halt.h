/* Setting the halt flag of a step state. */
#ifndef ELBO4J_HALT_H
#define ELBO4J_HALT_H

#include "call.h"

namespace elbo4j {

/* The first halt of a run stays: later ones follow from it. */
static inline void halt(elbo4j_state* state, int64_t name, int64_t first, int64_t count) {
    if (state->halted != 0) {
        return;
    }
    state->halted = 1;
    state->halt_step = state->step;
    state->halt_name = name;
    state->halt_first = first;
    state->halt_count = count;
}

}  // namespace elbo4j

#endif
