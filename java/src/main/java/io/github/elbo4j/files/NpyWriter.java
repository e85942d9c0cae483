package io.github.elbo4j.files;

import io.github.elbo4j.backend.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * Writer of NumPy npy files: format version 1.0, C order, native byte order, the bytes that {@code numpy.save} of NumPy 2
 * writes for the same array. The target is replaced as a whole, as {@link AtomicFiles} does.
 *
 * <p>Stateless and safe for any number of threads that write different files.
 */
public final class NpyWriter {
    private static final int ALIGNMENT = 64;
    private static final int STAGING_BYTES = 1 << 20;

    // NumPy leaves room for the first extent to grow to this many digits in place.
    private static final int ROOM_FOR_DIGITS = 21;

    private NpyWriter() {}

    /**
     * Writes an array.
     *
     * @param target the file to create or replace
     * @param type any but {@link DType#BF16}, which NumPy does not have
     * @param shape at most 32 extents, none negative; empty for a scalar
     * @param data its elements, row-major in native order: a native segment, or one over an array; exactly as many bytes as
     *     type and shape need
     * @throws IllegalArgumentException if an argument is not as described
     * @throws IOException if the file cannot be written; the target is then what it was
     */
    public static void write(Path target, DType type, long[] shape, MemorySegment data) throws IOException {
        long needed = bytes(type, shape);
        if (data.byteSize() != needed) {
            throw new IllegalArgumentException(
                    type + " " + Arrays.toString(shape) + " needs " + needed + " bytes, not " + data.byteSize());
        }
        writeRows(target, type, shape, rows -> rows.append(data));
    }

    /**
     * Writes an array of {@link DType#F32}.
     *
     * @param target the file to create or replace
     * @param values its elements, row-major
     * @param shape as in {@link #write(Path, DType, long[], MemorySegment)}
     * @throws IllegalArgumentException if an argument is not as described
     * @throws IOException if the file cannot be written; the target is then what it was
     */
    public static void write(Path target, float[] values, long... shape) throws IOException {
        write(target, DType.F32, shape, MemorySegment.ofArray(values));
    }

    /**
     * Writes an array part by part, so that a large one need never be in memory as a whole.
     *
     * @param target the file to create or replace
     * @param type as in {@link #write(Path, DType, long[], MemorySegment)}
     * @param shape as in {@link #write(Path, DType, long[], MemorySegment)}
     * @param content appends exactly the elements of the shape, in any number of parts; called once, in this thread
     * @throws IllegalArgumentException if an argument is not as described
     * @throws IllegalStateException if the content appends more or fewer elements; the target is then what it was
     * @throws IOException if the file cannot be written; the target is then what it was
     */
    public static void writeRows(Path target, DType type, long[] shape, AtomicFiles.Content<? super Rows> content)
            throws IOException {
        long needed = bytes(type, shape);
        byte[] header = header(type, shape);
        AtomicFiles.writeChannel(target, channel -> {
            Rows rows = new Rows(channel, type, needed);
            rows.copy(MemorySegment.ofArray(header));
            content.writeTo(rows);
            if (rows.left != 0) {
                throw new IllegalStateException(target + ": " + (needed - rows.left) + " of " + needed
                        + " bytes were appended for " + type + " " + Arrays.toString(shape));
            }
        });
    }

    /** What the elements of an array are appended to, in row-major order. Used by the thread that received it. */
    public static final class Rows {
        private final FileChannel channel;
        private final DType type;
        private final ByteBuffer staging = ByteBuffer.allocateDirect(STAGING_BYTES);
        private long left;

        private Rows(FileChannel channel, DType type, long left) {
            this.channel = channel;
            this.type = type;
            this.left = left;
        }

        /**
         * Appends elements: a row, many rows, or a part of one.
         *
         * @param part elements of the file's type in native order; not used after the return
         * @throws IllegalArgumentException if it is not a whole number of elements
         * @throws IllegalStateException if it is more than the shape has left
         * @throws IOException if writing fails
         */
        public void append(MemorySegment part) throws IOException {
            if (part.byteSize() % type.bytes() != 0) {
                throw new IllegalArgumentException(
                        part.byteSize() + " bytes are not a whole number of " + type + " elements");
            }
            if (part.byteSize() > left) {
                throw new IllegalStateException(
                        part.byteSize() + " bytes are appended, but the shape has only " + left + " left");
            }
            copy(part);
            left -= part.byteSize();
        }

        /**
         * Appends elements of {@link DType#F32}.
         *
         * @param part the elements; not used after the return
         * @throws IllegalArgumentException if the file is of another type
         * @throws IllegalStateException if it is more than the shape has left
         * @throws IOException if writing fails
         */
        public void append(float[] part) throws IOException {
            if (type != DType.F32) {
                throw new IllegalArgumentException("floats are appended to an array of " + type);
            }
            append(MemorySegment.ofArray(part));
        }

        private void copy(MemorySegment data) throws IOException {
            SafetensorsWriter.copy(channel, data, staging);
        }
    }

    /** {@return everything before the data: magic, version, length, and the dict padded to a multiple of 64 bytes} */
    static byte[] header(DType type, long[] shape) {
        StringBuilder dict = new StringBuilder("{'descr': '")
                .append(descr(type))
                .append("', 'fortran_order': False, 'shape': (")
                .append(Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(", ")))
                .append(shape.length == 1 ? ",), }" : "), }");
        if (shape.length > 0) {
            dict.repeat(' ', ROOM_FOR_DIGITS - Long.toString(shape[0]).length());
        }
        int start = NpyFile.MAGIC.length + 2 + Short.BYTES;
        // As NumPy pads: always at least one blank, and then a line end.
        int end = (start + dict.length() + 1) / ALIGNMENT * ALIGNMENT + ALIGNMENT;
        dict.repeat(' ', end - 1 - start - dict.length()).append('\n');
        ByteBuffer out = ByteBuffer.allocate(end).order(ByteOrder.LITTLE_ENDIAN);
        out.put(NpyFile.MAGIC).put((byte) 1).put((byte) 0).putShort((short) (end - start));
        out.put(dict.toString().getBytes(StandardCharsets.ISO_8859_1));
        return out.array();
    }

    private static String descr(DType type) {
        char order = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN ? '<' : '>';
        return switch (type) {
            case F32 -> order + NpyType.FLOAT32.code();
            case F64 -> order + NpyType.FLOAT64.code();
            case U8 -> '|' + NpyType.UINT8.code();
            case I32 -> order + NpyType.INT32.code();
            case I64 -> order + NpyType.INT64.code();
            case BF16 -> throw new IllegalArgumentException("NumPy has no BF16; convert the elements to F32");
        };
    }

    private static long bytes(DType type, long[] shape) {
        if (shape.length > NpyHeader.MAX_DIMENSIONS) {
            throw new IllegalArgumentException(
                    "a shape of " + shape.length + " dimensions, more than " + NpyHeader.MAX_DIMENSIONS);
        }
        if (Arrays.stream(shape).anyMatch(extent -> extent < 0)) {
            throw new IllegalArgumentException("a shape with a negative extent: " + Arrays.toString(shape));
        }
        try {
            return Math.multiplyExact(SafetensorsTypes.elements(shape), (long) type.bytes());
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("a shape of too many elements: " + Arrays.toString(shape), e);
        }
    }
}
