package io.github.elbo4j.backend;

/**
 * A step being recorded: its kernels are noted, not run. It ends with the call that was given it; afterwards, on another
 * thread, and for allocation or transfer meanwhile, use throws {@link IllegalStateException}.
 */
public interface Recording extends Kernels {
    /** {@return the dynamic dimension of the step} */
    Rows rows();

    /**
     * {@return a new intermediate of shape {@code [rows.total(), rowShape...]}}
     *
     * @param name name in errors and in {@link Replay#explain()}
     * @param type element type
     * @param rows the recording's rows, folded or not
     * @param rowShape extents of one row; none for one number a row
     */
    Scratch scratch(String name, DType type, Rows rows, long... rowShape);

    /** {@return a new intermediate of the backend's floating type} */
    Scratch scratch(String name, Rows rows, long... rowShape);
}
