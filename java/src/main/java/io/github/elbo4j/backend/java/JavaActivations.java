package io.github.elbo4j.backend.java;

import static io.github.elbo4j.backend.java.JavaMath.exp;
import static io.github.elbo4j.backend.java.JavaMath.expm1;
import static io.github.elbo4j.backend.java.JavaMath.log1p;
import static io.github.elbo4j.backend.java.JavaMath.normalCdf;
import static io.github.elbo4j.backend.java.JavaMath.normalPdf;
import static io.github.elbo4j.backend.java.JavaMath.tanh;

import io.github.elbo4j.backend.Activation;

/** The element-wise functions of {@link Activation} and their derivatives. */
final class JavaActivations {
    private JavaActivations() {}

    /** {@return f(a)} */
    static float value(Activation f, float a) {
        return switch (f) {
            case IDENTITY -> a;
            case RELU -> Math.max(a, 0f);
            case LEAKY_RELU -> a > 0 ? a : 0.01f * a;
            case ELU -> a > 0 ? a : expm1(a);
            case GELU -> a * normalCdf(a);
            case SILU -> a * sigmoid(a);
            case TANH -> tanh(a);
            case SIGMOID -> sigmoid(a);
            case SOFTPLUS -> Math.max(a, 0f) + log1p(exp(-Math.abs(a)));
        };
    }

    /** {@return f'(a), from the input a where {@link Activation#needsInput}, else from the output f(a)} */
    static float derivative(Activation f, float saved) {
        return switch (f) {
            case IDENTITY -> 1;
            case RELU -> saved > 0 ? 1 : 0;
            case LEAKY_RELU -> saved > 0 ? 1 : 0.01f;
            case ELU -> saved > 0 ? 1 : saved + 1;
            case GELU -> normalCdf(saved) + saved * normalPdf(saved);
            case SILU -> sigmoid(saved) * (1 + saved * (1 - sigmoid(saved)));
            case TANH -> 1 - saved * saved;
            case SIGMOID -> saved * (1 - saved);
            // softplus' = sigmoid(a) = 1 - exp(-softplus(a))
            case SOFTPLUS -> -expm1(-saved);
        };
    }

    /** {@return 1 / (1 + exp(-a)), by the exponential that cannot overflow} */
    static float sigmoid(float a) {
        float e = exp(-Math.abs(a));
        return a >= 0 ? 1 / (1 + e) : e / (1 + e);
    }
}
