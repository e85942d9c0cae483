package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;

/** Makes the backend once everything it needs is known to be there. */
final class CudaBackends {
    private CudaBackends() {}

    /**
     * Opens a backend.
     *
     * @param steps training steps in one launch of a graph
     * @param pooled whether blocks of device memory are cut out of chunks
     */
    @SuppressWarnings("DoNotCallSuggester")
    static Backend open(CudaDevice device, Precision precision, int steps, boolean pooled) {
        throw new UnsupportedOperationException("the CUDA backend is not in this build: " + device + ", "
                + precision.label() + ", " + steps + " steps, pooled " + pooled);
    }
}
