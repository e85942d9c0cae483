/* The factor of a gradient, as call.h's scalars and reductions give it. */
#ifndef ELBO4J_WEIGHT_H
#define ELBO4J_WEIGHT_H

#include "call.h"

namespace elbo4j {

/* Divided in double by the active batch rows for ELBO4J_MEAN, then rounded. */
static inline float weight_of(const elbo4j_scalar& weight, int32_t reduction, const Run& run) {
    return (float)(value_of(weight, run.state) / (reduction == ELBO4J_MEAN ? (double)run.active_rows : 1.0));
}

}  // namespace elbo4j

#endif
