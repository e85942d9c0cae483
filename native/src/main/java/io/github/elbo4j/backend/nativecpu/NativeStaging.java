package io.github.elbo4j.backend.nativecpu;

import java.lang.foreign.MemorySegment;

/** Memory of a staging tensor, from the pool. */
final class NativeStaging extends NativeMemory {
    private final NativeStagingPool pool;
    private final MemorySegment block;

    private NativeStaging(NativeStagingPool pool, MemorySegment block, long bytes) {
        super(block.asSlice(0, bytes));
        this.pool = pool;
        this.block = block;
    }

    /** {@return memory of zeros} */
    static NativeStaging allocate(String what, NativeStagingPool pool, long bytes) {
        return new NativeStaging(pool, pool.take(what, bytes), bytes);
    }

    @Override
    public MemorySegment host() {
        return elements();
    }

    @Override
    public void free() {
        pool.giveBack(block);
    }
}
