/* Panels of product.h, which are others on every instruction set. */
#ifndef ELBO4J_PRODUCT_FUNCTIONS_H
#define ELBO4J_PRODUCT_FUNCTIONS_H

#include <stdint.h>

#include "isas.h"

namespace elbo4j {

struct PanelColumns {
    int64_t from;
    int64_t width;
    int groups;
};

struct ProductFunctions {
    int max_groups;
    int64_t (*panel_count)(int64_t columns);
    PanelColumns (*panel_of)(int64_t columns, int64_t index);
};

#define ELBO4J_DECLARE(ISA)                \
    namespace ISA {                        \
    extern const ProductFunctions PRODUCT; \
    }
ELBO4J_FOR_ISAS(ELBO4J_DECLARE)
#undef ELBO4J_DECLARE

}  // namespace elbo4j

#endif
