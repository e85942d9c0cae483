package io.github.elbo4j.backend.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/** Pinned host memory of one tensor. */
final class CudaPinnedMemory extends CudaMemory {
    private static final System.Logger LOG = System.getLogger("io.github.elbo4j.backend.cuda");

    private final CudaEngine engine;
    private final CudaPinnedPool pool;
    private final CudaPinned block;
    private final long address;
    private final Arena arena;
    private final MemorySegment memory;
    private final AtomicBoolean freed = new AtomicBoolean();

    private CudaPinnedMemory(
            CudaEngine engine, CudaPinnedPool pool, CudaPinned block, long address, Arena arena, MemorySegment memory) {
        this.engine = engine;
        this.pool = pool;
        this.block = block;
        this.address = address;
        this.arena = arena;
        this.memory = memory;
    }

    /** Memory of zeros. */
    static CudaPinnedMemory allocate(CudaEngine engine, CudaPinnedPool pool, long bytes) {
        CudaPinned block = pool.allocate(bytes);
        Arena arena = Arena.ofShared();
        try {
            MemorySegment memory = block.memory(bytes, arena).fill((byte) 0);
            return new CudaPinnedMemory(engine, pool, block, block.deviceAddress(), arena, memory);
        } catch (RuntimeException | Error e) {
            arena.close();
            pool.free(block);
            throw e;
        }
    }

    @Override
    long address() {
        return address;
    }

    @Override
    long elementBytes() {
        return memory.byteSize();
    }

    @Override
    public long bytes() {
        return memory.byteSize();
    }

    @Override
    public void upload(MemorySegment source, long byteOffset) {
        engine.await();
        MemorySegment.copy(source, 0, memory, byteOffset, source.byteSize());
    }

    @Override
    public void download(MemorySegment target, long byteOffset) {
        engine.await();
        MemorySegment.copy(memory, byteOffset, target, 0, target.byteSize());
    }

    @Override
    public MemorySegment host() {
        return memory;
    }

    @Override
    public void free() {
        if (!freed.compareAndSet(false, true)) {
            return;
        }
        try {
            arena.close();
        } catch (IllegalStateException e) {
            // Somebody is in the middle of a bulk operation on it: better never used again than used under him.
            LOG.log(System.Logger.Level.WARNING, "pinned memory stays allocated, because the host uses it", e);
            return;
        }
        pool.free(block);
    }
}
