/*
 * Brings chosen rows of the data set into the batch: out(r, c) = data(row_ids(r), c) as it is, divided by 255, or one with
 * that probability. A row outside the data reads as zeros.
 */
#include "nonzeros.h"
#include "pixels.h"
#include "random.h"

namespace elbo4j {
namespace ELBO4J_ISA {

/* The row of the data that a batch row asks for; NULL if there is none. */
template <class Element>
ELBO4J_INLINE const Element* data_row(const Gather& call, int64_t row) {
    int64_t id = call.row_ids[row];
    return id < 0 || id >= call.data_rows ? nullptr : (const Element*)call.data + id * call.columns;
}

/* floor(word * 255 / 2^32) is uniform on 0 to 254, so it is below q with probability q / 255. */
ELBO4J_INLINE Ints is_one(const Ints& q, const Ints& word) {
    /* word * 255 = word * 256 - word: its high word, without a 64-bit product. Flipped signs compare unsigned. */
    const Ints sign = ints(INT32_MIN);
    Ints minus_borrow = less(shift_left(word, 8) ^ sign, word ^ sign);
    return less(shift_right(word, 24) + minus_borrow, q);
}
ELBO4J_INLINE Ints is_one(const Floats& probability, const Ints& word) { return less(uniform(word), probability); }

template <class Element>
static void gather_bernoulli(const Gather& call, const Run& run, Piece piece) {
    for_each_tile(piece, 1, call.columns, [&](const Tile& tile) {
        alignas(64) float words[TILE_NUMBERS];
        draw_words(call.noise, run.state, tile, words);
        int64_t from = 4 * tile.block;
        int64_t to = tile.end(call.columns);
        for (int64_t row = tile.row; row < tile.row + tile.rows; row++) {
            const Element* in = data_row<Element>(call, row);
            float* out = call.out + row * call.columns;
            if (in == nullptr) {
                memset(out + from, 0, sizeof(float) * (uint64_t)(to - from));
                continue;
            }
            const float* drawn = words + tile.at(row);
            for_each_vector(from, to, [&](int64_t c, int64_t n) ELBO4J_INLINE_LAMBDA {
                Ints ones = is_one(load_first(in + c, n), bits(load_first(drawn + (c - from), n)));
                store_first(out + c, of_bits(ones & bits(floats(1.0f))), n);
            });
        }
    });
}

void gather(const Gather& call, const Run& run, Piece piece) {
    if (call.pixels == ELBO4J_BERNOULLI) {
        if (call.type == ELBO4J_U8) {
            gather_bernoulli<uint8_t>(call, run, piece);
        } else {
            gather_bernoulli<float>(call, run, piece);
        }
        for (int64_t row = piece.from; row < piece.to; row++) {
            mask_row(piece.nonzeros, row, call.out + row * call.columns, call.columns);
        }
        return;
    }
    for (int64_t row = piece.from; row < piece.to; row++) {
        float* out = call.out + row * call.columns;
        if (call.row_ids[row] < 0 || call.row_ids[row] >= call.data_rows) {
            memset(out, 0, sizeof(float) * (uint64_t)call.columns);
            mask_row(piece.nonzeros, row, out, call.columns);
        } else if (call.type == ELBO4J_U8) {
            /* Of what was read: what was just written is not yet in the cache. */
            const uint8_t* in = data_row<uint8_t>(call, row);
            mask_row(piece.nonzeros, row, in, call.columns);
            convert_bytes(in, call.pixels == ELBO4J_UNIT, call.columns, out);
        } else {
            const float* in = data_row<float>(call, row);
            mask_row(piece.nonzeros, row, in, call.columns);
            memcpy(out, in, sizeof(float) * (uint64_t)call.columns);
        }
    }
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j
