/*
 * One step of Adam on sixteen elements, the same for the kernel over a group and for the updates that are merged into the
 * gradient of the weights:
 *
 *   m = beta1 * m + (1 - beta1) * g
 *   v = beta2 * v + (1 - beta2) * g^2
 *   w = w - lr / correction1 * m / (sqrt(v) / sqrt(correction2) + epsilon)
 *
 * A moment that is subnormal becomes zero: it would decay no further, and some CPUs are slow at it. The last line
 * multiplies by 1 / sqrt(correction2), rounded once a step: a division less an element.
 */
#ifndef ELBO4J_ADAM_H
#define ELBO4J_ADAM_H

#include "call.h"
#include "simd.h"

namespace elbo4j {
namespace ELBO4J_ISA {

struct AdamStep {
    float beta1;
    float beta2;
    float one_minus_beta1;
    float one_minus_beta2;
    float minus_rate;
    float inverse_root;
    float epsilon;
};

/* The numbers of the present step. */
static inline AdamStep adam_step(const Adam& c, const elbo4j_state* state) {
    double rate = value_of(c.learning_rate, state) / value_of(c.correction1, state);
    double inverse_root = 1 / __builtin_sqrt(value_of(c.correction2, state));
    return {c.beta1, c.beta2, c.one_minus_beta1, c.one_minus_beta2, (float)-rate, (float)inverse_root, c.epsilon};
}

/* Overwrites values and moments. */
ELBO4J_INLINE void adam_update(const AdamStep& s, const Floats& g, Floats& w, Floats& m, Floats& v) {
    m = normal_or_zero(fma(floats(s.beta1), m, floats(s.one_minus_beta1) * g));
    v = normal_or_zero(fma(floats(s.beta2), v, floats(s.one_minus_beta2) * (g * g)));
    Floats denominator = fma(sqrt(v), floats(s.inverse_root), floats(s.epsilon));
    w = fma(floats(s.minus_rate), m / denominator, w);
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j

#endif
