/* Compiled once for each instruction set. */
#include "elementary_functions.h"

#include "activation.h"

namespace elbo4j {
namespace ELBO4J_ISA {

template <Floats (*F)(const Floats&)>
static void each(const float* in, float* out, int64_t count) {
    for (int64_t i = 0; i < count; i += LANES) {
        store(out + i, F(load(in + i)));
    }
}

const Elementary FUNCTION[FUNCTIONS] = {
    each<exp>,
    each<exp_nonpositive>,
    each<expm1>,
    each<log>,
    each<log1p>,
    each<log1p_unit>,
    each<tanh>,
    each<sigmoid>,
    each<normal_pdf>,
    each<normal_cdf>,
    each<value<ELBO4J_IDENTITY>>,
    each<value<ELBO4J_RELU>>,
    each<value<ELBO4J_LEAKY_RELU>>,
    each<value<ELBO4J_ELU>>,
    each<value<ELBO4J_GELU>>,
    each<value<ELBO4J_SILU>>,
    each<value<ELBO4J_TANH>>,
    each<value<ELBO4J_SIGMOID>>,
    each<value<ELBO4J_SOFTPLUS>>,
    each<derivative<ELBO4J_IDENTITY>>,
    each<derivative<ELBO4J_RELU>>,
    each<derivative<ELBO4J_LEAKY_RELU>>,
    each<derivative<ELBO4J_ELU>>,
    each<derivative<ELBO4J_GELU>>,
    each<derivative<ELBO4J_SILU>>,
    each<derivative<ELBO4J_TANH>>,
    each<derivative<ELBO4J_SIGMOID>>,
    each<derivative<ELBO4J_SOFTPLUS>>,
};

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
