package io.github.elbo4j.benchmarks;

import java.io.IOException;

/** One part of the kit. */
interface Part {
    /**
     * Writes the part's rows, each as soon as it is known.
     *
     * @throws IOException if the results cannot be written
     */
    void run(Kit kit) throws IOException;
}
