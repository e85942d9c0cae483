/* Going over elements sixteen at a time. */
#ifndef ELBO4J_EACH_H
#define ELBO4J_EACH_H

#include "simd.h"

/* Of a lambda: its body belongs into the loop, not behind a call with its vectors in memory. */
#define ELBO4J_INLINE_LAMBDA __attribute__((always_inline))

namespace elbo4j {
namespace ELBO4J_ISA {

/* Calls body(i, LANES) for i = from, from + LANES, ... and at last body(i, rest), so that its first loop has no tails. */
template <class Body>
ELBO4J_INLINE void for_each_vector(int64_t from, int64_t to, const Body& body) {
    int64_t i = from;
    for (; i <= to - LANES; i += LANES) {
        body(i, (int64_t)LANES);
    }
    if (i < to) {
        body(i, to - i);
    }
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j

#endif
