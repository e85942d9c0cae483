package io.github.elbo4j.backend;

import io.github.elbo4j.backend.LatentKernels.Reduction;

/**
 * Log-likelihoods of rows, in nats, and their sums over an epoch.
 *
 * <p>Operands have the backend's floating type.
 */
public interface LossKernels {
    /**
     * The Bernoulli log-likelihood of each row from logits: overwrites
     * {@code out = -sum_j (max(l, 0) - l * x + log1p(exp(-|l|)))}.
     *
     * @param rows rows of the logits
     * @param logits {@code [rows, d]}
     * @param target {@code [rows.capacity, d]} in [0, 1]: row b serves the samples {@code b * fold + s}
     * @param logLikelihood {@code [rows]}
     */
    void bernoulliForward(Rows rows, Operand logits, Operand target, Operand logLikelihood);

    /**
     * {@link #bernoulliForward} and the gradient of the negative log-likelihood in one pass: overwrites
     * {@code logLikelihood} and {@code dLogits = w * (sigmoid(l) - x)}.
     *
     * @param rows rows of the logits
     * @param logits {@code [rows, d]}
     * @param target {@code [rows.capacity, d]} in [0, 1]: row b serves the samples {@code b * fold + s}
     * @param weight w; divided by the active batch rows for {@link Reduction#MEAN}
     * @param reduction sum or mean over the batch rows
     * @param logLikelihood {@code [rows]}
     * @param dLogits {@code [rows, d]}; may be {@code logits} itself
     */
    void bernoulliForwardBackward(
            Rows rows,
            Operand logits,
            Operand target,
            Scalar weight,
            Reduction reduction,
            Operand logLikelihood,
            Operand dLogits);

    /**
     * Adds the active rows of {@code perRow} to a metric of the state, in double and in an order that depends on their
     * number only (ascending in Java). If one of them is not finite, the state's halt flag is set with the step, the operand's name and the rows.
     *
     * @param rows rows of perRow
     * @param state holds the metric
     * @param metric one of {@link StepState#metrics()}
     * @param perRow {@code [rows]}
     */
    void accumulate(Rows rows, StepState state, String metric, Operand perRow);
}
