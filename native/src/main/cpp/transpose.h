/* Squares of a matrix, transposed in registers. */
#ifndef ELBO4J_TRANSPOSE_H
#define ELBO4J_TRANSPOSE_H

#include "simd.h"

namespace elbo4j {
namespace ELBO4J_ISA {

/* a0 b0 a1 b1 and so on, of the lower halves and of the upper. */
ELBO4J_INLINE Register mix_low(Register a, Register b) {
#if defined(__AVX512F__)
    return ELBO4J_SHUFFLE(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
#elif defined(__AVX2__)
    return ELBO4J_SHUFFLE(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
#else
    return ELBO4J_SHUFFLE(a, b, 0, 4, 1, 5);
#endif
}

ELBO4J_INLINE Register mix_high(Register a, Register b) {
#if defined(__AVX512F__)
    return ELBO4J_SHUFFLE(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif defined(__AVX2__)
    return ELBO4J_SHUFFLE(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
    return ELBO4J_SHUFFLE(a, b, 2, 6, 3, 7);
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
            mixed[2 * i] = mix_low(rows[i], rows[i + WIDTH / 2]);
            mixed[2 * i + 1] = mix_high(rows[i], rows[i + WIDTH / 2]);
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
