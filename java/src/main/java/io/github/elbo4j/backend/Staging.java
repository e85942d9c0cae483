package io.github.elbo4j.backend;

import java.lang.foreign.MemorySegment;

/**
 * A tensor in host memory that kernels reach as well: what a recorded step takes from the host and gives back to it, so
 * that a replay needs no copies around it. On a device it is pinned, and each access of a kernel crosses the link: read
 * it once by {@link DataKernels#load}, and write it once by {@link DataKernels#store}.
 *
 * <p>The host may touch the memory only while no enqueued work uses it: after {@link Replay#await}.
 */
public interface Staging extends Tensor {
    /**
     * {@return the elements, row-major in native byte order; not to be used once the tensor is closed, when the memory may
     * be another staging's}
     */
    MemorySegment host();
}
