package io.github.elbo4j.training;

import io.github.elbo4j.model.LatentMode;
import io.github.elbo4j.model.Losses;

/**
 * Losses of a model on a data set.
 *
 * @param mode which z was decoded
 * @param losses means over the rows, in nats
 * @param rows rows of the data set
 */
public record Evaluation(LatentMode mode, Losses losses, long rows) {}
