package io.github.elbo4j.backend;

/**
 * The kernel families. Taken from a {@link Backend} a kernel runs at once on tensors and views, all rows active; taken
 * from a {@link Recording} it is noted for replay.
 *
 * <p>Every kernel checks its operands when it is issued, never when it is replayed: a wrong shape or type, an operand or
 * step state of another backend, or a state that is not the recording's is an {@link IllegalArgumentException} that
 * names both sides; a closed operand is an {@link IllegalStateException}.
 */
public interface Kernels {
    /** {@return data: choosing rows and gathering them} */
    DataKernels data();

    /** {@return dense layers} */
    LinearKernels linear();

    /** {@return the Gaussian latent} */
    LatentKernels latent();

    /** {@return likelihoods and sums over the rows} */
    LossKernels loss();

    /** {@return parameter updates and the end of a step} */
    OptimizerKernels optimizer();
}
