/*
 * dx = (g W) * f'(saved), or dx = (dx + g W) * f'(saved).
 *
 * g [rows, out], W [out, in] read as it lies or a panel's columns at a time, saved and dx [rows, in]. A unit is a panel of inputs for a block of rows;
 * see docs/kernels/linear.md.
 */
#include "activation.h"
#include "kernels.h"
#include "magnitude.h"
#include "product.h"

namespace elbo4j {
namespace ELBO4J_ISA {

namespace {

/* The sum so far, if any, and the derivative of the activation below. */
template <int ACTIVATION>
struct BackwardSink : PlainTile {
    const LinearBackwardInput& c;
    Panel panel;
    Magnitude& largest;

    BackwardSink(const LinearBackwardInput& call, const Panel& columns, Magnitude& of_piece)
        : c(call), panel(columns), largest(of_piece) {}

    using Aside = Fetch;
    Fetch aside(int64_t first, int rows) const {
        int64_t at = first * c.in + panel.from;
        return {ACTIVATION != ELBO4J_IDENTITY ? c.saved + at : nullptr, c.dx + at, c.in, rows, panel.groups};
    }

    void finish(int64_t first, int rows) {
        Magnitude of_tile;
        for (int i = 0; i < rows; i++) {
            int64_t row = (first + i) * c.in + panel.from;
            for (int j = 0; j < panel.groups; j++) {
                int64_t lanes = lanes_of(panel, j);
                int64_t at = row + j * LANES;
                Floats total = load(tile_ + i * PANEL + j * LANES);
                if (c.write == ELBO4J_ADD) {
                    total = load_lanes(c.dx + at, lanes) + total;
                }
                if constexpr (ACTIVATION != ELBO4J_IDENTITY) {
                    total = total * derivative<ACTIVATION>(load_lanes(c.saved + at, lanes));
                }
                store_lanes(c.dx + at, total, lanes);
                of_tile.take(total, lanes);
            }
        }
        largest.take(of_tile);
    }
};

template <int ACTIVATION>
void backward(const LinearBackwardInput& c, const Run& run, Piece piece) {
    int64_t rows = run.active_rows * c.fold;
    Walk walk(rows, panel_count(c.in), 1);
    PanelCopy copy(c.w, c.in, c.out, piece);
    Magnitude largest;
    for (int64_t i = piece.from; i < piece.to; i++) {
        Walk::Unit unit = walk.at(i);
        Panel panel = panel_of(c.in, unit.panel);
        BackwardSink<ACTIVATION> sink(c, panel, largest);
        Factor w = copy.of(panel, unit.rows_left);
        product(RowMajor{c.g, c.out}, w.b, w.stride, AllTerms{c.out}, unit.from, unit.to, panel.groups, sink);
    }
    largest.raise_largest(piece);
}

}  // namespace

int64_t linear_backward_input_units(const LinearBackwardInput& c, const Run& run) {
    return Walk(run.active_rows * c.fold, panel_count(c.in), 1).units();
}

void linear_backward_input(const LinearBackwardInput& c, const Run& run, Piece piece) {
    switch (c.activation) {
        case ELBO4J_IDENTITY:
            return backward<ELBO4J_IDENTITY>(c, run, piece);
        case ELBO4J_RELU:
            return backward<ELBO4J_RELU>(c, run, piece);
        case ELBO4J_LEAKY_RELU:
            return backward<ELBO4J_LEAKY_RELU>(c, run, piece);
        case ELBO4J_ELU:
            return backward<ELBO4J_ELU>(c, run, piece);
        case ELBO4J_GELU:
            return backward<ELBO4J_GELU>(c, run, piece);
        case ELBO4J_SILU:
            return backward<ELBO4J_SILU>(c, run, piece);
        case ELBO4J_TANH:
            return backward<ELBO4J_TANH>(c, run, piece);
        case ELBO4J_SIGMOID:
            return backward<ELBO4J_SIGMOID>(c, run, piece);
        case ELBO4J_SOFTPLUS:
            return backward<ELBO4J_SOFTPLUS>(c, run, piece);
    }
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
