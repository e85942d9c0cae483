package io.github.elbo4j.data;

import io.github.elbo4j.backend.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Rows of pixels or values, each an image of one shape, with an optional label for every row.
 *
 * <p>Values are {@link DType#U8} (0 to 255, read as 0 to 1 by the kernels) or {@link DType#F32}, row-major
 * {@code [rows, columns]}, channels last within a row. There is at least one row, and there may be more than an
 * {@code int} can count.
 *
 * <p>Immutable and safe for any number of threads, as long as a segment that was handed in uncopied (see {@link #of})
 * is neither written to nor closed, and may be read by those threads.
 */
public final class Dataset {
    private static final int ALIGNMENT = 64;
    private static final int HASH_CHUNK = 1 << 16;

    private final MemorySegment values;
    private final @Nullable MemorySegment labels;
    private final DType type;
    private final ImageShape shape;
    private final long rows;
    private volatile @Nullable String fingerprint;

    private Dataset(MemorySegment values, @Nullable MemorySegment labels, DType type, ImageShape shape) {
        this.values = values.asReadOnly();
        this.labels = labels == null ? null : labels.asReadOnly();
        this.type = type;
        this.shape = shape;
        this.rows = values.byteSize() / rowBytes(type, shape);
    }

    /**
     * {@return a set of pixels, copied}
     *
     * @param values {@code [rows, shape.size()]}, each byte read as 0 to 255
     * @param shape extents of a row
     * @throws IllegalArgumentException if the values are not a whole number of rows, at least one
     */
    public static Dataset ofBytes(byte[] values, ImageShape shape) {
        return of(MemorySegment.ofArray(values), DType.U8, shape);
    }

    /**
     * {@return a set of values, copied}
     *
     * @param values {@code [rows, shape.size()]}; any number is taken here, see {@link #requireUnitRange}
     * @param shape extents of a row
     * @throws IllegalArgumentException if the values are not a whole number of rows, at least one
     */
    public static Dataset ofFloats(float[] values, ImageShape shape) {
        return of(MemorySegment.ofArray(values), DType.F32, shape);
    }

    /**
     * {@return a set over a segment}
     *
     * <p>A heap segment is copied. A native or mapped one is used as it is: the caller keeps its arena open and its
     * values unchanged for as long as this set, or a slice of it, is in use; an access after the arena is closed is an
     * {@link IllegalStateException}. A segment of an automatic arena is kept alive by the set itself, and one of a
     * confined arena makes a set for that thread only.
     *
     * @param values {@code [rows, shape.size()]} in native byte order, aligned to its elements when native
     * @param type {@link DType#U8} or {@link DType#F32}
     * @param shape extents of a row
     * @throws IllegalArgumentException if the type is another, the segment is misaligned, or its size is not a whole
     *     number of rows, at least one
     */
    public static Dataset of(MemorySegment values, DType type, ImageShape shape) {
        if (type != DType.U8 && type != DType.F32) {
            throw new IllegalArgumentException("a data set holds U8 or F32 values, not " + type);
        }
        long rowBytes = rowBytes(type, shape);
        if (values.byteSize() == 0 || values.byteSize() % rowBytes != 0) {
            throw new IllegalArgumentException(
                    values.byteSize() + " bytes are not a whole number of rows, at least one: " + "a row of " + shape
                            + " in " + type + " has " + rowBytes + " bytes");
        }
        return new Dataset(nativeCopy(values, type), null, type, shape);
    }

    /**
     * {@return this set with other labels, copied; the values are shared}
     *
     * @param labels one for every row, zero or more
     * @throws IllegalArgumentException if there are more or fewer labels than rows, or a label is negative
     */
    public Dataset withLabels(int[] labels) {
        return withLabels(MemorySegment.ofArray(labels));
    }

    /**
     * {@return this set with other labels; the values are shared}
     *
     * @param labels {@code [rows]} of {@link DType#I32} in native byte order, zero or more each; copied when on the
     *     heap, otherwise under the terms of {@link #of}
     * @throws IllegalArgumentException if there are more or fewer labels than rows, a label is negative, or the segment
     *     is misaligned
     */
    public Dataset withLabels(MemorySegment labels) {
        if (labels.byteSize() % Integer.BYTES != 0 || labels.byteSize() / Integer.BYTES != rows) {
            throw new IllegalArgumentException(
                    labels.byteSize() + " bytes of labels for " + rows + " rows: each row needs one 4-byte label");
        }
        MemorySegment copy = nativeCopy(labels, DType.I32);
        for (long row = 0; row < rows; row++) {
            int label = copy.getAtIndex(ValueLayout.JAVA_INT, row);
            if (label < 0) {
                throw new IllegalArgumentException("label " + label + " of row " + row + " is negative");
            }
        }
        return new Dataset(values, copy, type, shape);
    }

    /** {@return the extents of every row} */
    public ImageShape shape() {
        return shape;
    }

    /** {@return how many rows there are, at least one} */
    public long rows() {
        return rows;
    }

    /** {@return values in a row: {@code shape().size()}} */
    public int columns() {
        return shape.size();
    }

    /** {@return the type of the values: {@link DType#U8} or {@link DType#F32}} */
    public DType type() {
        return type;
    }

    /** {@return the values, {@code [rows, columns]} in native byte order, read-only and always native memory} */
    public MemorySegment values() {
        return values;
    }

    /** {@return whether rows have labels} */
    public boolean hasLabels() {
        return labels != null;
    }

    /** {@return the labels, {@code [rows]} of {@link DType#I32} in native byte order, read-only; empty without labels} */
    public Optional<MemorySegment> labels() {
        return Optional.ofNullable(labels);
    }

    /**
     * {@return the label of a row, zero or more}
     *
     * @param row number of the row, {@code 0..rows-1}
     * @throws IllegalStateException if there are no labels
     * @throws IndexOutOfBoundsException if there is no such row
     */
    public int label(long row) {
        MemorySegment present = labels;
        if (present == null) {
            throw new IllegalStateException("this data set has no labels");
        }
        requireRow(row);
        return present.getAtIndex(ValueLayout.JAVA_INT, row);
    }

    /**
     * {@return rows {@code firstRow .. firstRow + count - 1} as a set that shares this one's memory}
     *
     * @param firstRow number of the first row
     * @param count rows to take, at least one
     * @throws IndexOutOfBoundsException if the rows are not all there
     * @throws IllegalArgumentException if {@code count} is not positive
     */
    public Dataset slice(long firstRow, long count) {
        if (count < 1) {
            throw new IllegalArgumentException("a data set needs at least one row, not " + count);
        }
        if (firstRow < 0 || count > rows || firstRow > rows - count) {
            throw new IndexOutOfBoundsException(count + " rows from row " + firstRow + " of " + rows);
        }
        long rowBytes = rowBytes(type, shape);
        MemorySegment part = values.asSlice(firstRow * rowBytes, count * rowBytes);
        MemorySegment present = labels;
        MemorySegment partLabels =
                present == null ? null : present.asSlice(firstRow * Integer.BYTES, count * Integer.BYTES);
        return new Dataset(part, partLabels, type, shape);
    }

    /**
     * {@return the given rows in the given order, copied}
     *
     * @param selected numbers of rows, at least one; a row may be taken more than once
     * @throws IndexOutOfBoundsException if there is no such row
     * @throws IllegalArgumentException if no row is given
     */
    public Dataset select(long[] selected) {
        if (selected.length == 0) {
            throw new IllegalArgumentException("a data set needs at least one row");
        }
        for (long row : selected) {
            requireRow(row);
        }
        long rowBytes = rowBytes(type, shape);
        MemorySegment copy = Arena.ofAuto().allocate(selected.length * rowBytes, ALIGNMENT);
        MemorySegment present = labels;
        int[] copiedLabels = new int[present == null ? 0 : selected.length];
        for (int i = 0; i < selected.length; i++) {
            MemorySegment.copy(values, selected[i] * rowBytes, copy, i * rowBytes, rowBytes);
            if (present != null) {
                copiedLabels[i] = present.getAtIndex(ValueLayout.JAVA_INT, selected[i]);
            }
        }
        Dataset set = new Dataset(copy, null, type, shape);
        return present == null ? set : set.withLabels(copiedLabels);
    }

    /**
     * {@return what tells data sets apart: SHA-256, in hexadecimal, over type, shape, number of rows, values and labels}
     *
     * <p>The same on every machine. Computed on the first call, in one pass over the data; kept from then on.
     */
    public String fingerprint() {
        String known = fingerprint;
        if (known == null) {
            known = computeFingerprint();
            fingerprint = known;
        }
        return known;
    }

    /**
     * Checks that every value lies in [0, 1], as a Bernoulli likelihood needs. {@link DType#U8} always does: the kernels
     * divide it by 255.
     *
     * @param forWhat what needs the range, for the message: "the Bernoulli likelihood"
     * @throws IllegalArgumentException naming the first row and column whose value is outside or not a number
     */
    public void requireUnitRange(String forWhat) {
        if (type == DType.U8) {
            return;
        }
        long count = values.byteSize() / Float.BYTES;
        for (long i = 0; i < count; i++) {
            float value = values.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            // Written so that NaN fails as well.
            if (!(value >= 0 && value <= 1)) {
                throw new IllegalArgumentException(forWhat + " needs values from 0 to 1, but row " + i / columns()
                        + ", column " + i % columns() + " is " + value);
            }
        }
    }

    /** {@return a line that says what the set holds} */
    @Override
    public String toString() {
        return rows + " rows of " + shape.height() + " x " + shape.width() + " x " + shape.channels() + " " + type
                + (labels == null ? "" : ", labelled");
    }

    private String computeFingerprint() {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
        MemorySegment present = labels;
        String header = "elbo4j data set\n" + type + " " + rows + " " + shape.height() + " " + shape.width() + " "
                + shape.channels() + (present == null ? "" : " labels") + "\n";
        digest.update(header.getBytes(StandardCharsets.UTF_8));
        update(digest, values, type);
        if (present != null) {
            update(digest, present, DType.I32);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static void update(MessageDigest digest, MemorySegment data, DType type) {
        ByteBuffer chunk = ByteBuffer.allocate(HASH_CHUNK);
        MemorySegment copy = MemorySegment.ofBuffer(chunk);
        for (long at = 0; at < data.byteSize(); at += HASH_CHUNK) {
            int length = (int) Math.min(HASH_CHUNK, data.byteSize() - at);
            if (type == DType.U8) {
                MemorySegment.copy(data, at, copy, 0, length);
            } else {
                // Hashed as little-endian, whatever the machine.
                MemorySegment.copy(
                        data,
                        ValueLayout.JAVA_INT,
                        at,
                        copy,
                        ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN),
                        0,
                        length / Integer.BYTES);
            }
            digest.update(chunk.array(), 0, length);
        }
    }

    private static MemorySegment nativeCopy(MemorySegment segment, DType type) {
        if (segment.isNative()) {
            if (segment.address() % type.bytes() != 0) {
                throw new IllegalArgumentException("a segment of " + type + " at address " + segment.address()
                        + " must be aligned to " + type.bytes() + " bytes");
            }
            return segment;
        }
        return Arena.ofAuto().allocate(segment.byteSize(), ALIGNMENT).copyFrom(segment);
    }

    private void requireRow(long row) {
        if (row < 0 || row >= rows) {
            throw new IndexOutOfBoundsException("row " + row + " of " + rows);
        }
    }

    private static long rowBytes(DType type, ImageShape shape) {
        return (long) shape.size() * type.bytes();
    }
}
