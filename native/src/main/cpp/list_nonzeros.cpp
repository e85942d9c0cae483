/*
 * Lists what masks say is not zero of a matrix [rows, columns]: of each eight rows the columns where one of them is not; and of
 * each eight columns the rows where one of them is not, with the eight elements of each.
 */
#include "kernels.h"
#include "nonzeros.h"

namespace elbo4j {
namespace ELBO4J_ISA {

namespace {

void list_columns(const ListNonzeros& c, int64_t eight, int64_t rows) {
    const Nonzeros& to = *c.nonzeros;
    int32_t* columns = to.columns + eight * to.columns_room;
    int32_t* end = columns;
    for (int64_t column = 0; column < c.columns; column += LANES) {
        const uint16_t* masks = to.masks + column / LANES * to.rows_room + eight * EIGHT;
        uint32_t some = 0;
        for (int64_t i = 0; i < rows; i++) {
            some |= masks[i];
        }
        end = append_numbers(end, some, column);
    }
    to.column_counts[eight] = (int32_t)(end - columns);
}

/* A bit for each of sixteen rows from one on, of which there are so many, that is not zero in one half of sixteen columns. */
ELBO4J_INLINE uint32_t rows_with(const uint16_t* masks, int64_t row, int64_t rows, uint16_t half) {
    uint32_t there = rows - row < LANES ? (1u << (rows - row)) - 1 : 0xFFFF;
    return masks_with(masks + row, half) & there;
}

constexpr uint16_t LOW = 0xFF;
constexpr uint16_t HIGH = 0xFF00;

void list_rows(const ListNonzeros& c, int64_t eight, int64_t rows) {
    const Nonzeros& to = *c.nonzeros;
    const uint16_t* masks = to.masks + eight / 2 * to.rows_room;
    uint16_t half = eight % 2 == 0 ? LOW : HIGH;
    int32_t* list = to.rows + eight * to.rows_room;
    int32_t* end = list;
    for (int64_t row = 0; row < rows; row += LANES) {
        end = append_numbers(end, rows_with(masks, row, rows, half), row);
    }
    to.row_counts[eight] = (int32_t)(end - list);
    int64_t column = eight * EIGHT;
    int64_t columns = c.columns - column < EIGHT ? c.columns - column : EIGHT;
    float* values = to.values + eight * to.rows_room * EIGHT;
    for (const int32_t* row = list; row < end; row++, values += EIGHT) {
        const float* from = c.x + *row * c.columns + column;
        /* A number that is known is one load and store. */
        if (columns == EIGHT) {
            memcpy(values, from, sizeof(float) * EIGHT);
        } else {
            memcpy(values, from, sizeof(float) * (uint64_t)columns);
        }
    }
}

}  // namespace

bool rows_pay(const ListNonzeros& c, const Run& run) {
    /* Some columns speak for all. */
    constexpr int64_t EACH = 4;
    int64_t listed = 0;
    int64_t all = 0;
    for (int64_t column = 0; column < c.columns; column += EACH * LANES) {
        const uint16_t* masks = c.nonzeros->masks + column / LANES * c.nonzeros->rows_room;
        for (int64_t row = 0; row < run.active_rows; row += LANES) {
            listed += __builtin_popcount(rows_with(masks, row, run.active_rows, LOW));
            listed += __builtin_popcount(rows_with(masks, row, run.active_rows, HIGH));
        }
        all += 2 * run.active_rows;
    }
    return pays(listed, all);
}

int64_t list_nonzeros_units(const ListNonzeros& c, const Run& run) {
    return eights(run.active_rows) + (c.nonzeros->rows_listed ? eights(c.columns) : 0);
}

void list_nonzeros(const ListNonzeros& c, const Run& run, Piece piece) {
    int64_t eight_rows = eights(run.active_rows);
    for (int64_t unit = piece.from; unit < piece.to; unit++) {
        if (unit < eight_rows) {
            int64_t left = run.active_rows - unit * EIGHT;
            list_columns(c, unit, left < EIGHT ? left : EIGHT);
        } else {
            list_rows(c, unit - eight_rows, run.active_rows);
        }
    }
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
