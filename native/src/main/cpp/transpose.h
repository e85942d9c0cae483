/* Squares of a matrix, transposed in registers. */
#ifndef ELBO4J_TRANSPOSE_H
#define ELBO4J_TRANSPOSE_H

#include "simd.h"

namespace elbo4j {
namespace ELBO4J_ISA {

/* a0 b0 a1 b1 and so on, from an element on: of the lower halves or of the upper. */
template <int FROM>
ELBO4J_INLINE Register mix(Register a, Register b) {
#if defined(__AVX512F__)
    return ELBO4J_SHUFFLE(a, b, FROM, FROM + 16, FROM + 1, FROM + 17, FROM + 2, FROM + 18, FROM + 3, FROM + 19,
                          FROM + 4, FROM + 20, FROM + 5, FROM + 21, FROM + 6, FROM + 22, FROM + 7, FROM + 23);
#elif defined(__AVX2__)
    return ELBO4J_SHUFFLE(a, b, FROM, FROM + 8, FROM + 1, FROM + 9, FROM + 2, FROM + 10, FROM + 3, FROM + 11);
#else
    return ELBO4J_SHUFFLE(a, b, FROM, FROM + 4, FROM + 1, FROM + 5);
#endif
}

/* Overwrites [WIDTH, to_stride] with the transpose of WIDTH rows, of which WIDTH elements are read. */
ELBO4J_INLINE void transpose_square(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
    Register rows[WIDTH];
    for (int i = 0; i < WIDTH; i++) {
        rows[i] = load_register(from + i * from_stride);
    }
    /* As often as WIDTH can be halved: row i and row i + WIDTH / 2 mix to the rows 2 i and 2 i + 1. */
    for (int half = WIDTH; half > 1; half /= 2) {
        Register mixed[WIDTH];
        for (int i = 0; i < WIDTH / 2; i++) {
            mixed[2 * i] = mix<0>(rows[i], rows[i + WIDTH / 2]);
            mixed[2 * i + 1] = mix<WIDTH / 2>(rows[i], rows[i + WIDTH / 2]);
        }
        for (int i = 0; i < WIDTH; i++) {
            rows[i] = mixed[i];
        }
    }
    for (int i = 0; i < WIDTH; i++) {
        store_register(to + i * to_stride, rows[i]);
    }
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j

#endif
