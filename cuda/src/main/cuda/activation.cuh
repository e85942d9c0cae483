// The element-wise functions of Activation.java and their derivatives, by the same formulas.
#pragma once

#include "cuda.cuh"

// The ordinals of Activation.java.
enum Activation {
    ACTIVATION_IDENTITY,
    ACTIVATION_RELU,
    ACTIVATION_LEAKY_RELU,
    ACTIVATION_ELU,
    ACTIVATION_GELU,
    ACTIVATION_SILU,
    ACTIVATION_TANH,
    ACTIVATION_SIGMOID,
    ACTIVATION_SOFTPLUS
};

// max(a, 0); unlike fmaxf it passes a NaN on.
__device__ inline float relu(float a) { return a <= 0.0f ? 0.0f : a; }

// 1 / (1 + exp(-a)), by the exponential that cannot overflow: e = exp(-|a|).
__device__ inline float sigmoid_of(float a, float e) { return a >= 0.0f ? 1.0f / (1.0f + e) : e / (1.0f + e); }

__device__ inline float sigmoid(float a) { return sigmoid_of(a, expf(-fabsf(a))); }

// Phi, the standard normal distribution function, and its density.
__device__ inline float normal_cdf(float x) { return 0.5f * erfcf(-0.707106781f * x); }
__device__ inline float normal_pdf(float x) { return 0.398942280f * expf(-0.5f * x * x); }

__device__ inline float activation_value(int activation, float a) {
    switch (activation) {
        case ACTIVATION_RELU:
            return relu(a);
        case ACTIVATION_LEAKY_RELU:
            return a > 0.0f ? a : 0.01f * a;
        case ACTIVATION_ELU:
            return a > 0.0f ? a : expm1f(a);
        case ACTIVATION_GELU:
            return a * normal_cdf(a);
        case ACTIVATION_SILU:
            return a * sigmoid(a);
        case ACTIVATION_TANH:
            return tanhf(a);
        case ACTIVATION_SIGMOID:
            return sigmoid(a);
        case ACTIVATION_SOFTPLUS:
            return relu(a) + log1pf(expf(-fabsf(a)));
        default:
            return a;
    }
}

// f'(a), from the input a for gelu and silu, else from the output f(a).
__device__ inline float activation_derivative(int activation, float saved) {
    switch (activation) {
        case ACTIVATION_RELU:
            return saved > 0.0f ? 1.0f : 0.0f;
        case ACTIVATION_LEAKY_RELU:
            return saved > 0.0f ? 1.0f : 0.01f;
        case ACTIVATION_ELU:
            return saved > 0.0f ? 1.0f : saved + 1.0f;
        case ACTIVATION_GELU:
            return normal_cdf(saved) + saved * normal_pdf(saved);
        case ACTIVATION_SILU: {
            const float s = sigmoid(saved);
            return s * (1.0f + saved * (1.0f - s));
        }
        case ACTIVATION_TANH:
            return 1.0f - saved * saved;
        case ACTIVATION_SIGMOID:
            return saved * (1.0f - saved);
        case ACTIVATION_SOFTPLUS:
            return -expm1f(-saved);  // sigmoid(a) = 1 - exp(-softplus(a))
        default:
            return 1.0f;
    }
}
