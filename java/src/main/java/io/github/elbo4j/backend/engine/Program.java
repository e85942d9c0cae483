package io.github.elbo4j.backend.engine;

/** A recorded step of an {@link Engine}; see {@link io.github.elbo4j.backend.Replay}. */
public interface Program {
    /** Enqueues the step, at least once; the rows are those it selects, or all. */
    void run(long times);

    /** Enqueues the step once on the first rows; only for steps that select none. */
    void runRows(long activeRows);

    /** Waits for the enqueued work. */
    void await();

    /** {@return the operations, one a line} */
    String explain();

    /** Frees what it holds. Never throws. */
    void close();
}
