/*
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011), 16 blocks at a time, and what is drawn from it: the integers of
 * Philox.java bit for bit; its uniform numbers; and standard normal ones by Box and Muller (1958) in binary32, within the
 * ulp bound of Normals.java.
 */
#ifndef ELBO4J_RANDOM_H
#define ELBO4J_RANDOM_H

#include "call.h"
#include "simd.h"

namespace elbo4j {
namespace ELBO4J_ISA {

constexpr int PHILOX_ROUNDS = 10;

/* The key of every round. */
struct PhiloxKeys {
    uint32_t low[PHILOX_ROUNDS];
    uint32_t high[PHILOX_ROUNDS];
};

ELBO4J_INLINE PhiloxKeys philox_keys(int64_t seed) {
    PhiloxKeys keys;
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        keys.low[round] = (uint32_t)seed + (uint32_t)round * 0x9E3779B9u;
        keys.high[round] = (uint32_t)((uint64_t)seed >> 32) + (uint32_t)round * 0xBB67AE85u;
    }
    return keys;
}

/* Counter words going in, random words coming out: lane i of each belongs to block i. */
struct PhiloxWords {
    Ints at[4];
};

/* One block per 64-bit lane, in its low half; high halves going in do not matter, those coming out mean nothing. */
ELBO4J_INLINE void philox_rounds(const PhiloxKeys& keys, LongRegister (&c)[4]) {
    const LongRegister multiplier0 = LongRegister{} + 0xD2511F53u;
    const LongRegister multiplier1 = LongRegister{} + 0xCD9E8D57u;
#pragma GCC unroll 10
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        LongRegister product0 = multiply_low_halves(c[0], multiplier0);
        LongRegister product1 = multiply_low_halves(c[2], multiplier1);
        c[0] = (product1 >> 32) ^ c[1] ^ (LongRegister)(UnsignedRegister{} + keys.low[round]);
        c[2] = (product0 >> 32) ^ c[3] ^ (LongRegister)(UnsignedRegister{} + keys.high[round]);
        c[1] = product1;
        c[3] = product0;
    }
}

ELBO4J_INLINE PhiloxWords philox(const PhiloxKeys& keys, const PhiloxWords& counters) {
    PhiloxWords words;
    for (int p = 0; p < PARTS; p++) {
        LongRegister even[4];
        LongRegister odd[4];
        for (int w = 0; w < 4; w++) {
            even[w] = (LongRegister)counters.at[w].part[p];
            odd[w] = even[w] >> 32;
        }
        philox_rounds(keys, even);
        philox_rounds(keys, odd);
        for (int w = 0; w < 4; w++) {
            words.at[w].part[p] = (IntRegister)((even[w] & 0xFFFFFFFF) | odd[w] << 32);
        }
    }
    return words;
}

/* The uniform number of a word times 2^24: odd, so never 0 or 2^24. */
ELBO4J_INLINE Ints uniform_units(const Ints& word) { return shift_right(word, 8) | ints(1); }

/* A number in the open interval (0, 1), exact. */
ELBO4J_INLINE Floats uniform(const Ints& word) { return to_floats(uniform_units(word)) * floats(0x1p-24f); }

/* sqrt(-2 log u) of a word's uniform number. */
ELBO4J_INLINE Floats normal_radius(const Ints& word) {
    const Ints sqrt_half = ints(0x3F3504F3);
    Ints u = bits(uniform(word));
    /* u = 2^exponent * (1 + r), r from sqrt(1/2) - 1 to sqrt(2) - 1 and exact: near 1 the exponent is 0. */
    Ints exponent = shift_right_signed(u - sqrt_half, 23);
    Floats r = of_bits(u - shift_left(exponent, 23)) - floats(1.0f);
    /* -2 (log(1 + r) - r) / r^2, minimax of degree 7: within 2^-24.9 of log(1 + r), relative. */
    Floats p = floats(-0x1.65c772p-3f);
    p = fma(p, r, floats(0x1.25049ep-2f));
    p = fma(p, r, floats(-0x1.318526p-2f));
    p = fma(p, r, floats(0x1.535d30p-2f));
    p = fma(p, r, floats(-0x1.98d2c0p-2f));
    p = fma(p, r, floats(0x1.00049ap-1f));
    p = fma(p, r, floats(-0x1.5556f4p-1f));
    p = fma(p, r, floats(0x1.fffffap-1f));
    Floats square = fma(r * r, p, floats(-2.0f) * r);
    return sqrt(fma(to_floats(exponent), floats(-0x1.62e430p+0f), square));
}

/* Cosine and sine of 2 pi t, t a word's uniform number. */
ELBO4J_INLINE void cosine_and_sine(const Ints& word, Floats& cosine, Floats& sine) {
    constexpr int32_t EIGHTH = 1 << 21;
    constexpr int32_t QUARTER = 1 << 22;
    /* t is a number of quarters, in bits 22 and 23 of the sum, and x within an eighth of them; no step rounds. */
    Ints turn = uniform_units(word);
    Ints quarters = turn + ints(EIGHTH);
    Floats x = to_floats(shift_left(turn, 10)) * floats(0x1p-34f);
    Floats xx = x * x;
    /* sin(2 pi x) / x to degree 6 and cos(2 pi x), minimax: within 2^-27.9 relative and 2^-24.8 absolute. */
    Floats s = floats(-0x1.2dc84cp+6f);
    s = fma(s, xx, floats(0x1.466004p+6f));
    s = fma(s, xx, floats(-0x1.4abbbep+5f));
    s = fma(s, xx, floats(0x1.921fb6p+2f)) * x;
    Floats c = floats(-0x1.4ea9e8p+6f);
    c = fma(c, xx, floats(0x1.03b162p+6f));
    c = fma(c, xx, floats(-0x1.3bd3a2p+4f));
    c = fma(c, xx, floats(1.0f));
    /* An odd number of quarters swaps the two; the sine is negative in the third and fourth, the cosine one before. */
    Ints even = equal(quarters & ints(QUARTER), ints(0));
    const Ints sign = ints(INT32_MIN);
    cosine = of_bits(bits(select(even, c, s)) ^ (shift_left(quarters + ints(QUARTER), 8) & sign));
    sine = of_bits(bits(select(even, s, c)) ^ (shift_left(quarters, 8) & sign));
}

/* The four normal numbers of each block, in place of its words: r(w0) cos(w1), r(w0) sin(w1), r(w2) cos(w3), r(w2) sin(w3). */
ELBO4J_INLINE void normals(const PhiloxWords& words, Floats (&out)[4]) {
    for (int pair = 0; pair < 4; pair += 2) {
        Floats radius = normal_radius(words.at[pair]);
        Floats cosine;
        Floats sine;
        cosine_and_sine(words.at[pair + 1], cosine, sine);
        out[pair] = radius * cosine;
        out[pair + 1] = radius * sine;
    }
}

/* Blocks that a tile has at most, and the numbers that a caller must have room for: whole rounds of 16 blocks. */
constexpr int64_t TILE_BLOCKS = 256;
constexpr int64_t TILE_NUMBERS = 4 * TILE_BLOCKS;

/* Blocks (of four columns) of samples of batch rows, no more than TILE_BLOCKS. */
struct Tile {
    int64_t row;
    int64_t rows;
    int64_t sample;
    int64_t samples;
    int64_t block;
    int64_t blocks;

    /* Where its columns end in rows of so many, of which the last block has what is left. */
    int64_t end(int64_t columns) const { return 4 * (block + blocks) < columns ? 4 * (block + blocks) : columns; }
    /* From one sample to the next in what was drawn for the tile, and where a row begins in it. */
    int64_t stride() const { return 4 * blocks; }
    int64_t at(int64_t r) const { return (r - row) * samples * stride(); }
};

/* Calls body(tile) for tiles of the rows of a piece; the samples of a column come in ascending order. */
template <class Body>
ELBO4J_INLINE void for_each_tile(Piece piece, int64_t fold, int64_t columns, const Body& body) {
    int64_t row_blocks = (columns + 3) / 4;
    int64_t blocks = row_blocks < TILE_BLOCKS ? row_blocks : TILE_BLOCKS;
    int64_t samples = fold < TILE_BLOCKS / blocks ? fold : TILE_BLOCKS / blocks;
    int64_t rows = samples < fold ? 1 : TILE_BLOCKS / (blocks * samples);
    for (int64_t row = piece.from; row < piece.to; row += rows) {
        for (int64_t block = 0; block < row_blocks; block += blocks) {
            for (int64_t sample = 0; sample < fold; sample += samples) {
                body(Tile{row, piece.to - row < rows ? piece.to - row : rows, sample,
                          fold - sample < samples ? fold - sample : samples, block,
                          row_blocks - block < blocks ? row_blocks - block : blocks});
            }
        }
    }
}

/* Counter words 0, 1 and 3 of a tile's blocks, row after row; word 2 is the same for all. */
struct TileCounters {
    int64_t count;
    int32_t column[TILE_BLOCKS + LANES];
    int32_t row[TILE_BLOCKS + LANES];
    int32_t stream[TILE_BLOCKS + LANES];
};

ELBO4J_INLINE void count_tile(const elbo4j_noise& noise, const Tile& tile, TileCounters& counters) {
    int64_t at = 0;
    for (int64_t r = tile.row; r < tile.row + tile.rows; r++) {
        int64_t key = noise.row_key == ELBO4J_BATCH_POSITION ? r
                      : noise.row_key == ELBO4J_DATA_ROW     ? noise.row_ids[r]
                                                             : 0;
        for (int64_t s = tile.sample; s < tile.sample + tile.samples; s++) {
            /* Whole vectors: what is too much is overwritten by the next sample. */
            for (int64_t b = 0; b < tile.blocks; b += LANES) {
                store(counters.column + at + b, ints((int32_t)(tile.block + b)) + lane_numbers());
                store(counters.row + at + b, ints((int32_t)key));
                store(counters.stream + at + b, ints((int32_t)((uint32_t)noise.purpose << 24 | (uint32_t)s)));
            }
            at += tile.blocks;
        }
    }
    counters.count = at;
    store(counters.column + at, ints(0));
    store(counters.row + at, ints(0));
    store(counters.stream + at, ints(0));
}

ELBO4J_INLINE PhiloxWords tile_words(const PhiloxKeys& keys, const TileCounters& counters, int32_t step, int64_t at) {
    return philox(keys,
                  {{load(counters.column + at), load(counters.row + at), ints(step), load(counters.stream + at)}});
}

/* The low half of counter word 2: the step, where the batch position alone would repeat itself. */
ELBO4J_INLINE int32_t step_word(const elbo4j_noise& noise, const elbo4j_state* state) {
    return noise.row_key == ELBO4J_BATCH_POSITION ? (int32_t)state->step : 0;
}

/* Overwrites out[TILE_NUMBERS] with the random words of a tile. */
static inline void draw_words(const elbo4j_noise& noise, const elbo4j_state* state, const Tile& tile, float* out) {
    PhiloxKeys keys = philox_keys(state->seed);
    TileCounters counters;
    count_tile(noise, tile, counters);
    for (int64_t at = 0; at < counters.count; at += LANES) {
        PhiloxWords words = tile_words(keys, counters, step_word(noise, state), at);
        store_interleaved(out + 4 * at, of_bits(words.at[0]), of_bits(words.at[1]), of_bits(words.at[2]),
                          of_bits(words.at[3]));
    }
}

/* Overwrites out[TILE_NUMBERS] with the normal numbers of a tile, zeros if the noise is off. */
static inline void draw_normals(const elbo4j_noise& noise, const elbo4j_state* state, const Tile& tile, float* out) {
    if (noise.row_key == ELBO4J_OFF) {
        memset(out, 0, sizeof(float) * TILE_NUMBERS);
        return;
    }
    PhiloxKeys keys = philox_keys(state->seed);
    TileCounters counters;
    count_tile(noise, tile, counters);
    for (int64_t at = 0; at < counters.count; at += LANES) {
        Floats n[4];
        normals(tile_words(keys, counters, step_word(noise, state), at), n);
        store_interleaved(out + 4 * at, n[0], n[1], n[2], n[3]);
    }
}

}  // namespace ELBO4J_ISA
}  // namespace elbo4j

#endif
