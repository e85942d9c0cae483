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

/* Stores gradients, or adds them to what is there. */
class Gradients : public PlainTile {
   public:
    explicit Gradients(const LinearBackwardWeights& call) : c(call) {}

    void begin(const Panel& columns) { panel = columns; }

    void finish(int64_t first, int rows) const {
        for (int i = 0; i < rows; i++) {
            float* to = c.dw + (first + i) * c.in + panel.from;
            for (int j = 0; j < panel.groups; j++) {
                put(to + j * LANES, load(tile_ + i * PANEL + j * LANES), lanes_of(panel, j));
            }
        }
    }

    void biases(int64_t from, const Floats& g, int64_t lanes) const { put(c.db + from, g, lanes); }

    void end() const {}

   private:
    const LinearBackwardWeights& c;
    Panel panel;

    void put(float* to, const Floats& g, int64_t lanes) const {
        store_lanes(to, c.write == ELBO4J_ADD ? load_lanes(to, lanes) + g : g, lanes);
    }
};

/* Where the elements from one on lie in the four arrays of a parameter. */
struct Elements {
    float* gradient;
    float* value;
    float* moment0;
    float* moment1;

    ELBO4J_INLINE Elements plus(int64_t count) const {
        return {gradient + count, value + count, moment0 + count, moment1 + count};
    }
    ELBO4J_INLINE void prefetch() const {
        __builtin_prefetch(gradient, 1);
        __builtin_prefetch(value, 1);
        __builtin_prefetch(moment0, 1);
        __builtin_prefetch(moment1, 1);
    }
};

/* Stores gradients, which somebody may want to look at, and updates what they are of: a tile beside the product of the next. */
class Updates {
   public:
    /* A finished tile, one group of a row at a time. */
    class Aside {
       public:
        static constexpr bool STEPS = true;

        Aside(const AdamStep& adam, const float* tile, const Elements& first, int64_t row_stride, int rows,
              const Panel& panel)
            : adam_(adam),
              tile_(tile),
              row_(first),
              row_stride_(row_stride),
              ahead_(rows * row_stride),
              steps_(rows * panel.groups),
              groups_(panel.groups),
              last_lanes_(lanes_of(panel, panel.groups - 1)) {}

        ELBO4J_INLINE int64_t steps() const { return steps_; }

        ELBO4J_INLINE void step() {
            Elements at = row_.plus(group_ * LANES);
            update(adam_, at, load(tile_ + group_ * LANES), group_ + 1 < groups_ ? LANES : last_lanes_);
            /* Most often the next tile's, for its own turn. */
            at.plus(ahead_).prefetch();
            if (++group_ == groups_) {
                group_ = 0;
                row_ = row_.plus(row_stride_);
                tile_ += PANEL;
            }
        }

       private:
        const AdamStep& adam_;
        const float* tile_;
        Elements row_;
        int64_t row_stride_;
        int64_t ahead_;
        int64_t steps_;
        int64_t group_ = 0;
        int64_t groups_;
        int64_t last_lanes_;
    };

    Updates(const LinearUpdate& call, const AdamStep& step) : c(call), adam(step) {}

    void begin(const Panel& columns) { panel = columns; }

    float* target() { return tiles[current]; }

    Aside aside() const {
        return {adam, tiles[1 - current], weights(finished), c.gradients.in, finished_rows, finished_panel};
    }

    void finish(int64_t first, int rows) {
        finished = first * c.gradients.in + panel.from;
        finished_rows = rows;
        finished_panel = panel;
        current = 1 - current;
    }

    /* The last tile has no product after it. */
    void end() {
        Aside last = aside();
        for (int64_t i = 0; i < last.steps(); i++) {
            last.step();
        }
        finished_rows = 0;
    }

    void biases(int64_t from, const Floats& g, int64_t lanes) const {
        Elements biases = {c.gradients.db, c.adam.values + c.bias_offset, c.adam.moment0 + c.bias_offset,
                           c.adam.moment1 + c.bias_offset};
        update(adam, biases.plus(from), g, lanes);
    }

   private:
    const LinearUpdate& c;
    const AdamStep& adam;
    Panel panel = {};
    int current = 0;
    int64_t finished = 0;
    int finished_rows = 0;
    Panel finished_panel = {};
    alignas(64) float tiles[2][MAX_TILE_ROWS * PANEL];

    Elements weights(int64_t at) const {
        int64_t offset = c.weight_offset + at;
        return {c.gradients.dw + at, c.adam.values + offset, c.adam.moment0 + offset, c.adam.moment1 + offset};
    }

    ELBO4J_INLINE static void update(const AdamStep& adam, const Elements& at, const Floats& g, int64_t lanes) {
        store_lanes(at.gradient, g, lanes);
        Floats w = load_lanes(at.value, lanes);
        Floats m = load_lanes(at.moment0, lanes);
        Floats v = load_lanes(at.moment1, lanes);
        adam_update(adam, g, w, m, v);
        store_lanes(at.value, w, lanes);
        store_lanes(at.moment0, m, lanes);
        store_lanes(at.moment1, v, lanes);
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
void backward(const LinearBackwardWeights& c, const Run& run, Piece piece, Target& target) {
    int64_t rows = run.active_rows * c.fold;
    int64_t blocks = row_blocks(c.out);
    int64_t of_weights = panel_count(c.in) * blocks;
    PanelCopy copy(c.x, c.in, rows, piece.panel);
    for (int64_t unit = piece.from; unit < piece.to; unit++) {
        int64_t from = unit % blocks * BLOCK_ROWS;
        int64_t to = from + BLOCK_ROWS < c.out ? from + BLOCK_ROWS : c.out;
        if (unit < of_weights) {
            Panel panel = panel_of(c.in, unit / blocks);
            target.begin(panel);
            Factor x = copy.of(panel, rows_left(piece, unit, blocks, c.out));
            product(ColumnMajor{c.g, c.out}, x.b, x.stride, rows, from, to, panel.groups, target);
        } else {
            bias_block(c, rows, from, to, target);
        }
    }
    target.end();
}

}  // namespace

int64_t linear_backward_weights_units(const LinearBackwardWeights& c, const Run&) {
    return (panel_count(c.in) + 1) * row_blocks(c.out);
}

void linear_backward_weights(const LinearBackwardWeights& c, const Run& run, Piece piece) {
    Gradients gradients(c);
    backward(c, run, piece, gradients);
}

void linear_update(const LinearUpdate& c, const Run& run, Piece piece) {
    AdamStep step = adam_step(c.adam, run.state);
    Updates updates(c, step);
    backward(c.gradients, run, piece, updates);
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
