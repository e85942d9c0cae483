package io.github.elbo4j.training;

import io.github.elbo4j.model.Losses;
import org.jspecify.annotations.Nullable;

/**
 * What one epoch gave, with z sampled once a row.
 *
 * @param epoch its number, from 1
 * @param train mean over the epoch's steps, each with the weights it had
 * @param test mean over the test data with the weights after the epoch; null without test data
 * @param trainSeconds time of the steps, the time before an interruption included
 * @param testSeconds time of the evaluation
 */
public record EpochReport(int epoch, Losses train, @Nullable Losses test, double trainSeconds, double testSeconds) {}
