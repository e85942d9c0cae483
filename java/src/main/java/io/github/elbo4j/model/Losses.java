package io.github.elbo4j.model;

import io.github.elbo4j.backend.StepState;

/**
 * The parts of the loss, each the mean over rows of a sum over dimensions, in nats.
 *
 * @param reconstruction negative reconstruction log-likelihood -log p(x|z)
 * @param kl KL divergence from the posterior to the prior
 * @param loss reconstruction + beta * kl; the negative ELBO when beta is 1
 */
public record Losses(double reconstruction, double kl, double loss) {
    /** {@return the means of a state's sums} */
    public static Losses of(StepState.Snapshot sums, double beta) {
        double reconstruction = -sums.mean(VaeGraph.LOG_LIKELIHOOD);
        double kl = sums.mean(VaeGraph.KL);
        return new Losses(reconstruction, kl, reconstruction + beta * kl);
    }
}
