package io.github.elbo4j.training;

import java.util.List;

/**
 * How a run ended.
 *
 * @param history every finished epoch, those before a resume included
 * @param steps steps done in all
 * @param cancelled whether it ended at a step border before its last epoch
 */
public record TrainingResult(List<EpochReport> history, long steps, boolean cancelled) {
    /** Keeps its own copy of the history. */
    public TrainingResult {
        history = List.copyOf(history);
    }
}
