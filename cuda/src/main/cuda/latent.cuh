// The formulas of the Gaussian latent that its kernels share.
#pragma once

#include "philox.cuh"

struct Clamp {
    float low, high;
};

// min(max(logVar, low), high); unlike fminf and fmaxf it passes a NaN on.
__device__ inline float clamped(float log_var, const Clamp& clamp) {
    return log_var < clamp.low ? clamp.low : log_var > clamp.high ? clamp.high : log_var;
}

// Outside the range a gradient passes only if descent along it leads back.
__device__ inline float passed(float gradient, float log_var, const Clamp& clamp) {
    const bool leads_out = (log_var < clamp.low && gradient > 0.0f) || (log_var > clamp.high && gradient < 0.0f);
    return leads_out ? 0.0f : gradient;
}

// z = mu + exp(lv / 2) * epsilon of four columns; zeros from `count` on.
__device__ inline Four reparameterized(const Four& mu, const Four& log_var, const Clamp& clamp, const Four& epsilon,
                                       int count) {
    Four z = {};
    for (int i = 0; i < 4; i++) {
        if (i < count) z.at[i] = mu.at[i] + expf(0.5f * clamped(log_var.at[i], clamp)) * epsilon.at[i];
    }
    return z;
}

// sum_j (mu^2 + (expm1(lv) - lv)) / 2 of four columns, added to a running sum in ascending order.
__device__ inline float add_kl(float sum, const Four& mu, const Four& log_var, const Clamp& clamp, int count) {
    for (int i = 0; i < 4; i++) {
        if (i < count) {
            const float lv = clamped(log_var.at[i], clamp);
            sum += 0.5f * (mu.at[i] * mu.at[i] + (expm1f(lv) - lv));
        }
    }
    return sum;
}
