package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.engine.Memory;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Device memory of one tensor; the values of parameters have a twin in bf16 when products take their factors so. */
final class CudaMemory implements Memory {
    private final CudaEngine engine;
    private final CudaPool.Block block;
    private final CudaPool.@Nullable Block twin;
    private boolean stale;

    CudaMemory(CudaEngine engine, CudaPool.Block block, CudaPool.@Nullable Block twin) {
        this.engine = engine;
        this.block = block;
        this.twin = twin;
    }

    /** {@return the address of the first element} */
    long address() {
        return block.address();
    }

    /** {@return the address of the twin's first element, 0 if there is none} */
    long twin() {
        return twin == null ? 0 : twin.address();
    }

    /** {@return all elements of memory that has a twin} */
    CudaOperand values() {
        return new CudaOperand(this, 0, 1, block.bytes() / Float.BYTES, DType.F32);
    }

    /** {@return whether there is a twin that does not hold the present elements; asked and told inside the engine} */
    boolean stale() {
        return stale;
    }

    /** Says whether the twin, if there is one, holds the present elements. */
    void setStale(boolean now) {
        stale = now && twin != null;
    }

    @Override
    public long bytes() {
        return block.bytes() + (twin == null ? 0 : twin.bytes());
    }

    @Override
    public void upload(MemorySegment source, long byteOffset) {
        engine.inside(() -> {
            engine.staging().upload(source, block.address() + byteOffset);
            setStale(true);
        });
    }

    @Override
    public void download(MemorySegment target, long byteOffset) {
        engine.inside(() -> engine.staging().download(block.address() + byteOffset, target));
    }

    @Override
    public void free() {
        engine.release(block);
        if (twin != null) {
            engine.release(twin);
        }
    }
}
