/* random.h of every instruction set, as functions on arrays. */
#ifndef ELBO4J_RANDOM_FUNCTIONS_H
#define ELBO4J_RANDOM_FUNCTIONS_H

#include <stdint.h>

#include "isas.h"

namespace elbo4j {

constexpr int RANDOM_LANES = 16;

struct RandomFunctions {
    /* The block of each lane's counter. */
    void (*philox)(int64_t seed, const uint32_t counters[4][RANDOM_LANES], uint32_t words[4][RANDOM_LANES]);
    /* The four normal numbers of each lane's block. */
    void (*normals)(const uint32_t words[4][RANDOM_LANES], float normals[4][RANDOM_LANES]);
};

#define ELBO4J_DECLARE(ISA)              \
    namespace ISA {                      \
    extern const RandomFunctions RANDOM; \
    }
ELBO4J_FOR_ISAS(ELBO4J_DECLARE)
#undef ELBO4J_DECLARE

}  // namespace elbo4j

#endif
