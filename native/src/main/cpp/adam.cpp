/*
 * One step of Adam (Kingma and Ba 2015, in PyTorch's form):
 *
 *   m = beta1 * m + (1 - beta1) * g
 *   v = beta2 * v + (1 - beta2) * g^2
 *   w = w - lr / c1 * m / (sqrt(v) / sqrt(c2) + epsilon)
 *
 * lr / c1 and sqrt(c2) in double, then rounded; the outer product and sum of each line are one fma.
 */
#include "call.h"
#include "each.h"

namespace elbo4j {
namespace ELBO4J_ISA {

void adam(const Adam& call, const Run& run, Piece piece) {
    if (run.state->halted != 0) {
        return;
    }
    double rate = value_of(call.learning_rate, run.state) / value_of(call.correction1, run.state);
    const Floats minus_rate = floats(-(float)rate);
    const Floats root = floats((float)__builtin_sqrt(value_of(call.correction2, run.state)));
    const Floats beta1 = floats(call.beta1);
    const Floats beta2 = floats(call.beta2);
    const Floats one_minus_beta1 = floats(call.one_minus_beta1);
    const Floats one_minus_beta2 = floats(call.one_minus_beta2);
    const Floats epsilon = floats(call.epsilon);
    for_each_vector(call.offset + piece.from, call.offset + piece.to, [&](int64_t i, int64_t n) ELBO4J_INLINE_LAMBDA {
        Floats g = load_first(call.gradients + i, n);
        Floats m = fma(beta1, load_first(call.moment0 + i, n), one_minus_beta1 * g);
        Floats v = fma(beta2, load_first(call.moment1 + i, n), one_minus_beta2 * (g * g));
        Floats w = fma(minus_rate, m / (sqrt(v) / root + epsilon), load_first(call.values + i, n));
        store_first(call.moment0 + i, m, n);
        store_first(call.moment1 + i, v, n);
        store_first(call.values + i, w, n);
    });
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
