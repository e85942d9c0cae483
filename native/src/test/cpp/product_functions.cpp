/* Compiled once for each instruction set. */
#include "product_functions.h"

#include "product.h"

namespace elbo4j {
namespace ELBO4J_ISA {

static int64_t count_of(int64_t columns) { return panel_count(columns); }

static PanelColumns columns_of(int64_t columns, int64_t index) {
    Panel panel = panel_of(columns, index);
    return {panel.from, panel.width, panel.groups};
}

const ProductFunctions PRODUCT = {MAX_GROUPS, count_of, columns_of};

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
