package io.github.elbo4j.backend.cuda;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Device memory of one tensor; the values of parameters have a twin in bf16 when products take their factors so. */
final class CudaDeviceMemory extends CudaMemory {
    private final CudaEngine engine;
    private final CudaPool.Block block;
    private final CudaPool.@Nullable Block twin;
    private volatile boolean stale;

    CudaDeviceMemory(CudaEngine engine, CudaPool.Block block, CudaPool.@Nullable Block twin) {
        this.engine = engine;
        this.block = block;
        this.twin = twin;
    }

    @Override
    long address() {
        return block.address();
    }

    @Override
    long elementBytes() {
        return block.bytes();
    }

    @Override
    long twin() {
        return twin == null ? 0 : twin.address();
    }

    @Override
    boolean stale() {
        return stale;
    }

    @Override
    void setStale(boolean now) {
        stale = now && twin != null;
    }

    @Override
    public long bytes() {
        return block.bytes() + (twin == null ? 0 : twin.bytes());
    }

    @Override
    public void upload(MemorySegment source, long byteOffset) {
        try {
            engine.upload(source, block.address() + byteOffset);
        } finally {
            // An upload that fails may have written something.
            setStale(true);
        }
    }

    @Override
    public void download(MemorySegment target, long byteOffset) {
        engine.download(block.address() + byteOffset, target);
    }

    @Override
    public MemorySegment host() {
        throw new IllegalStateException("device memory is out of the host's reach");
    }

    @Override
    public void free() {
        engine.release(block);
        if (twin != null) {
            engine.release(twin);
        }
    }
}
