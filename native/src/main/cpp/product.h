/*
 * The one matrix product behind all dense layers, c(i, j) = sum over k of a(i, k) * b(k, j), a tile at a time.
 *
 * Each element is one chain of fused multiply-adds over ascending k from +0, so its bits depend on its row of a and its
 * column of b alone: never on the tile it lies in, the rows beside it, the thread, or the width of the registers. Vectors
 * run along j; elements of a are broadcast from where they lie. A tile holds as many sums as there are registers for.
 *
 * Columns are cut into panels of up to PANEL, and rows into blocks of BLOCK_ROWS: a unit of work is a panel of a block, so
 * that b's panel stays in the second-level cache while the rows pass by.
 */
#ifndef ELBO4J_PRODUCT_H
#define ELBO4J_PRODUCT_H

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
#elif defined(__AVX2__) || defined(__aarch64__)
    return groups == 1 ? 6 : 0;
#else
    return groups == 1 ? 2 : 0;
#endif
}

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

/* Element (i, k) of a is a[i * stride + k]. */
struct RowMajor {
    const float* a;
    int64_t stride;
    ELBO4J_INLINE float at(int i, int64_t k) const { return a[i * stride + k]; }
    ELBO4J_INLINE RowMajor row(int64_t i) const { return {a + i * stride, stride}; }
};

/* Element (i, k) of a is a[i + k * stride]. */
struct ColumnMajor {
    const float* a;
    int64_t stride;
    ELBO4J_INLINE float at(int i, int64_t k) const { return a[i + k * stride]; }
    ELBO4J_INLINE ColumnMajor row(int64_t i) const { return {a + i, stride}; }
};

/* Overwrites c [ROWS, PANEL] with a product of ROWS rows and GROUPS groups; b [depth, b_stride]. */
template <int ROWS, int GROUPS, class A>
static void tile(const A& a, const float* b, int64_t b_stride, int64_t depth, float* c) {
    Floats sums[ROWS][GROUPS] = {};
    for (int64_t k = 0; k < depth; k++) {
        Floats row[GROUPS];
        for (int j = 0; j < GROUPS; j++) {
            row[j] = load(b + k * b_stride + j * LANES);
        }
        for (int i = 0; i < ROWS; i++) {
            Floats element = floats(a.at(i, k));
            for (int j = 0; j < GROUPS; j++) {
                sums[i][j] = fma(element, row[j], sums[i][j]);
            }
        }
    }
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < GROUPS; j++) {
            store(c + i * PANEL + j * LANES, sums[i][j]);
        }
    }
}

template <class A>
using Tile = void (*)(const A& a, const float* b, int64_t b_stride, int64_t depth, float* c);

/* The tiles of 1 to tile_rows(GROUPS) rows. */
template <int GROUPS, class A>
struct Tiles {
    Tile<A> of_rows[MAX_TILE_ROWS + 1];

    template <int ROWS>
    constexpr void fill() {
        if constexpr (ROWS <= tile_rows(GROUPS)) {
            of_rows[ROWS] = tile<ROWS, GROUPS, A>;
            fill<ROWS + 1>();
        }
    }
    constexpr Tiles() : of_rows() { fill<1>(); }
};

/*
 * Computes the rows [from, to) of a panel tile by tile and hands each tile to
 * sink(first row, rows, tile [rows, PANEL]).
 */
template <int GROUPS, class A, class Sink>
static inline void product_of(const A& a, const float* b, int64_t b_stride, int64_t depth, int64_t from, int64_t to,
                              const Sink& sink) {
    static constexpr Tiles<GROUPS, A> tiles;
    alignas(64) float c[MAX_TILE_ROWS * PANEL];
    for (int64_t i = from; i < to; i += tile_rows(GROUPS)) {
        int64_t left = to - i;
        int rows = left < tile_rows(GROUPS) ? (int)left : tile_rows(GROUPS);
        tiles.of_rows[rows](a.row(i), b, b_stride, depth, c);
        sink(i, rows, c);
    }
}

template <class A, class Sink>
static inline void product(const A& a, const float* b, int64_t b_stride, int64_t depth, int64_t from, int64_t to,
                           int groups, const Sink& sink) {
#if defined(__AVX512F__)
    if (groups == 3) {
        return product_of<3>(a, b, b_stride, depth, from, to, sink);
    }
    if (groups == 2) {
        return product_of<2>(a, b, b_stride, depth, from, to, sink);
    }
#endif
    (void)groups;
    product_of<1>(a, b, b_stride, depth, from, to, sink);
}

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
