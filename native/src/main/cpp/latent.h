/* What the kernels of the Gaussian latent share: the range of the log-variance. */
#ifndef ELBO4J_LATENT_H
#define ELBO4J_LATENT_H

#include "simd.h"

namespace elbo4j {
namespace ELBO4J_ISA {

struct Clamp {
    Floats low;
    Floats high;
};

/* min(max(log_var, low), high); a NaN stays one. */
ELBO4J_INLINE Floats clamped(const Floats& log_var, const Clamp& clamp) {
    return select(less(log_var, clamp.low), clamp.low,
                  select(greater(log_var, clamp.high), clamp.high, log_var));
}

/* Outside the range a gradient passes only if descent along it leads back. */
ELBO4J_INLINE Floats passed(const Floats& gradient, const Floats& log_var, const Clamp& clamp) {
    const Floats zero = floats(0.0f);
    Ints leads_out = (less(log_var, clamp.low) & greater(gradient, zero)) |
                     (greater(log_var, clamp.high) & less(gradient, zero));
    return select(leads_out, zero, gradient);
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j

#endif
