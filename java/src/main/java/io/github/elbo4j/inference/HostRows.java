package io.github.elbo4j.inference;

import io.github.elbo4j.backend.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * Rows in the caller's memory: where the first begins, and how far apart they are. How many there are, and how long, is
 * the matter of the call that takes them; it checks that they lie inside.
 *
 * <p>Made once and used for many calls, so that these allocate nothing. The memory itself stays the caller's: it may be
 * on the heap or native, and must be reachable from the calling thread. A segment that was closed, or that belongs to
 * another thread, makes a call throw what {@link MemorySegment} throws.
 *
 * <p>Immutable; safe for as many threads as the memory is.
 */
public final class HostRows {
    /** {@link #stride} of rows without gaps. */
    private static final long TIGHT = 0;

    private final MemorySegment memory;
    private final DType type;
    private final long offset;
    private final long stride;

    private HostRows(MemorySegment memory, DType type, long offset, long stride) {
        if (!List.of(DType.F32, DType.U8).contains(type)) {
            throw new IllegalArgumentException("rows hold F32 or U8, not " + type);
        }
        if (offset < 0 || stride < 0) {
            throw new IllegalArgumentException("rows at element " + offset + ", " + stride
                    + " elements apart: neither can be negative (0 apart means without gaps)");
        }
        this.memory = Objects.requireNonNull(memory, "memory");
        this.type = type;
        this.offset = offset;
        this.stride = stride;
    }

    /** {@return rows one after another in an array} */
    public static HostRows of(float... values) {
        return of(values, 0, TIGHT);
    }

    /**
     * {@return rows in an array}
     *
     * @param values numbers
     * @param offset index of the first row's first number
     * @param stride numbers from the beginning of a row to that of the next; 0 for rows without gaps
     */
    public static HostRows of(float[] values, long offset, long stride) {
        return of(MemorySegment.ofArray(values), DType.F32, offset, stride);
    }

    /** {@return rows of pixels one after another in an array: 0 to 255 stand for 0 to 1} */
    public static HostRows ofBytes(byte... values) {
        return ofBytes(values, 0, TIGHT);
    }

    /**
     * {@return rows of pixels in an array: 0 to 255 stand for 0 to 1}
     *
     * @param values pixels
     * @param offset index of the first row's first pixel
     * @param stride pixels from the beginning of a row to that of the next; 0 for rows without gaps
     */
    public static HostRows ofBytes(byte[] values, long offset, long stride) {
        return of(MemorySegment.ofArray(values), DType.U8, offset, stride);
    }

    /**
     * {@return rows in a segment}
     *
     * @param memory numbers in native byte order, of any alignment
     * @param type {@link DType#F32}, or {@link DType#U8} for pixels
     * @param offset the first row's first element
     * @param stride elements from the beginning of a row to that of the next; 0 for rows without gaps
     */
    public static HostRows of(MemorySegment memory, DType type, long offset, long stride) {
        return new HostRows(memory, type, offset, stride);
    }

    MemorySegment memory() {
        return memory;
    }

    DType type() {
        return type;
    }

    /** {@return elements from a row of some columns to the next} */
    long stride(long columns) {
        return stride == TIGHT ? columns : stride;
    }

    /** {@return the first byte of a row} */
    long byteOffset(long row, long columns) {
        return (offset + row * stride(columns)) * type.bytes();
    }

    /**
     * Checks that rows lie inside, and apart from each other.
     *
     * @param role name of the argument, for errors
     */
    void requireRows(String role, long rows, long columns) {
        long step = stride(columns);
        long elements = memory.byteSize() / type.bytes();
        // Without overflow: rows is an int, and what exceeds the memory once exceeds it for good.
        boolean fits = columns <= elements
                && offset <= elements - columns
                && (rows == 1 || (step >= columns && step <= (elements - columns - offset) / (rows - 1)));
        if (!fits) {
            throw new IllegalArgumentException(role + ": " + rows + " rows of " + columns + " elements, " + step
                    + " apart, from element " + offset + " do not fit " + elements + " elements without overlap");
        }
    }

    /** Checks that rows can be written, as numbers or, where {@code pixels}, also as bytes. */
    void requireTarget(String role, long rows, long columns, boolean pixels) {
        requireRows(role, rows, columns);
        if (memory.isReadOnly()) {
            throw new IllegalArgumentException(role + ": the memory is read-only");
        }
        if (type == DType.U8 && !pixels) {
            throw new IllegalArgumentException(role + ": these numbers are no pixels; give rows of F32");
        }
    }

    /** {@return where the rows lie, in words} */
    @Override
    public String toString() {
        return "rows of " + type + " from element " + offset + (stride == TIGHT ? "" : ", " + stride + " apart")
                + ", in " + memory.byteSize() + " bytes";
    }

    /** {@return whether both are the same rows of the same memory} */
    @Override
    public boolean equals(Object other) {
        return other instanceof HostRows that
                && memory.equals(that.memory)
                && type == that.type
                && offset == that.offset
                && stride == that.stride;
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(new Object[] {memory, type, offset, stride});
    }
}
