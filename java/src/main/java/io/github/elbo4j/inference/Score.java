package io.github.elbo4j.inference;

/**
 * How well a model explains one row, in nats. None of them is a probability; higher log-likelihoods and bounds are better.
 *
 * @param logLikelihood reconstruction log-likelihood: the mean of {@code log p(x|z)} over the samples of z
 * @param kl KL divergence from the posterior to the prior
 * @param elbo evidence lower bound {@code logLikelihood - kl}, an estimate of a lower bound of {@code log p(x)}; the
 *     model's beta does not enter
 */
public record Score(double logLikelihood, double kl, double elbo) {
    /** Numbers of a score in a row of an output: log-likelihood, KL divergence, bound. */
    public static final int COLUMNS = 3;
}
