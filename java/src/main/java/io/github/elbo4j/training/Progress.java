package io.github.elbo4j.training;

import io.github.elbo4j.model.Losses;

/**
 * Where a run stands between two steps.
 *
 * @param epoch present epoch, from 1
 * @param epochs epochs of the run
 * @param step steps done in all
 * @param rows rows of this epoch that are done
 * @param rowsPerEpoch rows of an epoch
 * @param running mean losses over those rows
 * @param seconds time of this epoch's steps so far
 */
public record Progress(
        int epoch, int epochs, long step, long rows, long rowsPerEpoch, Losses running, double seconds) {}
