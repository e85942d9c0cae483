package io.github.elbo4j.backend.cuda;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Cuts blocks out of chunks: best fit, neighbours that are free are joined, all in logarithmic time. Addresses only; it
 * touches no memory. Not safe for several threads.
 */
final class BlockAllocator {
    /** Where chunks come from and go to. */
    interface Chunks {
        /**
         * Takes a chunk.
         *
         * @param bytes its size
         * @return its address, a multiple of {@link #ALIGNMENT}; 0 if there is no memory for it
         */
        long take(long bytes);

        /** Gives a chunk back. */
        void give(long address);
    }

    /** Every block begins at a multiple of this, and blocks take multiples of it. */
    static final long ALIGNMENT = 256;

    /** The usual chunk; what does not fit into one gets a chunk to itself. */
    static final long CHUNK = 32L << 20;

    /** A part of a chunk, between its neighbours there. */
    private static final class Span {
        private final long address;
        private long bytes;
        private boolean free;
        private @Nullable Span before;
        private @Nullable Span after;

        Span(long address, long bytes) {
            this.address = address;
            this.bytes = bytes;
        }

        boolean wholeChunk() {
            return before == null && after == null;
        }
    }

    private final Chunks chunks;
    private final TreeSet<Span> free =
            new TreeSet<>(Comparator.<Span>comparingLong(span -> span.bytes).thenComparingLong(span -> span.address));
    private final Map<Long, Span> used = new HashMap<>();
    private final Set<Long> held = new HashSet<>();
    private @Nullable Span spare;
    private long reserved;
    private long inUse;

    BlockAllocator(Chunks chunks) {
        this.chunks = chunks;
    }

    /** {@return bytes that a request takes} */
    static long rounded(long bytes) {
        return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
    }

    /** {@return the address of a new block; 0 if there is no memory for it} */
    long allocate(long bytes) {
        if (bytes < 1 || bytes > Long.MAX_VALUE - ALIGNMENT) {
            throw new IllegalArgumentException("a block of " + bytes + " bytes");
        }
        long size = rounded(bytes);
        Span span = free.ceiling(new Span(0, size));
        if (span == null) {
            span = chunk(size);
            if (span == null) {
                return 0;
            }
        } else {
            free.remove(span);
        }
        if (span == spare) {
            spare = null;
        }
        if (span.bytes > size) {
            Span rest = new Span(span.address + size, span.bytes - size);
            span.bytes = size;
            link(rest, span.after);
            link(span, rest);
            rest.free = true;
            free.add(rest);
        }
        span.free = false;
        used.put(span.address, span);
        inUse += size;
        return span.address;
    }

    private @Nullable Span chunk(long size) {
        long bytes = Math.max(size, CHUNK);
        long address = chunks.take(bytes);
        if (address == 0 && bytes > size) {
            // Less than a chunk may be left.
            bytes = size;
            address = chunks.take(bytes);
        }
        if (address == 0) {
            return null;
        }
        reserved += bytes;
        held.add(address);
        return new Span(address, bytes);
    }

    /**
     * Takes a block back.
     *
     * @throws IllegalStateException if there is no such block
     */
    void free(long address) {
        Span span = used.remove(address);
        if (span == null) {
            throw new IllegalStateException("no block begins at 0x" + Long.toHexString(address));
        }
        inUse -= span.bytes;
        Span after = span.after;
        if (after != null && after.free) {
            free.remove(after);
            span.bytes += after.bytes;
            link(span, after.after);
        }
        Span before = span.before;
        if (before != null && before.free) {
            free.remove(before);
            before.bytes += span.bytes;
            link(before, span.after);
            span = before;
        }
        span.free = true;
        free.add(span);
        if (span.wholeChunk()) {
            retire(span);
        }
    }

    /** One usual chunk is kept, so that a workspace that comes and goes costs the driver nothing. */
    private void retire(Span chunk) {
        if (spare == null && chunk.bytes == CHUNK) {
            spare = chunk;
        } else {
            give(chunk);
        }
    }

    /** {@return whether a chunk that nothing uses was given back} */
    boolean trim() {
        Span chunk = spare;
        if (chunk == null) {
            return false;
        }
        spare = null;
        give(chunk);
        return true;
    }

    private void give(Span chunk) {
        free.remove(chunk);
        reserved -= chunk.bytes;
        held.remove(chunk.address);
        chunks.give(chunk.address);
    }

    /** Gives every chunk back, blocks or not. */
    void clear() {
        List<Long> all = new ArrayList<>(held);
        free.clear();
        used.clear();
        held.clear();
        spare = null;
        reserved = 0;
        inUse = 0;
        all.forEach(chunks::give);
    }

    /** {@return bytes of all chunks} */
    long reservedBytes() {
        return reserved;
    }

    /** {@return bytes of all blocks, as rounded} */
    long bytesInUse() {
        return inUse;
    }

    private static void link(Span left, @Nullable Span right) {
        left.after = right;
        if (right != null) {
            right.before = left;
        }
    }
}
