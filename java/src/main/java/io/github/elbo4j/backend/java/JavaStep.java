package io.github.elbo4j.backend.java;

/** A kernel call bound to its arrays. */
@FunctionalInterface
interface JavaStep {
    /**
     * Runs the call.
     *
     * @param activeRows active batch rows, before folding
     */
    void run(int activeRows);
}
