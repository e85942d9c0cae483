package io.github.elbo4j.backend;

import java.util.Locale;

/**
 * Element-wise functions that a product applies to its result, with PyTorch's default constants.
 *
 * <p>The derivative is taken from the output where the function allows it, and from the input otherwise: see
 * {@link #needsInput()}.
 */
public enum Activation {
    /** f(a) = a. */
    IDENTITY,
    /** f(a) = max(a, 0); derivative 0 at 0. */
    RELU,
    /** f(a) = a for a > 0, else a / 100. */
    LEAKY_RELU,
    /** f(a) = a for a > 0, else expm1(a). */
    ELU,
    /** f(a) = a * Phi(a), Phi the standard normal distribution function (Hendrycks and Gimpel 2016). */
    GELU,
    /** f(a) = a * sigmoid(a). */
    SILU,
    /** f(a) = tanh(a). */
    TANH,
    /** f(a) = 1 / (1 + exp(-a)). */
    SIGMOID,
    /** f(a) = log(1 + exp(a)), computed as max(a, 0) + log1p(exp(-|a|)). */
    SOFTPLUS;

    /** {@return whether the derivative needs the input {@code a}, because the function is not monotonic} */
    public boolean needsInput() {
        return this == GELU || this == SILU;
    }

    /** {@return the name in files and on the command line: lower case with hyphens} */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * {@return the activation of a name, upper or lower case, with hyphens or underscores}
     *
     * @throws IllegalArgumentException if there is none; the message lists the names
     */
    public static Activation of(String name) {
        return Labels.parse(Activation.class, "activation", name, Activation::label);
    }
}
