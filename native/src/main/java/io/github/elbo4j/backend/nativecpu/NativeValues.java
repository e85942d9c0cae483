package io.github.elbo4j.backend.nativecpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.HashMap;
import java.util.Map;

/**
 * Values of parameters, and beside them what forward products read: a transposed copy of each weight. A counter tells
 * changes of the values; a copy is renewed by the next product that finds it older.
 *
 * <p>Copies of views lie where the views do, so views that overlap without being equal cannot both have one: the first
 * has it, and programs of the others keep their own.
 */
final class NativeValues extends NativeMemory {
    /** Before the values; a cache line of its own. */
    private static final long VERSION_BYTES = 64;

    private static final long ALIGNMENT = 64;
    private static final long NEVER_PACKED = -1;
    private static final VarHandle VERSION = ValueLayout.JAVA_LONG.varHandle();

    /** A matrix within the values. */
    private record Weights(long offset, long rows, long columns) {
        boolean overlaps(Weights other) {
            return offset < other.offset + other.rows * other.columns && other.offset < offset + rows * columns;
        }
    }

    private final MemorySegment block;
    private final Map<Weights, MemorySegment> packedVersions = new HashMap<>();
    private boolean written;

    private NativeValues(MemorySegment block, long elementBytes) {
        super(block.asSlice(VERSION_BYTES, elementBytes));
        this.block = block;
    }

    /** {@return the bytes of values and copies} */
    static long bytes(long elementBytes) {
        return VERSION_BYTES + 2 * aligned(elementBytes);
    }

    private static long aligned(long bytes) {
        return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /** {@return memory of zeros} */
    static NativeValues allocate(String what, long elementBytes) {
        return new NativeValues(block(what, bytes(elementBytes)), elementBytes);
    }

    /** {@return the address of the counter of changes} */
    long version() {
        return block.address();
    }

    /** Counts a change of the values. */
    void changed() {
        var _ = (long) VERSION.getAndAdd(block, 0L, 1L);
    }

    /**
     * Notes that a kernel writes here that counts no change, so that whoever runs it has to, see {@link #changed}; from now
     * on no program that is recorded reads the copies.
     */
    synchronized void writtenByAnyKernel() {
        written = true;
    }

    /** {@return where the copies lie, each as far in as its weights among the values} */
    long packed() {
        return address() + aligned(elements().byteSize());
    }

    /**
     * {@return the address of the number of changes that the copy of a matrix has seen; 0 if it has no copy here}
     *
     * @throws io.github.elbo4j.backend.BackendMemoryException if there is no memory for it
     */
    synchronized long packedVersion(long offset, long rows, long columns) {
        Weights weights = new Weights(offset, rows, columns);
        MemorySegment known = packedVersions.get(weights);
        if (written) {
            return 0;
        }
        if (known == null) {
            if (packedVersions.keySet().stream().anyMatch(weights::overlaps)) {
                return 0;
            }
            known = block("counter of a transposed copy", Long.BYTES);
            known.set(ValueLayout.JAVA_LONG, 0, NEVER_PACKED);
            packedVersions.put(weights, known);
        }
        return known.address();
    }

    @Override
    public long bytes() {
        return block.byteSize();
    }

    @Override
    public void upload(MemorySegment source, long byteOffset) {
        super.upload(source, byteOffset);
        changed();
    }

    @Override
    public void free() {
        packedVersions.values().forEach(each -> NativeLibrary.free(each.address()));
        NativeLibrary.free(block.address());
    }
}
