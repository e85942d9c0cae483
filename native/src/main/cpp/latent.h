/* What the kernels of the Gaussian latent share: the range of the log-variance. */
#ifndef ELBO4J_LATENT_H
#define ELBO4J_LATENT_H

#include "elementary.h"

namespace elbo4j {
namespace ELBO4J_ISA {

struct Clamp {
    float low;
    float high;
};

/* min(max(log_var, low), high); a NaN stays one. */
ELBO4J_INLINE Floats clamped(const Floats& log_var, const Clamp& clamp) {
    return at_most(at_least(log_var, clamp.low), clamp.high);
}

/* exp(lv / 2) of a clamped log-variance: LatentKernels.Clamp keeps it within 80, where exp needs no special cases. */
ELBO4J_INLINE Floats deviation(const Floats& lv) {
    Reduced of = reduce(floats(0.5f) * lv, floats(ROUNDING + 127));
    return exp_reduced(fma(of.n, floats(-LN2_REST), of.r), 1) * of.power;
}

/* Outside the range a gradient passes only if descent along it leads back. */
ELBO4J_INLINE Floats passed(const Floats& gradient, const Floats& log_var, const Clamp& clamp) {
    const Floats zero = floats(0.0f);
    Ints leads_out = (less(log_var, floats(clamp.low)) & greater(gradient, zero)) |
                     (greater(log_var, floats(clamp.high)) & less(gradient, zero));
    return select(leads_out, zero, gradient);
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j

#endif
