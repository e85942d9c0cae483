/* The conversions of DataKernels.Pixels that draw no numbers. */
#ifndef ELBO4J_PIXELS_H
#define ELBO4J_PIXELS_H

#include "each.h"

namespace elbo4j {
namespace ELBO4J_ISA {

/*
 * q / 255 for q = 0 to 255, correctly rounded: 0x1.01p-8 + 0x1.010102p-24 is 1/255 to 40 bits, the first product is exact,
 * and no quotient is so near the middle of two floats that the error of the second tells (the test tries all).
 */
ELBO4J_INLINE Floats unit(const Floats& q) { return q * floats(0x1.01p-8f) + q * floats(0x1.010102p-24f); }

/* Overwrites out[count] with bytes, as they are or divided by 255. */
static inline void convert_bytes(const uint8_t* in, bool to_unit, int64_t count, float* out) {
    if (to_unit) {
        for_each_vector(0, count, [&](int64_t i, int64_t n) ELBO4J_INLINE_LAMBDA {
            store_first(out + i, unit(to_floats(load_first(in + i, n))), n);
        });
    } else {
        for_each_vector(0, count, [&](int64_t i, int64_t n) ELBO4J_INLINE_LAMBDA {
            store_first(out + i, to_floats(load_first(in + i, n)), n);
        });
    }
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j

#endif
