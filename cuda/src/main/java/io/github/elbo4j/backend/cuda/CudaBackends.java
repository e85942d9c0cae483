package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.engine.EngineBackend;

/** Makes the backend once everything it needs is known to be there. */
final class CudaBackends {
    private CudaBackends() {}

    /**
     * Opens a backend.
     *
     * @param steps training steps in one launch of a graph
     * @param pooled whether blocks of device memory are cut out of chunks
     */
    static Backend open(CudaDevice device, Precision precision, int steps, boolean pooled) {
        return new EngineBackend<>(new CudaEngine(device, precision, steps, pooled));
    }
}
