/* Largest magnitudes, in the order of their bits, where infinities and NaN come last. */
#ifndef ELBO4J_MAGNITUDE_H
#define ELBO4J_MAGNITUDE_H

#include "call.h"
#include "simd.h"

namespace elbo4j {
namespace ELBO4J_ISA {

/* A chain of maxima, each of which waits for the one before. */
class Magnitude {
   public:
    /* The first lanes count. */
    ELBO4J_INLINE void take(const Floats& values, int64_t lanes) { raise(bits(abs(first(values, lanes)))); }
    ELBO4J_INLINE void take(const Magnitude& other) { raise(other.largest_); }

    uint32_t bits_of_largest() const {
        int32_t lanes[LANES];
        store(lanes, largest_);
        for (int lane = 1; lane < LANES; lane++) {
            lanes[0] = lanes[lane] > lanes[0] ? lanes[lane] : lanes[0];
        }
        return (uint32_t)lanes[0];
    }

    /* Tells the caller of a piece, who may not want to know. */
    void raise_largest(const Piece& piece) const {
        if (piece.largest != nullptr) {
            uint32_t largest = bits_of_largest();
            *piece.largest = largest > *piece.largest ? largest : *piece.largest;
        }
    }

   private:
    Ints largest_ = ints(0);

    ELBO4J_INLINE void raise(const Ints& magnitude) { largest_ = max(largest_, magnitude); }
};

}  // namespace ELBO4J_ISA
}  // namespace elbo4j

#endif
