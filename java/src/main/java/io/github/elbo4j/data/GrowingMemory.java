package io.github.elbo4j.data;

import io.github.elbo4j.files.FormatException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Native memory for data of unknown size, appended in parts: blocks that double up to a limit, copied together once at the
 * end. Used by one thread.
 */
final class GrowingMemory implements AutoCloseable {
    private static final long FIRST_BLOCK = 1 << 16;
    private static final long LARGEST_BLOCK = 1 << 26;
    private static final int ALIGNMENT = 64;

    private final String source;
    private final Arena arena = Arena.ofConfined();
    private final List<MemorySegment> blocks = new ArrayList<>();
    private long used;
    private long size;

    /**
     * No data yet.
     *
     * @param source what is read, for messages
     */
    GrowingMemory(String source) {
        this.source = source;
    }

    /** {@return the bytes appended so far} */
    long byteSize() {
        return size;
    }

    /**
     * Appends a copy of the bytes.
     *
     * @throws FormatException if there is no more memory
     */
    void append(MemorySegment part) throws FormatException {
        for (long at = 0; at < part.byteSize(); ) {
            if (blocks.isEmpty() || used == blocks.getLast().byteSize()) {
                long next =
                        blocks.isEmpty() ? FIRST_BLOCK : 2 * blocks.getLast().byteSize();
                blocks.add(allocate(arena, Math.min(next, LARGEST_BLOCK)));
                used = 0;
            }
            MemorySegment block = blocks.getLast();
            long count = Math.min(part.byteSize() - at, block.byteSize() - used);
            MemorySegment.copy(part, at, block, used, count);
            used += count;
            size += count;
            at += count;
        }
    }

    /**
     * {@return all bytes in one piece, freed by the garbage collector}
     *
     * @throws FormatException if there is no memory for them
     */
    MemorySegment toSegment() throws FormatException {
        MemorySegment whole = allocate(Arena.ofAuto(), size);
        long at = 0;
        for (MemorySegment block : blocks) {
            long count = Math.min(block.byteSize(), size - at);
            MemorySegment.copy(block, 0, whole, at, count);
            at += count;
        }
        return whole;
    }

    /** Frees what was appended. */
    @Override
    public void close() {
        arena.close();
    }

    private MemorySegment allocate(Arena from, long bytes) throws FormatException {
        try {
            return from.allocate(bytes, ALIGNMENT);
        } catch (OutOfMemoryError e) {
            throw new FormatException(
                    source,
                    "needs more memory than the JVM may still use, after " + size + " bytes of it",
                    "raise -XX:MaxDirectMemorySize, or read fewer rows",
                    e);
        }
    }
}
