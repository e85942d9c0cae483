// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011) and what is drawn from it: the same integers as Philox.java, bit for
// bit; normal numbers within Normals.ULP_BOUND.
#pragma once

#include "step_state.cuh"

struct Words {
    unsigned at[4];
};

__device__ inline Words philox(long long key, unsigned c0, unsigned c1, unsigned c2, unsigned c3) {
    constexpr unsigned MULTIPLIER_0 = 0xD2511F53u, MULTIPLIER_1 = 0xCD9E8D57u;
    constexpr unsigned WEYL_0 = 0x9E3779B9u, WEYL_1 = 0xBB67AE85u;
    constexpr int ROUNDS = 10;
    unsigned k0 = static_cast<unsigned>(key);
    unsigned k1 = static_cast<unsigned>(static_cast<unsigned long long>(key) >> 32);
    for (int round = 0; round < ROUNDS; round++) {
        const unsigned n0 = __umulhi(MULTIPLIER_1, c2) ^ c1 ^ k0;
        const unsigned n2 = __umulhi(MULTIPLIER_0, c0) ^ c3 ^ k1;
        c1 = MULTIPLIER_1 * c2;
        c3 = MULTIPLIER_0 * c0;
        c0 = n0;
        c2 = n2;
        k0 += WEYL_0;
        k1 += WEYL_1;
    }
    return {{c0, c1, c2, c3}};
}

enum Purpose { PURPOSE_SHUFFLE = 2 };  // the others arrive as arguments

// Counter word 3.
__device__ inline unsigned stream_of(int purpose, int sample) {
    return static_cast<unsigned>(purpose) << 24 | static_cast<unsigned>(sample);
}

// An odd multiple of 2^-24 in the open interval (0, 1): exact in binary32.
__device__ inline float uniform(unsigned word) { return static_cast<float>((word >> 9) * 2 + 1) * 0x1p-24f; }

// Box and Muller (1958): r(w0) cos(w1), r(w0) sin(w1), r(w2) cos(w3), r(w2) sin(w3).
__device__ inline Four normals(const Words& words) {
    Four four;
    for (int pair = 0; pair < 4; pair += 2) {
        const float radius = sqrtf(-2.0f * logf(uniform(words.at[pair])));
        float sine, cosine;
        sincospif(2.0f * uniform(words.at[pair + 1]), &sine, &cosine);
        four.at[pair] = radius * cosine;
        four.at[pair + 1] = radius * sine;
    }
    return four;
}

// What stands in the counter's row and step words; the ordinals of Noise.RowKey.
enum RowKey { ROW_KEY_BATCH_POSITION, ROW_KEY_DATA_ROW, ROW_KEY_COMMON, ROW_KEY_OFF };

struct Noise {
    const StepState* state;
    const long long* rows;  // data row of each batch row, for ROW_KEY_DATA_ROW
    int row_key;
    int purpose;
};

// The words of the four columns from `column`, a multiple of 4, of a batch row's sample.
__device__ inline Words noise_words(const Noise& noise, long long row, int sample, long long column) {
    unsigned row_word = 0;
    unsigned step_word = 0;
    if (noise.row_key == ROW_KEY_BATCH_POSITION) {
        row_word = static_cast<unsigned>(row);
        step_word = static_cast<unsigned>(noise.state->step);
    } else if (noise.row_key == ROW_KEY_DATA_ROW) {
        row_word = static_cast<unsigned>(noise.rows[row]);
    }
    return philox(noise.state->seed, static_cast<unsigned>(column / 4), row_word, step_word,
                  stream_of(noise.purpose, sample));
}

// The normal numbers of the same four columns; zeros when the noise is off.
__device__ inline Four noise_normals(const Noise& noise, long long row, int sample, long long column) {
    if (noise.row_key == ROW_KEY_OFF) return {};
    return normals(noise_words(noise, row, sample, column));
}
