package io.github.elbo4j.backend;

import java.util.List;
import java.util.function.Consumer;

/**
 * Owns everything made from it and frees it when closed. Used by one thread at a time, hand-over allowed; different
 * workspaces of one backend may be used at the same time.
 *
 * <p>Runs, calls and transfers of one thread take effect in the order they were issued, across all workspaces of a
 * backend: an evaluation that is enqueued after training steps sees their weights. Between threads the caller orders
 * them, by {@link Replay#await} and a hand-over.
 *
 * <p>What does not fit the budget or the backend's memory is a {@link BackendMemoryException} that leaves everything
 * usable.
 */
public interface Workspace extends AutoCloseable {
    /** {@return the backend that made it} */
    Backend backend();

    /** {@return the name in errors} */
    String name();

    /** {@return bytes of tensors, parameters and intermediates at present; step states and what runs a step are not counted} */
    long bytesInUse();

    /**
     * {@return a new tensor of zeros}
     *
     * @param name name in errors
     * @param type element type
     * @param shape extents, each at least 1
     */
    Tensor tensor(String name, DType type, long... shape);

    /**
     * {@return a new tensor of zeros in host memory that kernels reach}
     *
     * @param name name in errors
     * @param type element type
     * @param shape extents, each at least 1
     */
    Staging staging(String name, DType type, long... shape);

    /**
     * {@return a new arena of zeros}
     *
     * @param specs what it holds; names unique, a group's members neighbours
     * @param moments moments kept for each value, 0 to 4
     */
    Parameters parameters(List<Parameters.Spec> specs, int moments);

    /**
     * {@return a new state at step zero}
     *
     * @param seed key of its random numbers and shuffles
     * @param slots names of the schedule's columns
     * @param tableSteps most steps that a schedule can hold, at least 1 when there are slots
     * @param metrics names of the sums
     * @throws IllegalArgumentException if a name stands twice, or the schedule has no room
     */
    StepState stepState(long seed, List<String> slots, int tableSteps, List<String> metrics);

    /**
     * Records a step: calls {@code step} once with a recording, runs nothing, and gives back what runs it.
     *
     * @param state what {@link Replay#run} counts and schedules by; kernels of the step take the same one
     * @param rows the dynamic dimension, not folded
     * @param step issues the kernels
     * @throws RuntimeException whatever {@code step} throws; nothing is left behind then
     */
    Replay record(StepState state, Rows rows, Consumer<Recording> step);

    /**
     * Frees everything, its own replays included; closing twice does nothing.
     *
     * @throws IllegalStateException while a run is in flight on another thread, or while an open replay of another
     *     workspace uses a tensor of this one; nothing is freed then
     */
    @Override
    void close();
}
