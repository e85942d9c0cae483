/*
 * The one matrix product behind all dense layers, c(i, j) = sum over k of a(i, k) * b(k, j), a tile at a time.
 *
 * Each element is one chain of fused multiply-adds over ascending k from +0, and +0 where it ends in a zero, so its bits
 * depend on its row of a and its column of b alone: never on the tile it lies in, the rows beside it, the thread, or the
 * width of the registers, nor on whether terms with a zero in them are left out, see nonzeros.h. Vectors run along j; elements of a are broadcast from where they lie. A tile holds as many sums as there are registers for.
 *
 * Columns are cut into panels of up to PANEL, and rows into blocks of BLOCK_ROWS: a unit of work is a panel of a block, so
 * that b's panel stays in the second-level cache while the rows pass by.
 */
#ifndef ELBO4J_PRODUCT_H
#define ELBO4J_PRODUCT_H

#include "call.h"
#include "simd.h"

namespace elbo4j {
namespace ELBO4J_ISA {

/* Sixteen columns each; one of three needs 32 registers of 16 lanes. */
#if defined(__AVX512F__)
constexpr int MAX_GROUPS = 3;
#else
constexpr int MAX_GROUPS = 1;
#endif
constexpr int PANEL = MAX_GROUPS * LANES;

/* Rows of a tile of so many groups: all registers but those for a row of b and an element of a. */
constexpr int tile_rows(int groups) {
#if defined(__AVX512F__)
    return groups == 3 ? 8 : groups == 2 ? 12 : 16;
#elif defined(__AVX2__) || defined(ELBO4J_NEON)
    return groups == 1 ? 6 : 0;
#else
    return groups == 1 ? 2 : 0;
#endif
}

/* Rows of a tile of listed terms, of which eight have the same list: all of those, or a half or fourth. */
#if defined(__AVX512F__)
constexpr int LISTED_ROWS = 8;
#elif defined(__AVX2__) || defined(ELBO4J_NEON)
constexpr int LISTED_ROWS = 4;
#else
constexpr int LISTED_ROWS = 2;
#endif

/* A multiple of every tile's rows. */
constexpr int64_t BLOCK_ROWS = 48;
constexpr int MAX_TILE_ROWS = 16;

static inline int64_t row_blocks(int64_t rows) { return (rows + BLOCK_ROWS - 1) / BLOCK_ROWS; }

/* Columns of c that are computed together; the last group may be narrower than the others. */
struct Panel {
    int64_t from;
    int64_t width;
    int groups;
};

static inline int64_t panel_count(int64_t columns) { return (columns + PANEL - 1) / PANEL; }

static inline Panel panel_of(int64_t columns, int64_t index) {
    int64_t groups = (columns + LANES - 1) / LANES;
    int64_t first = index * MAX_GROUPS;
    int64_t end = first + MAX_GROUPS;
#if defined(__AVX512F__)
    /* Two panels of two groups are faster than one of three and one of one. */
    int64_t left = panel_count(columns) - index;
    if (groups % MAX_GROUPS == 1 && left <= 2 && groups > MAX_GROUPS) {
        first = groups - 2 * left;
        end = first + 2;
    }
#endif
    end = end < groups ? end : groups;
    int64_t to = end * LANES < columns ? end * LANES : columns;
    return {first * LANES, to - first * LANES, (int)(end - first)};
}

/* A group of a panel as one of its own. */
static inline Panel group_of(const Panel& panel, int group) {
    int64_t left = panel.width - group * LANES;
    return {panel.from + group * LANES, left < LANES ? left : LANES, 1};
}

/* A column of a at a time: element i of the present one is a[i * stride], that of the next lies beside it. */
struct RowMajor {
    const float* a;
    int64_t stride;
    ELBO4J_INLINE float at(int i) const { return a[i * stride]; }
    ELBO4J_INLINE void next() { a++; }
    ELBO4J_INLINE RowMajor column(int64_t k) const { return {a + k, stride}; }
    ELBO4J_INLINE RowMajor row(int64_t i) const { return {a + i * stride, stride}; }
};

/* Element i of the present column is a[i]; the next column lies `stride` further. */
struct ColumnMajor {
    const float* a;
    int64_t stride;
    ELBO4J_INLINE float at(int i) const { return a[i]; }
    ELBO4J_INLINE void next() {
        /* Columns lie too far apart for the CPU to foresee; as far ahead as memory takes to answer. */
        __builtin_prefetch(a + 32 * stride);
        a += stride;
    }
    ELBO4J_INLINE ColumnMajor row(int64_t i) const { return {a + i, stride}; }
};

/* Eight elements of a column at a time, one column behind the other. */
struct EightRows {
    const float* a;
    ELBO4J_INLINE float at(int i) const { return a[i]; }
    ELBO4J_INLINE void next() { a += 8; }
    ELBO4J_INLINE EightRows row(int64_t i) const { return {a + i}; }
};

/* A number that the compiler knows. */
template <int N>
struct Index {
    constexpr operator int() const { return N; }
};

/* Calls body(Index<0>), ..., body(Index<COUNT - 1>): so that an array it indexes lives in registers from the start. */
template <int COUNT, int AT = 0, class Body>
ELBO4J_INLINE void unrolled(const Body& body) {
    if constexpr (AT < COUNT) {
        body(Index<AT>());
        unrolled<COUNT, AT + 1>(body);
    }
}

/* The terms of each sum of a product: all of so many. */
struct AllTerms {
    int64_t count;

    static constexpr int tile_rows(int groups) { return ELBO4J_ISA::tile_rows(groups); }
};

/* Those that are listed, in ascending order: every other has a zero in it. */
struct ListedTerms {
    const int32_t* list;
    int64_t count;

    static constexpr int tile_rows(int) { return LISTED_ROWS; }
};

/* The same, where columns of a stand one behind the other, without those that are left out. */
struct ListedRows {
    const int32_t* list;
    int64_t count;

    static constexpr int tile_rows(int) { return LISTED_ROWS; }
};

/* One term after another: its column of a and its row of b. */
template <class A, class Terms>
class Term;

template <class A>
class Term<A, AllTerms> {
   public:
    Term(const A& a, const float* b, int64_t b_stride, const AllTerms&) : a_(a), b_(b), b_stride_(b_stride) {}
    ELBO4J_INLINE void begin() {}
    ELBO4J_INLINE float a(int i) const { return a_.at(i); }
    ELBO4J_INLINE const float* b() const { return b_; }
    ELBO4J_INLINE void end() {
        a_.next();
        b_ += b_stride_;
    }

   private:
    A a_;
    const float* b_;
    int64_t b_stride_;
};

template <class A>
class Term<A, ListedTerms> {
   public:
    Term(const A& a, const float* b, int64_t b_stride, const ListedTerms& terms)
        : first_a_(a), first_b_(b), b_stride_(b_stride), list_(terms.list), a_(a), b_(b) {}
    ELBO4J_INLINE void begin() {
        a_ = first_a_.column(*list_);
        b_ = first_b_ + *list_ * b_stride_;
    }
    ELBO4J_INLINE float a(int i) const { return a_.at(i); }
    ELBO4J_INLINE const float* b() const { return b_; }
    ELBO4J_INLINE void end() { list_++; }

   private:
    const A first_a_;
    const float* first_b_;
    int64_t b_stride_;
    const int32_t* list_;
    A a_;
    const float* b_;
};

template <class A>
class Term<A, ListedRows> {
   public:
    Term(const A& a, const float* b, int64_t b_stride, const ListedRows& terms)
        : a_(a), first_b_(b), b_stride_(b_stride), list_(terms.list), b_(b) {}
    ELBO4J_INLINE void begin() { b_ = first_b_ + *list_ * b_stride_; }
    ELBO4J_INLINE float a(int i) const { return a_.at(i); }
    ELBO4J_INLINE const float* b() const { return b_; }
    ELBO4J_INLINE void end() {
        a_.next();
        list_++;
    }

   private:
    A a_;
    const float* first_b_;
    int64_t b_stride_;
    const int32_t* list_;
    const float* b_;
};

/*
 * Overwrites c [ROWS, PANEL] with a product of ROWS rows and GROUPS groups; b [all terms, b_stride]. In between it does the
 * steps of `aside`, spread evenly: what they wait for, memory and divisions, costs the multiplications nothing.
 */
template <int ROWS, int GROUPS, class A, class Terms, class Aside>
static void tile(const A& a, const float* b, int64_t b_stride, const Terms& terms, float* c, Aside aside) {
    Floats sums[ROWS][GROUPS] = {};
    Term<A, Terms> term(a, b, b_stride, terms);
    auto advance = [&](int64_t count) __attribute__((always_inline)) {
        for (; count > 0; count--) {
            term.begin();
            Floats row[GROUPS];
            unrolled<GROUPS>([&](auto j) __attribute__((always_inline)) { row[j] = load(term.b() + j * LANES); });
            unrolled<ROWS>([&](auto i) __attribute__((always_inline)) {
                Floats element = floats(term.a(i));
                unrolled<GROUPS>([&](auto j)
                                     __attribute__((always_inline)) { sums[i][j] = fma(element, row[j], sums[i][j]); });
            });
            term.end();
        }
    };
    int64_t left = terms.count;
    if constexpr (Aside::STEPS) {
        int64_t steps = aside.steps();
        int64_t between = steps > 0 ? left / steps : 0;
        for (int64_t step = 0; step < steps; step++) {
            aside.step();
            advance(between);
        }
        left -= steps * between;
    }
    advance(left);
    /* A sum that underflowed may be -0, and a term with a zero in it would have made it +0. */
    const Floats zero = floats(0);
    unrolled<ROWS>([&](auto i) __attribute__((always_inline)) {
        unrolled<GROUPS>([&](auto j)
                             __attribute__((always_inline)) { store(c + i * PANEL + j * LANES, sums[i][j] + zero); });
    });
}

/* Nothing to do beside a product. */
struct NothingAside {
    static constexpr bool STEPS = false;
};

/* Fetches a row at a time what the results of a tile will be joined with, if anything, and where they will be written. */
class Fetch {
   public:
    static constexpr bool STEPS = true;

    Fetch(const float* read, float* written, int64_t stride, int rows, int groups)
        : read_(read), written_(written), stride_(stride), rows_(rows), groups_(groups) {}

    ELBO4J_INLINE int64_t steps() const { return rows_; }

    ELBO4J_INLINE void step() {
        for (int j = 0; j < groups_; j++) {
            if (read_ != nullptr) {
                __builtin_prefetch(read_ + j * LANES);
            }
            __builtin_prefetch(written_ + j * LANES, 1);
        }
        read_ = read_ != nullptr ? read_ + stride_ : nullptr;
        written_ += stride_;
    }

   private:
    const float* read_;
    float* written_;
    int64_t stride_;
    int rows_;
    int groups_;
};

template <class A, class Terms, class Aside>
using Tile = void (*)(const A& a, const float* b, int64_t b_stride, const Terms& terms, float* c, Aside aside);

/* The tiles of as few rows as there may be left. */
template <int GROUPS, class A, class Terms, class Aside>
struct Tiles {
    Tile<A, Terms, Aside> of_rows[MAX_TILE_ROWS + 1];

    template <int ROWS>
    constexpr void fill() {
        if constexpr (ROWS <= Terms::tile_rows(GROUPS)) {
            of_rows[ROWS] = tile<ROWS, GROUPS, A, Terms, Aside>;
            fill<ROWS + 1>();
        }
    }
    constexpr Tiles() : of_rows() { fill<1>(); }
};

/*
 * Computes the rows [from, to) of a panel tile by tile. A sink takes each: sink.target() is where a tile [rows, PANEL] goes,
 * sink.aside(first row, rows) is what may be done beside its product, and sink.finish(first row, rows) says that it is there.
 */
template <int GROUPS, class A, class Terms, class Sink>
static inline void product_of(const A& a, const float* b, int64_t b_stride, const Terms& terms, int64_t from,
                              int64_t to, Sink& sink) {
    static constexpr Tiles<GROUPS, A, Terms, typename Sink::Aside> tiles;
    constexpr int most = Terms::tile_rows(GROUPS);
    for (int64_t i = from; i < to; i += most) {
        int64_t left = to - i;
        int rows = left < most ? (int)left : most;
        tiles.of_rows[rows](a.row(i), b, b_stride, terms, sink.target(), sink.aside(i, rows));
        sink.finish(i, rows);
    }
}

template <class A, class Terms, class Sink>
static inline void product(const A& a, const float* b, int64_t b_stride, const Terms& terms, int64_t from, int64_t to,
                           int groups, Sink& sink) {
#if defined(__AVX512F__)
    if (groups == 3) {
        return product_of<3>(a, b, b_stride, terms, from, to, sink);
    }
    if (groups == 2) {
        return product_of<2>(a, b, b_stride, terms, from, to, sink);
    }
#endif
    (void)groups;
    product_of<1>(a, b, b_stride, terms, from, to, sink);
}

/* A tile on its way to a sink that has nothing to do beside the product. */
class PlainTile {
   public:
    using Aside = NothingAside;
    float* target() { return tile_; }
    NothingAside aside(int64_t, int) const { return {}; }

   protected:
    alignas(64) float tile_[MAX_TILE_ROWS * PANEL];
};

/* A matrix as tiles read it. */
struct Factor {
    const float* b;
    int64_t stride;
};

/*
 * The columns of a panel of b [depth, stride], copied side by side where rows of b lie so far apart that they share a few
 * sets of the caches, enough rows of a will read them, and there is room. What the room holds is kept from piece to piece.
 */
class PanelCopy {
   public:
    PanelCopy(const float* b, int64_t stride, int64_t depth, const Piece& piece)
        : b_(b), stride_(stride), depth_(depth), room_(piece.room) {}

    /* The panel, of which a range has so many rows left to compute: all are, by the thread that has the range. */
    Factor of(const Panel& panel, int64_t rows) const {
        constexpr int64_t ENOUGH_ROWS = 64;
        if (room_ == nullptr || !shares_sets(stride_) || (room_->panel != panel.from && rows < ENOUGH_ROWS)) {
            return {b_ + panel.from, stride_};
        }
        if (room_->panel != panel.from) {
            for (int64_t k = 0; k < depth_; k++) {
                for (int j = 0; j < panel.groups; j++) {
                    store(room_->floats + k * PANEL + j * LANES, load(b_ + k * stride_ + panel.from + j * LANES));
                }
            }
            room_->panel = panel.from;
        }
        return {room_->floats, PANEL};
    }

   private:
    const float* b_;
    int64_t stride_;
    int64_t depth_;
    Room* room_;
};

/*
 * The units of a product: its rows cut into ranges, alike to a few rows; in a range panel by panel, in a panel block by block.
 * All ranges have as many units: where there are as many ranges as threads, a thread with an equal share of the units has one.
 */
class Walk {
   public:
    /* At most as many ranges as the rows have blocks. */
    Walk(int64_t rows, int64_t panels, int64_t ranges) : rows_(rows), panels_(panels) {
        int64_t most = row_blocks(rows);
        ranges_ = ranges < most ? ranges : most;
        int64_t steps_of_range = ranges_ > 0 ? (steps() + ranges_ - 1) / ranges_ : 0;
        blocks_ = row_blocks(steps_of_range * STEP);
    }

    int64_t units() const { return ranges_ * panels_ * blocks_; }

    struct Unit {
        int64_t panel;
        /* Rows; none where a range is shorter than others. */
        int64_t from;
        int64_t to;
        /* Those from here to the end of the range. */
        int64_t rows_left;
    };

    Unit at(int64_t unit) const { return at(unit / blocks_ / panels_, unit / blocks_ % panels_, unit % blocks_); }

    /* The same units in another order: in a range block by block, in a block panel by panel. */
    Unit at_by_blocks(int64_t unit) const {
        return at(unit / blocks_ / panels_, unit % panels_, unit / panels_ % blocks_);
    }

   private:
    Unit at(int64_t range, int64_t panel, int64_t block) const {
        int64_t end = range_begin(range + 1);
        int64_t from = range_begin(range) + block * BLOCK_ROWS;
        from = from < end ? from : end;
        int64_t to = from + BLOCK_ROWS < end ? from + BLOCK_ROWS : end;
        return {panel, from, to, end - from};
    }

    /* Ranges begin at its multiples: rows of the largest tile, of three groups. */
    static constexpr int64_t STEP = 8;

    int64_t steps() const { return (rows_ + STEP - 1) / STEP; }
    int64_t range_begin(int64_t range) const {
        int64_t row = steps() * range / ranges_ * STEP;
        return row < rows_ ? row : rows_;
    }

    int64_t rows_;
    int64_t panels_;
    int64_t ranges_;
    int64_t blocks_;
};

/* Lanes of a panel's group that are columns. */
static inline int64_t lanes_of(const Panel& panel, int group) {
    int64_t left = panel.width - group * LANES;
    return left < LANES ? left : LANES;
}

/* Element-wise access to up to sixteen columns. */
ELBO4J_INLINE Floats load_lanes(const float* from, int64_t lanes) {
    return lanes == LANES ? load(from) : load_first(from, lanes);
}
ELBO4J_INLINE void store_lanes(float* to, const Floats& value, int64_t lanes) {
    if (lanes == LANES) {
        store(to, value);
    } else {
        store_first(to, value, lanes);
    }
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j

#endif
