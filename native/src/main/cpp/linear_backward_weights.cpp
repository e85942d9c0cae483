/*
 * dW = g^T x and db = sum over rows of g, overwritten or added to; and the same with a step of Adam on what was computed.
 *
 * x [rows, in], g [rows, out], dW [out, in], db [out]. The sum over rows runs in ascending order; that of db in blocks of 64
 * rows, and then over the blocks. A unit is a panel of inputs for a block of outputs; the biases of the block go with its first panel; see
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

    void end() const {}

    void biases(int64_t from, const Floats& g, int64_t lanes) const { put(c.db + from, g, lanes); }

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
    ELBO4J_INLINE void prefetch(bool stores_gradients) const {
        if (stores_gradients) {
            __builtin_prefetch(gradient, 1);
        }
        __builtin_prefetch(value, 1);
        __builtin_prefetch(moment0, 1);
        __builtin_prefetch(moment1, 1);
    }
};

/* Goes over the elements of a tile, a group of a row at a time. */
class Cursor {
   public:
    Cursor(const Elements& first, int64_t row_stride, int rows, const Panel& panel)
        : at_(first),
          to_next_row_(row_stride - (panel.groups - 1) * LANES),
          left_(rows * panel.groups),
          groups_(panel.groups),
          last_lanes_(panel.groups > 0 ? lanes_of(panel, panel.groups - 1) : 0) {}

    ELBO4J_INLINE int64_t left() const { return left_; }
    ELBO4J_INLINE const Elements& at() const { return at_; }
    ELBO4J_INLINE int group() const { return group_; }
    ELBO4J_INLINE int64_t lanes() const { return group_ + 1 < groups_ ? LANES : last_lanes_; }

    /* Says whether a row has ended. */
    ELBO4J_INLINE bool next() {
        left_--;
        bool ended = ++group_ == groups_;
        at_ = at_.plus(ended ? to_next_row_ : LANES);
        group_ = ended ? 0 : group_;
        return ended;
    }

   private:
    Elements at_;
    int64_t to_next_row_;
    int64_t left_;
    int group_ = 0;
    int groups_;
    int64_t last_lanes_;
};

/*
 * Updates what gradients are of, and stores those that somebody may want to look at: a tile beside the product of the next
 * one, whose own elements are fetched at the same time. So neither memory nor divisions keep the multiplications waiting.
 */
class Updates {
   public:
    class Aside {
       public:
        static constexpr bool STEPS = true;

        Aside(const Updates& of, const Cursor& finished, const float* gradients, const Cursor& present)
            : of_(of), finished_(finished), gradients_(gradients), present_(present) {}

        ELBO4J_INLINE int64_t steps() const {
            return finished_.left() > present_.left() ? finished_.left() : present_.left();
        }

        ELBO4J_INLINE void step() {
            if (present_.left() > 0) {
                present_.at().prefetch(of_.stores_gradients_);
                present_.next();
            }
            if (finished_.left() > 0) {
                of_.update(finished_.at(), load(gradients_ + finished_.group() * LANES), finished_.lanes());
                gradients_ += finished_.next() ? PANEL : 0;
            }
        }

       private:
        const Updates& of_;
        Cursor finished_;
        const float* gradients_;
        Cursor present_;
    };

    Updates(const LinearUpdate& call, const AdamStep& step, bool last)
        : c(call), adam(step), stores_gradients_(last || call.read) {}

    void begin(const Panel& columns) { panel = columns; }

    float* target() { return tiles_[present_]; }

    Aside aside(int64_t first, int rows) const { return {*this, finished_, tiles_[1 - present_], cursor(first, rows)}; }

    void finish(int64_t first, int rows) {
        finished_ = cursor(first, rows);
        present_ = 1 - present_;
    }

    /* The last tile has no product behind it. */
    void end() {
        Aside last(*this, finished_, tiles_[1 - present_], none_);
        for (int64_t left = last.steps(); left > 0; left--) {
            last.step();
        }
        finished_ = none_;
    }

    void biases(int64_t from, const Floats& g, int64_t lanes) const {
        Elements biases = {c.gradients.db, c.adam.values + c.bias_offset, c.adam.moment0 + c.bias_offset,
                           c.adam.moment1 + c.bias_offset};
        update(biases.plus(from), g, lanes);
    }

   private:
    const LinearUpdate& c;
    const AdamStep& adam;
    Panel panel = {};
    bool stores_gradients_;
    const Cursor none_ = {{}, 0, 0, {}};
    Cursor finished_ = none_;
    int present_ = 0;
    alignas(64) float tiles_[2][MAX_TILE_ROWS * PANEL];

    /* Over rows of the panel, from one on. */
    Cursor cursor(int64_t first, int rows) const {
        int64_t at = first * c.gradients.in + panel.from;
        int64_t offset = c.weight_offset + at;
        Elements elements = {c.gradients.dw + at, c.adam.values + offset, c.adam.moment0 + offset,
                             c.adam.moment1 + offset};
        return {elements, c.gradients.in, rows, panel};
    }

    ELBO4J_INLINE void update(const Elements& at, const Floats& g, int64_t lanes) const {
        if (stores_gradients_) {
            store_lanes(at.gradient, g, lanes);
        }
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
    Walk walk(c.out, panel_count(c.in), run.threads);
    PanelCopy copy(c.x, c.in, rows, piece);
    for (int64_t i = piece.from; i < piece.to; i++) {
        Walk::Unit unit = walk.at(i);
        if (unit.panel == 0) {
            bias_block(c, rows, unit.from, unit.to, target);
        }
        Panel panel = panel_of(c.in, unit.panel);
        target.begin(panel);
        Factor x = copy.of(panel, unit.rows_left);
        product(ColumnMajor{c.g, c.out}, x.b, x.stride, rows, unit.from, unit.to, panel.groups, target);
    }
    target.end();
}

}  // namespace

int64_t linear_backward_weights_units(const LinearBackwardWeights& c, const Run& run) {
    return Walk(c.out, panel_count(c.in), run.threads).units();
}

void linear_backward_weights(const LinearBackwardWeights& c, const Run& run, Piece piece) {
    Gradients gradients(c);
    backward(c, run, piece, gradients);
}

void linear_update(const LinearUpdate& c, const Run& run, Piece piece) {
    AdamStep step = adam_step(c.adam, run.state);
    Updates updates(c, step, run.last);
    backward(c.gradients, run, piece, updates);
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
