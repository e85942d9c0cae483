/*
 * The element-wise functions of io.github.elbo4j.backend.Activation and their derivatives, one instance a function so that
 * kernels are compiled once for each.
 */
#ifndef ELBO4J_ACTIVATION_H
#define ELBO4J_ACTIVATION_H

#include "elbo4j.h"
#include "elementary.h"

namespace elbo4j {
namespace ELBO4J_ISA {

/* f(a). */
template <int ACTIVATION>
ELBO4J_INLINE Floats value(const Floats& a) {
    Ints positive = greater(a, floats(0));
    switch (ACTIVATION) {
        case ELBO4J_RELU:
            return max(a, floats(0));
        case ELBO4J_LEAKY_RELU:
            return select(positive, a, a * floats(0.01f));
        case ELBO4J_ELU:
            return select(positive, a, expm1(a));
        case ELBO4J_GELU:
            return a * normal_cdf(a);
        case ELBO4J_SILU:
            return a * sigmoid(a);
        case ELBO4J_TANH:
            return tanh(a);
        case ELBO4J_SIGMOID:
            return sigmoid(a);
        case ELBO4J_SOFTPLUS:
            return max(a, floats(0)) + log1p_unit(exp_nonpositive(negative_abs(a)));
        default:
            return a;
    }
}

/* f'(a), from the input a where Activation.needsInput, else from the output f(a). */
template <int ACTIVATION>
ELBO4J_INLINE Floats derivative(const Floats& saved) {
    Floats one = floats(1);
    Ints positive = greater(saved, floats(0));
    switch (ACTIVATION) {
        case ELBO4J_RELU:
            return select(positive, one, floats(0));
        case ELBO4J_LEAKY_RELU:
            return select(positive, one, floats(0.01f));
        case ELBO4J_ELU:
            return select(positive, one, saved + one);
        case ELBO4J_GELU:
            return normal_cdf(saved) + saved * normal_pdf(saved);
        case ELBO4J_SILU: {
            Floats s = sigmoid(saved);
            return s * (one + saved * (one - s));
        }
        case ELBO4J_TANH:
            return one - saved * saved;
        case ELBO4J_SIGMOID:
            return saved * (one - saved);
        case ELBO4J_SOFTPLUS:
            /* softplus' = sigmoid(a) = 1 - exp(-softplus(a)) */
            return -expm1(-saved);
        default:
            return one;
    }
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j

#endif
