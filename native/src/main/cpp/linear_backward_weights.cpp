/*
 * dW = g^T x and db = sum over rows of g, overwritten or added to; and the same with a step of Adam on what was computed.
 *
 * x [rows, in], g [rows, out], dW [out, in], db [out]. The sum over rows runs in ascending order; that of db in blocks of 64
 * rows, and then over the blocks. Units are first panels of inputs for blocks of outputs, then blocks of biases; see
 * docs/kernels/linear.md.
 */
#include "adam.h"
#include "kernels.h"
#include "product.h"

namespace elbo4j {
namespace ELBO4J_ISA {

namespace {

constexpr int64_t SUM_BLOCK = 64;

/* Stores gradients. */
struct Gradients {
    const LinearBackwardWeights& c;

    void weights(int64_t at, const Floats& g, int64_t lanes) const { put(c.dw + at, g, lanes); }
    void biases(int64_t at, const Floats& g, int64_t lanes) const { put(c.db + at, g, lanes); }

   private:
    void put(float* to, const Floats& g, int64_t lanes) const {
        store_lanes(to, c.write == ELBO4J_ADD ? load_lanes(to, lanes) + g : g, lanes);
    }
};

/* Stores gradients, which somebody may want to look at, and updates what they are of. */
struct Updates {
    const LinearUpdate& c;
    AdamStep step;

    void weights(int64_t at, const Floats& g, int64_t lanes) const {
        store_lanes(c.gradients.dw + at, g, lanes);
        update(c.weight_offset + at, g, lanes);
    }
    void biases(int64_t at, const Floats& g, int64_t lanes) const {
        store_lanes(c.gradients.db + at, g, lanes);
        update(c.bias_offset + at, g, lanes);
    }

   private:
    void update(int64_t at, const Floats& g, int64_t lanes) const {
        Floats w = load_lanes(c.adam.values + at, lanes);
        Floats m = load_lanes(c.adam.moment0 + at, lanes);
        Floats v = load_lanes(c.adam.moment1 + at, lanes);
        adam_update(step, g, w, m, v);
        store_lanes(c.adam.values + at, w, lanes);
        store_lanes(c.adam.moment0 + at, m, lanes);
        store_lanes(c.adam.moment1 + at, v, lanes);
    }
};

template <class Target>
struct WeightSink {
    const LinearBackwardWeights& c;
    Panel panel;
    const Target& target;

    void operator()(int64_t first, int rows, const float* tile) const {
        for (int i = 0; i < rows; i++) {
            int64_t at = (first + i) * c.in + panel.from;
            for (int j = 0; j < panel.groups; j++) {
                target.weights(at + j * LANES, load(tile + i * PANEL + j * LANES), lanes_of(panel, j));
            }
        }
    }
};

template <class Target>
void bias_block(const LinearBackwardWeights& c, int64_t rows, int64_t from, int64_t to, const Target& target) {
    for (int64_t o = from; o < to; o += LANES) {
        int64_t lanes = to - o < LANES ? to - o : LANES;
        Floats total = floats(0);
        for (int64_t start = 0; start < rows; start += SUM_BLOCK) {
            Floats block = floats(0);
            int64_t end = start + SUM_BLOCK < rows ? start + SUM_BLOCK : rows;
            for (int64_t r = start; r < end; r++) {
                block = block + load_lanes(c.g + r * c.out + o, lanes);
            }
            total = total + block;
        }
        target.biases(o, total, lanes);
    }
}

template <class Target>
void backward(const LinearBackwardWeights& c, const Run& run, Piece piece, const Target& target) {
    int64_t rows = run.active_rows * c.fold;
    int64_t blocks = row_blocks(c.out);
    int64_t of_weights = panel_count(c.in) * blocks;
    for (int64_t unit = piece.from; unit < piece.to; unit++) {
        int64_t from = unit % blocks * BLOCK_ROWS;
        int64_t to = from + BLOCK_ROWS < c.out ? from + BLOCK_ROWS : c.out;
        if (unit < of_weights) {
            Panel panel = panel_of(c.in, unit / blocks);
            product(ColumnMajor{c.g, c.out}, c.x + panel.from, c.in, rows, from, to, panel.groups,
                    WeightSink<Target>{c, panel, target});
        } else {
            bias_block(c, rows, from, to, target);
        }
    }
}

}  // namespace

int64_t linear_backward_weights_units(const LinearBackwardWeights& c, const Run&) {
    return (panel_count(c.in) + 1) * row_blocks(c.out);
}

void linear_backward_weights(const LinearBackwardWeights& c, const Run& run, Piece piece) {
    backward(c, run, piece, Gradients{c});
}

void linear_update(const LinearUpdate& c, const Run& run, Piece piece) {
    backward(c.gradients, run, piece, Updates{c, adam_step(c.adam, run.state)});
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
