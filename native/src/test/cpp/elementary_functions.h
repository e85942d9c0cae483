/* The elementary functions of every instruction set, as functions on arrays. */
#ifndef ELBO4J_ELEMENTARY_FUNCTIONS_H
#define ELBO4J_ELEMENTARY_FUNCTIONS_H

#include <stdint.h>

#include "isas.h"

namespace elbo4j {

/* out[i] = f(in[i]), 0 <= i < count, a multiple of 16. */
typedef void (*Elementary)(const float* in, float* out, int64_t count);

enum Function {
    EXP,
    EXP_NONPOSITIVE,
    EXPM1,
    LOG,
    LOG1P,
    LOG1P_UNIT,
    TANH,
    SIGMOID,
    NORMAL_PDF,
    NORMAL_CDF,
    /* value and derivative of each activation, in the order of elbo4j.h. */
    ACTIVATION_VALUE,
    ACTIVATION_DERIVATIVE = ACTIVATION_VALUE + 9,
    FUNCTIONS = ACTIVATION_DERIVATIVE + 9
};

#define ELBO4J_DECLARE(ISA)                      \
    namespace ISA {                              \
    extern const Elementary FUNCTION[FUNCTIONS]; \
    }
ELBO4J_FOR_ISAS(ELBO4J_DECLARE)
#undef ELBO4J_DECLARE

}  // namespace elbo4j

#endif
