package io.github.elbo4j.backend.cuda;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Pinned memory that sessions leave to the next ones: to free it would make everybody wait for the device. Blocks are
 * powers of two, so that they suit again; what was once pinned stays so until the backend is closed.
 *
 * <p>Safe for any number of threads.
 */
final class CudaPinnedPool implements AutoCloseable {
    private static final long SMALLEST = 1L << 12;

    /** A block, and the end of the work that may still use it. */
    private record Idle(CudaPinned block, CudaEvent used) {}

    private final CudaContext context;
    private final CudaStream stream;
    private final Map<Long, Deque<Idle>> idle = new HashMap<>();
    private long reserved;

    CudaPinnedPool(CudaContext context, CudaStream stream) {
        this.context = context;
        this.stream = stream;
    }

    /** {@return a block of at least some bytes, of undefined content, that nothing enqueued uses} */
    CudaPinned allocate(long bytes) {
        long size = Math.max(SMALLEST, Long.highestOneBit(2 * bytes - 1));
        Idle found = take(size);
        if (found == null) {
            CudaPinned made = CudaPinned.allocate(context, size);
            account(size);
            return made;
        }
        try (CudaEvent used = found.used()) {
            used.synchronize();
            return found.block();
        } catch (CudaException e) {
            drop(found.block());
            throw e;
        }
    }

    private void drop(CudaPinned block) {
        account(-block.bytes());
        block.close();
    }

    private synchronized void account(long bytes) {
        reserved += bytes;
    }

    /** {@return bytes of all blocks, lent or not} */
    synchronized long reservedBytes() {
        return reserved;
    }

    private synchronized @Nullable Idle take(long size) {
        Deque<Idle> blocks = idle.get(size);
        return blocks == null ? null : blocks.pollFirst();
    }

    /** Takes a block back that work enqueued so far may still use; never throws. */
    void free(CudaPinned block) {
        if (context.lost()) {
            return;
        }
        try {
            CudaEvent used = CudaEvent.open(context);
            try {
                used.record(stream);
            } catch (CudaException e) {
                used.close();
                throw e;
            }
            synchronized (this) {
                idle.computeIfAbsent(block.bytes(), size -> new ArrayDeque<>()).addLast(new Idle(block, used));
            }
        } catch (CudaException e) {
            // Without a mark nobody can tell when it may be used again.
            drop(block);
        }
    }

    /** Frees what was given back; never throws. */
    @Override
    public synchronized void close() {
        idle.values()
                .forEach(blocks -> blocks.forEach(each -> {
                    each.used().close();
                    each.block().close();
                }));
        idle.clear();
    }
}
