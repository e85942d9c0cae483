package io.github.elbo4j.backend.engine;

import io.github.elbo4j.backend.StepState.Snapshot;

/** What an engine keeps for a {@link io.github.elbo4j.backend.StepState}; every call comes after all work of its thread. */
public interface StepMemory {
    /** {@return the key of random numbers and shuffles} */
    long seed();

    /** Replaces the key. */
    void reseed(long seed);

    /**
     * Replaces the schedule.
     *
     * @param firstStep step of its first row
     * @param values whole rows, at most as many as there is room for
     */
    void schedule(long firstStep, double[] values);

    /** {@return counters, sums and flag} */
    Snapshot read();

    /** Replaces counters, sums and flag. */
    void restore(Snapshot snapshot);

    /** Sets the sums and the rows seen to zero. */
    void resetMetrics();

    /** {@return steps done} */
    long step();

    /** {@return steps done if the flag stays down: no less than {@link #step}, and known without waiting} */
    default long expectedStep() {
        return step();
    }

    /** Frees it. Never throws. */
    void free();
}
