package io.github.elbo4j.backend;

/**
 * A recorded step, run as often as wanted with no allocation and no per-operation work on the host.
 *
 * <p>Used by one thread at a time; the same holds for its workspace and for every other that it writes to, and overlap
 * throws {@link IllegalStateException}.
 */
public interface Replay extends AutoCloseable {
    /**
     * Enqueues the step {@code times} times. The active rows are those {@link DataKernels#selectRows} finds, or all rows
     * where the recording chooses none.
     *
     * @throws IllegalStateException if the schedule does not cover the steps; nothing has run then
     */
    void run(long times);

    /**
     * Enqueues the step once on the first {@code activeRows} batch rows.
     *
     * @throws IllegalArgumentException if they are not 1 to capacity
     * @throws IllegalStateException if the recording chooses its rows itself
     */
    void runRows(long activeRows);

    /** Waits for the enqueued work. */
    void await();

    /** {@return the operations as issued and, where the backend merged some, as it runs them: one a line} */
    String explain();

    /** Frees what the recording holds; closing twice does nothing. */
    @Override
    void close();
}
