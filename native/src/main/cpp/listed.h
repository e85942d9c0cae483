/* What products leave out, by the lists of what is not zero. */
#ifndef ELBO4J_LISTED_H
#define ELBO4J_LISTED_H

#include "nonzeros.h"
#include "product.h"

namespace elbo4j {
namespace ELBO4J_ISA {

/* The columns in which one of eight rows is not zero. */
static inline ListedTerms columns_of(const Nonzeros& nonzeros, int64_t eight) {
    return {nonzeros.columns + eight * nonzeros.columns_room, nonzeros.column_counts[eight]};
}

/* The rows in which one of eight columns is not zero. */
static inline ListedRows rows_of(const Nonzeros& nonzeros, int64_t eight) {
    return {nonzeros.rows + eight * nonzeros.rows_room, nonzeros.row_counts[eight]};
}

/* Their elements. */
static inline EightRows elements_of(const Nonzeros& nonzeros, int64_t eight) {
    return {nonzeros.values + eight * nonzeros.rows_room * EIGHT};
}

/* Whether it pays for rows from the first of an eight on to leave out columns. */
static inline bool columns_pay(const Nonzeros& nonzeros, int64_t from, int64_t to, int64_t columns) {
    int64_t listed = 0;
    for (int64_t i = from / EIGHT; i < eights(to); i++) {
        listed += nonzeros.column_counts[i];
    }
    return pays(listed, (eights(to) - from / EIGHT) * columns);
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j

#endif
