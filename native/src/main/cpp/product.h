/*
 * The one matrix product behind all dense layers, c(i, j) = sum over k of a(i, k) * b(k, j), a tile at a time.
 *
 * Each element is one chain of fused multiply-adds over ascending k from +0, so its bits depend on its row of a and its
 * column of b alone: never on the tile it lies in, the rows beside it, the thread, or the width of the registers. Vectors
 * run along j; elements of a are broadcast from where they lie. A tile is as large as the registers allow: ROWS times
 * REGISTERS accumulators, REGISTERS of b and one of a.
 */
#ifndef ELBO4J_PRODUCT_H
#define ELBO4J_PRODUCT_H

#include "simd.h"

namespace elbo4j {
namespace ELBO4J_ISA {

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int TILE_ROWS = 8;
#else
constexpr int TILE_ROWS = 4;
#endif
constexpr int TILE_REGISTERS = 3;
constexpr int PANEL = TILE_REGISTERS * WIDTH;

/* Columns of c that are computed together. */
struct Panel {
    int64_t from;
    int64_t width;
    int registers;
};

/* Panels of so many columns; the last two share what one register alone would waste. */
static inline int64_t panel_count(int64_t columns) { return (columns + PANEL - 1) / PANEL; }

static inline Panel panel(int64_t columns, int64_t index) {
    int64_t registers = (columns + WIDTH - 1) / WIDTH;
    int64_t count = panel_count(columns);
    bool shared = registers % TILE_REGISTERS == 1 && count >= 2;
    int64_t first = index * TILE_REGISTERS;
    int64_t end = first + TILE_REGISTERS;
    if (shared && index >= count - 2) {
        first = registers - 2 * (count - index);
        end = first + 2;
    }
    end = end < registers ? end : registers;
    int64_t from = first * WIDTH;
    int64_t to = end * WIDTH < columns ? end * WIDTH : columns;
    return {from, to - from, (int)(end - first)};
}

/* Element (i, k) of a lies at a[i * row_stride + k * depth_stride]; one of both is 1, which is why they are two types. */
struct RowMajor {
    const float* a;
    int64_t row_stride;
    ELBO4J_INLINE float at(int i, int64_t k) const { return a[i * row_stride + k]; }
};

struct ColumnMajor {
    const float* a;
    int64_t depth_stride;
    ELBO4J_INLINE float at(int i, int64_t k) const { return a[i + k * depth_stride]; }
};

/* Overwrites c [ROWS, PANEL] with the first REGISTERS registers of each row of the product; b [depth, b_stride]. */
template <int ROWS, int REGISTERS, class A>
static void tile(const A a, const float* b, int64_t b_stride, int64_t depth, float* c) {
    Register sums[ROWS][REGISTERS] = {};
    for (int64_t k = 0; k < depth; k++) {
        Register row[REGISTERS];
        for (int j = 0; j < REGISTERS; j++) {
            row[j] = load_register(b + k * b_stride + j * WIDTH);
        }
        for (int i = 0; i < ROWS; i++) {
            Register element = broadcast_register(a.at(i, k));
            for (int j = 0; j < REGISTERS; j++) {
                sums[i][j] = fma(element, row[j], sums[i][j]);
            }
        }
    }
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < REGISTERS; j++) {
            store_register(c + i * PANEL + j * WIDTH, sums[i][j]);
        }
    }
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j

#endif
