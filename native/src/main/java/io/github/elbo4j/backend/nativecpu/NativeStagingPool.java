package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.BackendMemoryException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Memory that sessions leave to the next ones. The garbage collector owns it, so that a host that still holds a segment
 * of a closed session reads and writes memory that exists. Blocks are powers of two, so that they suit again.
 *
 * <p>Safe for any number of threads.
 */
final class NativeStagingPool {
    private static final long SMALLEST = 1L << 12;
    private static final long ALIGNMENT = 64;
    /** Kernels load whole registers, of which the last may reach beyond the elements. */
    private static final long READABLE = 64;

    private final Map<Long, Deque<MemorySegment>> idle = new HashMap<>();
    private long idleBytes;

    /**
     * {@return a block whose first bytes are zeros, aligned to 64 and followed by 64 bytes that may be read}
     *
     * @throws BackendMemoryException if the JVM has no memory left for it
     */
    MemorySegment take(String what, long bytes) {
        long size = Math.max(SMALLEST, Long.highestOneBit(2 * bytes - 1));
        MemorySegment found = idle(size);
        if (found != null) {
            found.asSlice(0, bytes).fill((byte) 0);
            return found;
        }
        try {
            return Arena.ofAuto().allocate(size + READABLE, ALIGNMENT);
        } catch (OutOfMemoryError e) {
            throw new BackendMemoryException(
                    what + ": the JVM has no memory for " + bytes
                            + " bytes; raise -XX:MaxDirectMemorySize, or use a smaller batch",
                    e);
        }
    }

    private synchronized @Nullable MemorySegment idle(long size) {
        Deque<MemorySegment> blocks = idle.get(size + READABLE);
        MemorySegment found = blocks == null ? null : blocks.pollFirst();
        idleBytes -= found == null ? 0 : found.byteSize();
        return found;
    }

    /** Takes a block back that no program uses any more; those that came earlier are taken before it. */
    synchronized void giveBack(MemorySegment block) {
        idle.computeIfAbsent(block.byteSize(), size -> new ArrayDeque<>()).addLast(block);
        idleBytes += block.byteSize();
    }

    /** {@return bytes of the blocks that wait for a session} */
    synchronized long idleBytes() {
        return idleBytes;
    }
}
