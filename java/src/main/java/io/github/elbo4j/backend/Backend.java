package io.github.elbo4j.backend;

/**
 * An opened backend. Its kernels run at once; {@link Workspace#record} makes them a step.
 *
 * <p>Safe for any number of threads, each with its own workspace.
 */
public interface Backend extends Kernels, AutoCloseable {
    /** {@return what it is and what it holds at present} */
    BackendInfo info();

    /** {@return the type of activations and parameters: {@link DType#F32}, or F64 on the oracle} */
    DType real();

    /**
     * {@return a new workspace}
     *
     * @param name name in errors
     * @param byteBudget most bytes it may hold; {@link Long#MAX_VALUE} for no limit
     */
    Workspace workspace(String name, long byteBudget);

    /** {@return a new workspace without a limit of its own} */
    default Workspace workspace(String name) {
        return workspace(name, Long.MAX_VALUE);
    }

    /**
     * Closes every workspace and frees everything; closing twice does nothing. Later use throws.
     *
     * @throws IllegalStateException while a workspace is in use on another thread; to be closed again afterwards
     */
    @Override
    void close();
}
