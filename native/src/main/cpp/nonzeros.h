/*
 * The elements of a matrix that are not zero, as products want to know them that leave out the others: most pixels of a drawing
 * are zero, and a term with a zero in it changes no sum. Rows and columns are listed by eights, as many as a tile has rows.
 * -0 is zero, NaN is not.
 */
#ifndef ELBO4J_NONZEROS_H
#define ELBO4J_NONZEROS_H

#include "call.h"
#include "each.h"

namespace elbo4j {
namespace ELBO4J_ISA {

constexpr int64_t EIGHT = 8;

static inline int64_t eights(int64_t count) { return (count + EIGHT - 1) / EIGHT; }

/* Whether so many listed terms of so many take less time than all: each takes a little longer. */
static inline bool pays(int64_t listed, int64_t all) { return 8 * listed < 7 * all; }

ELBO4J_INLINE uint32_t nonzero_mask(const Floats& a) { return nonzero_lanes(a); }
ELBO4J_INLINE uint32_t nonzero_mask(const Ints& a) { return nonzero_lanes(to_floats(a)); }

/* Writes the masks of a row that is brought in, if somebody wants them: a bit for each column that is not zero. */
template <class Element>
ELBO4J_INLINE void mask_row(const Nonzeros* nonzeros, int64_t row, const Element* in, int64_t columns) {
    if (nonzeros == nullptr) {
        return;
    }
    uint16_t* masks = nonzeros->masks + row;
    for_each_vector(0, columns, [&](int64_t c, int64_t n) ELBO4J_INLINE_LAMBDA {
        masks[c / LANES * nonzeros->rows_room] = (uint16_t)nonzero_mask(load_first(in + c, n));
    });
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j

#endif
