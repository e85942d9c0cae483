package io.github.elbo4j.benchmarks.cpu;

import java.util.Map;

/** The training step of a library, ready to run; used by one thread. */
public interface StepRunner extends AutoCloseable {
    /** {@return what runs: versions, the BLAS library with its core type, the settings that matter} */
    Map<String, String> facts();

    /** {@return the mean loss of the next so many steps, in nats a row; waits for them} */
    double run(int steps);

    @Override
    void close();
}
