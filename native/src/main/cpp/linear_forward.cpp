/*
 * y = f(x W^T + b), and the pre-activation where asked for.
 *
 * x [rows, in], W [out, in], b [out], y and pre [rows, out], the last two overwritten. W is read through its transposed
 * copy (pack_weights.cpp), or as it lies where x is the cheaper one to transpose; the chains, and so the bits, are the same.
 * See docs/kernels/linear.md.
 */
#include "activation.h"
#include "kernels.h"
#include "listed.h"
#include "magnitude.h"
#include "product.h"
#include "transpose.h"

namespace elbo4j {
namespace ELBO4J_ISA {

namespace {

/* Bias and activation of a tile, and its store. */
template <int ACTIVATION>
struct ForwardSink : PlainTile {
    const LinearForward& c;
    Panel panel;
    Magnitude& largest;

    ForwardSink(const LinearForward& call, const Panel& columns, Magnitude& of_piece)
        : c(call), panel(columns), largest(of_piece) {}

    void finish(int64_t first, int rows) {
        Magnitude of_tile;
        for (int i = 0; i < rows; i++) {
            int64_t at = (first + i) * c.out + panel.from;
            for (int j = 0; j < panel.groups; j++) {
                int64_t lanes = lanes_of(panel, j);
                Floats bias = load_lanes(c.b + panel.from + j * LANES, lanes);
                Floats a = load(tile_ + i * PANEL + j * LANES) + bias;
                if (c.pre != nullptr) {
                    store_lanes(c.pre + at + j * LANES, a, lanes);
                }
                Floats y = value<ACTIVATION>(a);
                store_lanes(c.y + at + j * LANES, y, lanes);
                of_tile.take(y, lanes);
            }
        }
        largest.take(of_tile);
    }
};

/* Through the transposed copy: columns are outputs, a unit is a panel of them for a block of rows. */
template <int ACTIVATION>
void forward_packed(const LinearForward& c, int64_t rows, Piece piece) {
    Walk walk(rows, panel_count(c.out), 1);
    Magnitude largest;
    for (int64_t i = piece.from; i < piece.to; i++) {
        Walk::Unit unit = walk.at(i);
        Panel panel = panel_of(c.out, unit.panel);
        const float* b = c.pack.w.packed + panel.from * c.in;
        ForwardSink<ACTIVATION> sink(c, panel, largest);
        RowMajor x = {c.x, c.in};
        if (piece.nonzeros == nullptr || !columns_pay(*piece.nonzeros, unit.from, unit.to, c.in)) {
            product(x, b, panel.width, AllTerms{c.in}, unit.from, unit.to, panel.groups, sink);
            continue;
        }
        for (int64_t from = unit.from; from < unit.to; from += EIGHT) {
            int64_t to = from + EIGHT < unit.to ? from + EIGHT : unit.to;
            product(x, b, panel.width, columns_of(*piece.nonzeros, from / EIGHT), from, to, panel.groups, sink);
        }
    }
    largest.raise_largest(piece);
}

/* Overwrites to [in, PANEL] with the transpose of a panel's rows of x; lanes without a row are zero. */
void transpose_rows(const LinearForward& c, const Panel& rows, float* to) {
    for (int64_t lane = 0; lane < rows.groups * LANES; lane += WIDTH) {
        const float* from = c.x + (rows.from + lane) * c.in;
        int64_t there = rows.width - lane < WIDTH ? rows.width - lane : WIDTH;
        int64_t whole = there == WIDTH ? c.in / WIDTH * WIDTH : 0;
        for (int64_t k = 0; k < whole; k += WIDTH) {
            transpose_square(from + k, c.in, to + k * PANEL + lane, PANEL);
        }
        for (int64_t k = whole; k < c.in; k++) {
            for (int64_t i = 0; i < WIDTH; i++) {
                to[k * PANEL + lane + i] = i < there ? from[i * c.in + k] : 0;
            }
        }
    }
}

/* Lists the columns in which one of a panel's rows is not zero, and says how many they are. */
int64_t list_columns(const float* transpose, const Panel& rows, int64_t columns, int32_t* list) {
    int32_t* end = list;
    for (int64_t from = 0; from < columns; from += LANES) {
        uint32_t bits = 0;
        for (int64_t k = from; k < columns && k < from + LANES; k++) {
            uint32_t some = 0;
            for (int j = 0; j < rows.groups; j++) {
                some |= nonzero_lanes(load(transpose + k * PANEL + j * LANES));
            }
            bits |= (some != 0 ? 1u : 0u) << (k - from);
        }
        end = append_numbers(end, bits, from);
    }
    return end - list;
}

/* The product of a block of outputs, transposed: tiles [outputs, PANEL] one below the other. */
class TransposedBlock {
   public:
    using Aside = NothingAside;
    float* target() { return next_; }
    NothingAside aside(int64_t, int) const { return {}; }
    void finish(int64_t, int rows) { next_ += rows * PANEL; }
    void begin() { next_ = block_; }

    /* Bias, activation and store of outputs [from, to) of a panel's rows. */
    template <int ACTIVATION>
    void store_rows(const LinearForward& c, const Panel& rows, int64_t from, int64_t to, Magnitude& largest) const {
        Magnitude of_block;
        alignas(64) float square[LANES * LANES];
        for (int64_t o = from; o < to; o += LANES) {
            int64_t lanes = to - o < LANES ? to - o : LANES;
            Floats bias = load_lanes(c.b + o, lanes);
            for (int64_t r = 0; r < rows.width; r += LANES) {
                for (int i = 0; i < LANES; i += WIDTH) {
                    for (int j = 0; j < LANES; j += WIDTH) {
                        transpose_square(block_ + (o - from + i) * PANEL + r + j, PANEL, square + j * LANES + i, LANES);
                    }
                }
                int64_t there = rows.width - r < LANES ? rows.width - r : LANES;
                for (int64_t i = 0; i < there; i++) {
                    int64_t at = (rows.from + r + i) * c.out + o;
                    Floats a = load(square + i * LANES) + bias;
                    if (c.pre != nullptr) {
                        store_lanes(c.pre + at, a, lanes);
                    }
                    Floats y = value<ACTIVATION>(a);
                    store_lanes(c.y + at, y, lanes);
                    of_block.take(y, lanes);
                }
            }
        }
        largest.take(of_block);
    }

   private:
    /* Squares are transposed whole: of outputs that are not there, with what was here before. */
    alignas(64) float block_[BLOCK_ROWS * PANEL] = {};
    float* next_ = block_;
};

/* As the weights lie: columns are rows of x, transposed; a unit is a panel of them for a block of outputs. */
template <int ACTIVATION>
void forward_direct(const LinearForward& c, const Run& run, Piece piece) {
    int64_t rows = run.active_rows * c.fold;
    Walk walk(c.out, panel_count(rows), run.threads);
    TransposedBlock block;
    Magnitude largest;
    for (int64_t i = piece.from; i < piece.to; i++) {
        Walk::Unit unit = walk.at(i);
        Panel panel = panel_of(rows, unit.panel);
        if (piece.room->panel != panel.from) {
            transpose_rows(c, panel, piece.room->floats);
            piece.room->listed = list_columns(piece.room->floats, panel, c.in, piece.room->list);
            piece.room->panel = panel.from;
        }
        block.begin();
        RowMajor w = {c.pack.w.values, c.in};
        const float* x = piece.room->floats;
        if (pays(piece.room->listed, c.in)) {
            ListedTerms columns = {piece.room->list, piece.room->listed};
            product(w, x, PANEL, columns, unit.from, unit.to, panel.groups, block);
        } else {
            product(w, x, PANEL, AllTerms{c.in}, unit.from, unit.to, panel.groups, block);
        }
        block.template store_rows<ACTIVATION>(c, panel, unit.from, unit.to, largest);
    }
    largest.raise_largest(piece);
}

template <int ACTIVATION>
void forward(const LinearForward& c, const Run& run, Piece piece) {
    return run.direct ? forward_direct<ACTIVATION>(c, run, piece)
                      : forward_packed<ACTIVATION>(c, run.active_rows * c.fold, piece);
}

}  // namespace

int64_t linear_forward_units(const LinearForward& c, const Run& run) {
    int64_t rows = run.active_rows * c.fold;
    return run.direct ? Walk(c.out, panel_count(rows), run.threads).units() : Walk(rows, panel_count(c.out), 1).units();
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
