package io.github.elbo4j.validation;

import io.github.elbo4j.backend.Activation;

/**
 * Activations in double, good to a few digits: they scale tolerances and make inputs, and are never compared with.
 */
final class Activations {
    private Activations() {}

    /** {@return about f(a)} */
    static double value(Activation f, double a) {
        return switch (f) {
            case IDENTITY -> a;
            case RELU -> Math.max(a, 0);
            case LEAKY_RELU -> a > 0 ? a : 0.01 * a;
            case ELU -> a > 0 ? a : Math.expm1(a);
            case GELU -> a * normalCdf(a);
            case SILU -> a * sigmoid(a);
            case TANH -> Math.tanh(a);
            case SIGMOID -> sigmoid(a);
            case SOFTPLUS -> Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
        };
    }

    /** {@return the sum of the absolute terms of f', from what {@link Activation#needsInput} says} */
    static double derivativeTerms(Activation f, double saved) {
        double magnitude = Math.abs(saved);
        return switch (f) {
            case IDENTITY, RELU, LEAKY_RELU -> 1;
            // saved + 1
            case ELU -> 1 + magnitude;
            // Phi + a phi
            case GELU -> normalCdf(saved) + magnitude * Math.exp(-saved * saved / 2) * (1 + saved * saved / 2);
            // sigmoid * (1 + a * (1 - sigmoid))
            case SILU -> sigmoid(saved) * (1 + magnitude * (1 + sigmoid(saved)));
            // 1 - y^2
            case TANH -> 1 + saved * saved;
            // y * (1 - y)
            case SIGMOID -> magnitude * (1 + magnitude);
            // 1 - exp(-y)
            case SOFTPLUS -> -Math.expm1(-magnitude);
        };
    }

    static double sigmoid(double a) {
        return a >= 0 ? 1 / (1 + Math.exp(-a)) : Math.exp(a) / (1 + Math.exp(a));
    }

    /** Page's logistic approximation of Phi (1977), within 2e-4, and never zero where Phi is not. */
    private static double normalCdf(double a) {
        return sigmoid(1.5976 * a + 0.070565 * a * a * a) + Math.exp(-a * a / 2) / 10;
    }
}
