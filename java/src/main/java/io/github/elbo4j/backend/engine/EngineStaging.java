package io.github.elbo4j.backend.engine;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Staging;
import java.lang.foreign.MemorySegment;

/** A tensor whose elements the host reaches as well. */
final class EngineStaging extends EngineTensor implements Staging {
    EngineStaging(EngineWorkspace workspace, String name, DType type, long[] shape, Memory memory) {
        super(workspace, name, type, shape, memory, false);
    }

    @Override
    public MemorySegment host() {
        return memory().host();
    }
}
