/*
 * y = f(x W^T + b), and the pre-activation where asked for.
 *
 * x [rows, in], W [out, in] read through its transposed copy (pack_weights.cpp), b [out], y and pre [rows, out], all
 * overwritten. A unit is a panel of outputs for a block of rows; see docs/kernels/linear.md.
 */
#include "activation.h"
#include "kernels.h"
#include "product.h"

namespace elbo4j {
namespace ELBO4J_ISA {

namespace {

/* Bias and activation of a tile, and its store. */
template <int ACTIVATION>
struct ForwardSink : PlainTile {
    const LinearForward& c;
    Panel panel;

    ForwardSink(const LinearForward& call, const Panel& columns) : c(call), panel(columns) {}

    void finish(int64_t first, int rows) const {
        for (int i = 0; i < rows; i++) {
            int64_t at = (first + i) * c.out + panel.from;
            for (int j = 0; j < panel.groups; j++) {
                int64_t lanes = lanes_of(panel, j);
                Floats bias = load_lanes(c.b + panel.from + j * LANES, lanes);
                Floats a = load(tile_ + i * PANEL + j * LANES) + bias;
                if (c.pre != nullptr) {
                    store_lanes(c.pre + at + j * LANES, a, lanes);
                }
                store_lanes(c.y + at + j * LANES, value<ACTIVATION>(a), lanes);
            }
        }
    }
};

template <int ACTIVATION>
void forward(const LinearForward& c, const Run& run, Piece piece) {
    int64_t rows = run.active_rows * c.fold;
    int64_t blocks = row_blocks(rows);
    for (int64_t unit = piece.from; unit < piece.to; unit++) {
        Panel panel = panel_of(c.out, unit / blocks);
        int64_t from = unit % blocks * BLOCK_ROWS;
        int64_t to = from + BLOCK_ROWS < rows ? from + BLOCK_ROWS : rows;
        const float* b = c.pack.w.packed + panel.from * c.in;
        ForwardSink<ACTIVATION> sink(c, panel);
        product(RowMajor{c.x, c.in}, b, panel.width, c.in, from, to, panel.groups, sink);
    }
}

}  // namespace

int64_t linear_forward_units(const LinearForward& c, const Run& run) {
    return panel_count(c.out) * row_blocks(run.active_rows * c.fold);
}

void linear_forward(const LinearForward& c, const Run& run, Piece piece) {
    switch (c.activation) {
        case ELBO4J_IDENTITY:
            return forward<ELBO4J_IDENTITY>(c, run, piece);
        case ELBO4J_RELU:
            return forward<ELBO4J_RELU>(c, run, piece);
        case ELBO4J_LEAKY_RELU:
            return forward<ELBO4J_LEAKY_RELU>(c, run, piece);
        case ELBO4J_ELU:
            return forward<ELBO4J_ELU>(c, run, piece);
        case ELBO4J_GELU:
            return forward<ELBO4J_GELU>(c, run, piece);
        case ELBO4J_SILU:
            return forward<ELBO4J_SILU>(c, run, piece);
        case ELBO4J_TANH:
            return forward<ELBO4J_TANH>(c, run, piece);
        case ELBO4J_SIGMOID:
            return forward<ELBO4J_SIGMOID>(c, run, piece);
        case ELBO4J_SOFTPLUS:
            return forward<ELBO4J_SOFTPLUS>(c, run, piece);
    }
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
