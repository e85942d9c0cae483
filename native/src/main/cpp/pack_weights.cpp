/*
 * The transposed copy of weights W [out, in] that forward products read: panel after panel, each [in, width] with the
 * columns of the panel side by side, so that it takes exactly as many elements as W. A unit is a panel of outputs.
 */
#include "kernels.h"
#include "product.h"
#include "transpose.h"

namespace elbo4j {
namespace ELBO4J_ISA {

int64_t pack_weights_units(const PackWeights& c) { return panel_count(c.out); }

void pack_weights(const PackWeights& c, Piece piece) {
    for (int64_t unit = piece.from; unit < piece.to; unit++) {
        Panel panel = panel_of(c.out, unit);
        const float* from = c.w.values + panel.from * c.in;
        float* to = c.w.packed + panel.from * c.in;
        int64_t whole_columns = panel.width / WIDTH * WIDTH;
        int64_t whole_depth = c.in / WIDTH * WIDTH;
        for (int64_t o = 0; o < whole_columns; o += WIDTH) {
            for (int64_t k = 0; k < whole_depth; k += WIDTH) {
                transpose_square(from + o * c.in + k, c.in, to + k * panel.width + o, panel.width);
            }
        }
        for (int64_t o = 0; o < panel.width; o++) {
            for (int64_t k = o < whole_columns ? whole_depth : 0; k < c.in; k++) {
                to[k * panel.width + o] = from[o * c.in + k];
            }
        }
    }
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
