package io.github.elbo4j.backend;

import org.jspecify.annotations.Nullable;

/**
 * Dense layers: y = f(x W^T + b), with W stored {@code [out, in]} as PyTorch does, and their gradients.
 *
 * <p>Every operand has the backend's floating type. Sums over {@code in}, {@code out} and rows follow the determinism
 * rules of {@code docs/architecture.md}: one ascending chain for each element of a product, the bias last. A backend may
 * leave out a term in which {@code x} is zero, also where its other factor is infinite or NaN.
 */
public interface LinearKernels {
    /** Whether a result replaces what an output holds or adds to it. */
    enum Write {
        /** The result replaces the old content, which is not read. */
        OVERWRITE,
        /** The result is added to the old content. */
        ADD
    }

    /**
     * Overwrites {@code y = f(a)} and, where asked for, {@code pre = a}, with {@code a = x W^T + b}.
     *
     * @param rows rows of x and y
     * @param x {@code [rows, in]}
     * @param w {@code [out, in]}
     * @param b {@code [out]}
     * @param f activation
     * @param y {@code [rows, out]}
     * @param pre {@code [rows, out]}, given exactly when {@link Activation#needsInput()}
     */
    void linearForward(Rows rows, Operand x, Operand w, Operand b, Activation f, Operand y, @Nullable Operand pre);

    /**
     * The gradient with respect to the layer's input, carried on through the activation that produced that input:
     * {@code dx = (g W) * f'}, or {@code dx = (dx + g W) * f'} with {@link Write#ADD}.
     *
     * <p>So {@code dx} is the gradient with respect to the pre-activation of the layer below, which is what that
     * layer's own backward kernels take. An input that feeds several layers adds them with {@link Activation#IDENTITY}
     * and names its activation in the last.
     *
     * @param rows rows of g and dx
     * @param g {@code [rows, out]}, gradient with respect to this layer's pre-activation
     * @param w {@code [out, in]}
     * @param f activation that produced this layer's input
     * @param saved {@code [rows, in]}: what {@code f} gave, or its input when {@link Activation#needsInput()}
     * @param dx {@code [rows, in]}
     * @param write overwrite or add
     */
    void linearBackwardInput(Rows rows, Operand g, Operand w, Activation f, Operand saved, Operand dx, Write write);

    /**
     * The gradients of the parameters: {@code dW = g^T x} and {@code db = sum over rows of g}, over the active rows.
     *
     * @param rows rows of x and g
     * @param x {@code [rows, in]}
     * @param g {@code [rows, out]}, gradient with respect to this layer's pre-activation
     * @param dw {@code [out, in]}
     * @param db {@code [out]}
     * @param write overwrite or add
     */
    void linearBackwardWeights(Rows rows, Operand x, Operand g, Operand dw, Operand db, Write write);
}
