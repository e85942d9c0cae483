package io.github.elbo4j.backend.engine;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendInfo;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.Kernels;
import io.github.elbo4j.backend.Rows;
import java.util.List;

/**
 * What one backend does its own way: memory, kernels, and how a recorded step runs.
 *
 * <p>Every argument has been checked, and nothing is used after it was freed: {@link EngineBackend} sees to both. Calls
 * for one workspace come one at a time, those for different workspaces from many threads at once.
 *
 * @param <C> a kernel call bound to its memory, as the engine's kernels make it
 */
public interface Engine<C> {
    /** What memory is for. */
    enum Use {
        /** A tensor, an intermediate, gradients or moments. */
        PLAIN,
        /** The values of parameters, which an engine may keep in a second type as well. */
        VALUES,
        /** A {@link io.github.elbo4j.backend.Staging}: on the host, and in reach of kernels. */
        STAGING
    }

    /**
     * {@return what the backend is}
     *
     * @param bytesInUse bytes of all workspaces
     * @param bytesPeak the most so far
     */
    BackendInfo info(long bytesInUse, long bytesPeak);

    /** {@return the type of activations and parameters} */
    DType real();

    /**
     * {@return the families: each kernel makes its {@link KernelCall}, binds the operands and gives both to the issuer}
     *
     * @param backend whose kernels they are
     * @param issuer takes the calls
     */
    Kernels kernels(Backend backend, Issuer<C> issuer);

    /** {@return the bytes that memory takes} */
    default long bytes(DType type, long elements, Use use) {
        return Math.multiplyExact(elements, (long) type.bytes());
    }

    /**
     * {@return new memory of zeros}
     *
     * @param what what it is, in words for errors
     * @param type element type
     * @param elements how many, at least 1
     * @param use what it is for
     * @throws io.github.elbo4j.backend.BackendMemoryException if there is not enough; everything stays usable
     */
    Memory allocate(String what, DType type, long elements, Use use);

    /**
     * {@return a new state at step zero}
     *
     * @param seed key of its random numbers
     * @param slots columns of the schedule
     * @param tableSteps rows of the schedule
     * @param metrics names of the sums
     * @throws io.github.elbo4j.backend.BackendMemoryException if there is not enough memory
     */
    StepMemory stepMemory(long seed, int slots, int tableSteps, List<String> metrics);

    /** Runs a call on all its rows, after everything that this thread has issued before. */
    void run(KernelCall call, C command);

    /**
     * {@return a recorded step, ready to be run}
     *
     * @param state what it counts and schedules by
     * @param rows the dynamic dimension
     * @param calls the calls in the order they were issued
     * @param space gives further memory that lives as long as the program
     */
    Program program(StepMemory state, Rows rows, List<Issued<C>> calls, Space space);

    /** Frees what is left; never called while anything else runs. */
    void close();

    /**
     * A call in a recording.
     *
     * @param call what was checked
     * @param command what the kernels made of it
     * @param <C> the engine's type
     */
    record Issued<C>(KernelCall call, C command) {}

    /** Gives memory within the budget of a workspace. */
    @FunctionalInterface
    interface Space {
        /** {@return new memory of zeros, freed with the program} */
        Memory allocate(String what, DType type, long elements);
    }
}
