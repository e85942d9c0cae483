/*
 * dW = g^T x and db = sum over rows of g, overwritten or added to; and the same with a step of Adam on what was computed.
 *
 * x [rows, in], g [rows, out], dW [out, in], db [out]. The sum over rows runs in ascending order; that of db in blocks of 64
 * rows, and then over the blocks. A unit is a panel of inputs for a block of outputs; the biases of the block go with its first panel; see
 * docs/kernels/linear.md.
 */
#include "adam.h"
#include "kernels.h"
#include "listed.h"
#include "product.h"
#include "transpose.h"

namespace elbo4j {
namespace ELBO4J_ISA {

namespace {

constexpr int64_t SUM_BLOCK = 64;

/* Targets take tiles [rows, PANEL], or strips [rows, LANES] of as many rows as a panel has columns. */
static_assert(PANEL * LANES <= MAX_TILE_ROWS * PANEL, "a strip is larger than a tile");

/* Stores gradients, or adds them to what is there. */
class Gradients : public PlainTile {
   public:
    explicit Gradients(const LinearBackwardWeights& call) : c(call) {}

    void begin(const Panel& columns, int64_t tile_stride) {
        panel = columns;
        stride_ = tile_stride;
    }

    void finish(int64_t first, int rows) const {
        for (int i = 0; i < rows; i++) {
            float* to = c.dw + (first + i) * c.in + panel.from;
            for (int j = 0; j < panel.groups; j++) {
                put(to + j * LANES, load(tile_ + i * stride_ + j * LANES), lanes_of(panel, j));
            }
        }
    }

    void end() const {}

    void biases(int64_t from, const Floats& g, int64_t lanes) const { put(c.db + from, g, lanes); }

   private:
    const LinearBackwardWeights& c;
    Panel panel;
    int64_t stride_ = PANEL;

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

        Aside(const Updates& of, const Cursor& finished, const float* gradients, int64_t stride, const Cursor& present)
            : of_(of), finished_(finished), gradients_(gradients), stride_(stride), present_(present) {}

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
                gradients_ += finished_.next() ? stride_ : 0;
            }
        }

       private:
        const Updates& of_;
        Cursor finished_;
        const float* gradients_;
        int64_t stride_;
        Cursor present_;
    };

    Updates(const LinearUpdate& call, const AdamStep& step, bool last)
        : c(call), adam(step), stores_gradients_(last || call.read) {}

    void begin(const Panel& columns, int64_t tile_stride) {
        panel = columns;
        stride_ = tile_stride;
    }

    float* target() { return tiles_[present_]; }

    Aside aside(int64_t first, int rows) const { return beside(cursor(first, rows)); }

    void finish(int64_t first, int rows) {
        finished_ = cursor(first, rows);
        finished_stride_ = stride_;
        present_ = 1 - present_;
    }

    /* The last tile has no product behind it. */
    void end() {
        Aside last = beside(none_);
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
    int64_t finished_stride_ = PANEL;
    int64_t stride_ = PANEL;
    int present_ = 0;
    alignas(64) float tiles_[2][MAX_TILE_ROWS * PANEL];

    Aside beside(const Cursor& present) const {
        return {*this, finished_, tiles_[1 - present_], finished_stride_, present};
    }

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

/* A part of what may be done beside the product of a strip: as large as the part of a tile in it. */
template <class Whole>
class PartAside {
   public:
    static constexpr bool STEPS = Whole::STEPS;

    PartAside(Whole* whole, int64_t steps) : whole_(whole), steps_(steps) {}

    ELBO4J_INLINE int64_t steps() const { return steps_; }
    ELBO4J_INLINE void step() { whole_->step(); }

   private:
    Whole* whole_;
    int64_t steps_;
};

/*
 * The product where rows of x are left out, in which eight inputs are zero: inputs are the rows of its tiles, and outputs the
 * columns. Sixteen inputs of a panel of outputs are a strip, which is handed on transposed: [outputs, LANES].
 */
template <class Target>
class Strips {
   public:
    using Whole = typename Target::Aside;
    using Aside = PartAside<Whole>;

    explicit Strips(Target& target) : target_(target) {}

    /* The outputs [from, to) of a panel of inputs; g [rows, stride] of these outputs. */
    void compute(const Panel& inputs, int64_t from, int64_t to, const Factor& g, const Nonzeros& nonzeros) {
        for (int j = 0; j < inputs.groups; j++) {
            Panel group = group_of(inputs, j);
            target_.begin(group, LANES);
            for (int64_t o = from; o < to; o += PANEL) {
                int64_t width = to - o < PANEL ? to - o : PANEL;
                Panel outputs = {o, width, (int)((width + LANES - 1) / LANES)};
                strip(group, outputs, {g.b + (o - from), g.stride}, nonzeros);
            }
        }
    }

    float* target() { return next_; }
    Aside aside(int64_t, int rows) {
        if constexpr (Whole::STEPS) {
            return {beside_, rows < left_ ? beside_->steps() * rows / left_ : beside_->steps()};
        } else {
            return {beside_, 0};
        }
    }
    void finish(int64_t, int rows) {
        next_ += rows * PANEL;
        left_ -= rows;
    }

   private:
    Target& target_;
    Whole* beside_ = nullptr;
    /* Inputs that are not there are transposed as well, with what was here before. */
    alignas(64) float block_[LANES * PANEL] = {};
    float* next_ = block_;
    int64_t left_ = 0;

    void strip(const Panel& inputs, const Panel& outputs, const Factor& g, const Nonzeros& nonzeros) {
        Whole beside = target_.aside(outputs.from, (int)outputs.width);
        beside_ = &beside;
        next_ = block_;
        left_ = inputs.width;
        int64_t end = inputs.from + inputs.width;
        for (int64_t i = inputs.from; i < end; i += EIGHT) {
            product(elements_of(nonzeros, i / EIGHT), g.b, g.stride, rows_of(nonzeros, i / EIGHT), 0,
                    i + EIGHT < end ? EIGHT : end - i, outputs.groups, *this);
        }
        float* to = target_.target();
        for (int i = 0; i < LANES; i += WIDTH) {
            for (int o = 0; o < outputs.groups * LANES; o += WIDTH) {
                transpose_square(block_ + i * PANEL + o, PANEL, to + o * LANES + i, LANES);
            }
        }
        target_.finish(outputs.from, (int)outputs.width);
    }
};

/* A block of outputs of g, copied side by side if there is room. */
Factor block_of(const LinearBackwardWeights& c, int64_t rows, const Walk::Unit& unit, Room* room) {
    if (room == nullptr) {
        return {c.g + unit.from, c.out};
    }
    if (room->panel != unit.from) {
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t o = 0; o < unit.to - unit.from; o += LANES) {
                store(room->floats + r * BLOCK_ROWS + o, load(c.g + r * c.out + unit.from + o));
            }
        }
        room->panel = unit.from;
    }
    return {room->floats, BLOCK_ROWS};
}

template <class Target>
void backward(const LinearBackwardWeights& c, const Run& run, Piece piece, Target& target) {
    int64_t rows = run.active_rows * c.fold;
    Walk walk(c.out, panel_count(c.in), run.threads);
    bool listed = piece.nonzeros != nullptr && piece.nonzeros->rows_listed;
    PanelCopy copy(c.x, c.in, rows, piece);
    Strips<Target> strips(target);
    for (int64_t i = piece.from; i < piece.to; i++) {
        Walk::Unit unit = listed ? walk.at_by_blocks(i) : walk.at(i);
        if (unit.from == unit.to) {
            continue;
        }
        if (unit.panel == 0) {
            bias_block(c, rows, unit.from, unit.to, target);
        }
        Panel panel = panel_of(c.in, unit.panel);
        if (listed) {
            strips.compute(panel, unit.from, unit.to, block_of(c, rows, unit, piece.room), *piece.nonzeros);
        } else {
            target.begin(panel, PANEL);
            Factor x = copy.of(panel, unit.rows_left);
            product(ColumnMajor{c.g, c.out}, x.b, x.stride, AllTerms{rows}, unit.from, unit.to, panel.groups, target);
        }
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
