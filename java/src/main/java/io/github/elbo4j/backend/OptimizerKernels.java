package io.github.elbo4j.backend;

/**
 * Updates of a contiguous group of {@link Parameters}, and the end of a step. Once the state's halt flag is set, updates
 * and {@link #advance} do nothing: the weights stay those before the bad step, and the counter names it.
 */
public interface OptimizerKernels {
    /** Largest magnitude of a gradient: a larger one, squared, would leave the range of binary32 second moments. */
    double MAX_GRADIENT = 1e18;

    /** Smallest epsilon of Adam: binary32 holds it and its reciprocal. */
    double MIN_EPSILON = 1e-30;

    /** Largest epsilon of Adam. */
    double MAX_EPSILON = 1e30;

    /**
     * Sets the state's halt flag with the name of the first view that has a gradient which is not finite, or larger than
     * {@link #MAX_GRADIENT}; if there is one.
     *
     * @param parameters the arena
     * @param group group of views
     * @param state holds the flag
     */
    void checkGradients(Parameters parameters, String group, StepState state);

    /**
     * One step of Adam (Kingma and Ba 2015, in PyTorch's form); adds to values, overwrites both moments:
     *
     * <pre>
     * m = beta1 * m + (1 - beta1) * g
     * v = beta2 * v + (1 - beta2) * g^2
     * w = w - lr / correction1 * m / (sqrt(v) / sqrt(correction2) + epsilon)
     * </pre>
     *
     * <p>A new moment that is subnormal is zero instead, before w is computed.
     *
     * @param parameters the arena, with at least two moments
     * @param group group of views, updated as one range
     * @param state holds the flag and the schedule
     * @param learningRate lr
     * @param correction1 1 - beta1^t, t the step counted from 1
     * @param correction2 1 - beta2^t
     * @param beta1 decay of the first moment, in [0, 1)
     * @param beta2 decay of the second moment, in [0, 1)
     * @param epsilon added to the denominator, from {@link #MIN_EPSILON} to {@link #MAX_EPSILON}
     */
    void adam(
            Parameters parameters,
            String group,
            StepState state,
            Scalar learningRate,
            Scalar correction1,
            Scalar correction2,
            double beta1,
            double beta2,
            double epsilon);

    /**
     * One step of gradient descent: {@code w = w - lr * g}.
     *
     * @param parameters the arena
     * @param group group of views, updated as one range
     * @param state holds the flag and the schedule
     * @param learningRate lr
     */
    void sgd(Parameters parameters, String group, StepState state, Scalar learningRate);

    /**
     * Ends a step: adds one to the step, the active rows to the position and to the rows seen, and at the end of the
     * order goes on to the next epoch. The last call of every recorded step.
     *
     * @param state what moves on
     */
    void advance(StepState state);
}
