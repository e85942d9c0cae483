// The conversions of DataKernels.Pixels, four elements at a time.
#pragma once

#include "philox.cuh"

enum Pixels { PIXELS_AS_IS, PIXELS_UNIT, PIXELS_BERNOULLI };  // the ordinals of DataKernels.Pixels

__device__ inline float pixel(unsigned char q, int pixels, unsigned word) {
    if (pixels == PIXELS_BERNOULLI) return __umulhi(word, 255u) < q ? 1.0f : 0.0f;
    return pixels == PIXELS_UNIT ? static_cast<float>(q) / 255.0f : static_cast<float>(q);
}

__device__ inline float pixel(float value, int pixels, unsigned word) {
    return pixels == PIXELS_BERNOULLI ? (uniform(word) < value ? 1.0f : 0.0f) : value;
}

__device__ inline Four gathered(const unsigned char* data, long long at, int count, bool vector, int pixels,
                                const Words& words) {
    uchar4 q = {};
    if (vector && count == 4) {
        q = *reinterpret_cast<const uchar4*>(data + at);
    } else {
        if (count > 0) q.x = data[at];
        if (count > 1) q.y = data[at + 1];
        if (count > 2) q.z = data[at + 2];
        if (count > 3) q.w = data[at + 3];
    }
    return {{pixel(q.x, pixels, words.at[0]), pixel(q.y, pixels, words.at[1]), pixel(q.z, pixels, words.at[2]),
             pixel(q.w, pixels, words.at[3])}};
}

__device__ inline Four gathered(const float* data, long long at, int count, bool vector, int pixels,
                                const Words& words) {
    Four four = load_four(data, at, count, vector);
    for (int i = 0; i < 4; i++) four.at[i] = pixel(four.at[i], pixels, words.at[i]);
    return four;
}
