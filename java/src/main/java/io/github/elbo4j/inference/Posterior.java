package io.github.elbo4j.inference;

/**
 * The posteriors {@code N(mu, exp(logVar))} of some rows.
 *
 * @param mu means, {@code [n, latent]}
 * @param logVar log-variances as the model uses them: within its {@link io.github.elbo4j.model.VaeConfig#logVarClamp}
 */
@SuppressWarnings("ArrayRecordComponent") // numbers to be read, never compared
public record Posterior(float[] mu, float[] logVar) {}
