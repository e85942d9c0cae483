package io.github.elbo4j.inference;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Staging;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Copies between a caller's rows and the memory that the backend reads and writes. */
final class RowCopies {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED;

    private RowCopies() {}

    /** Copies rows of bytes as they are. */
    static void in(HostRows source, int first, int rows, Staging target) {
        bytes(source, first, rows, target.columns(), target.host());
    }

    /**
     * Copies rows of numbers, and checks them.
     *
     * @param role name of the argument, for errors
     * @param first the first row to copy
     * @param rows how many
     * @param target receives them from its first row on
     * @param low least number allowed
     * @param high largest number allowed
     */
    static void in(String role, HostRows source, int first, int rows, Staging target, float low, float high) {
        long columns = target.columns();
        MemorySegment host = target.host();
        if (target.type() == DType.F32) {
            bytes(source, first, rows, columns, host);
            for (long i = 0; i < rows * columns; i++) {
                float value = host.getAtIndex(FLOAT, i);
                // The negation catches NaN as well.
                if (!(value >= low && value <= high)) {
                    throw outside(role, value, first + i / columns, i % columns, high);
                }
            }
            return;
        }
        for (int r = 0; r < rows; r++) {
            for (long c = 0; c < columns; c++) {
                float value = get(source, first + r, c, columns);
                if (!(value >= low && value <= high)) {
                    throw outside(role, value, first + r, c, high);
                }
                host.setAtIndex(DOUBLE, r * columns + c, value);
            }
        }
    }

    private static void bytes(HostRows source, int first, int rows, long columns, MemorySegment target) {
        long rowBytes = columns * source.type().bytes();
        if (source.stride(columns) == columns) {
            MemorySegment.copy(source.memory(), source.byteOffset(first, columns), target, 0, rows * rowBytes);
            return;
        }
        for (int r = 0; r < rows; r++) {
            MemorySegment.copy(source.memory(), source.byteOffset(first + r, columns), target, r * rowBytes, rowBytes);
        }
    }

    private static IllegalArgumentException outside(String role, float value, long row, long column, float high) {
        String wanted = high == 1 ? "is outside of 0 to 1; scale the inputs as for training" : "is not finite";
        return new IllegalArgumentException(
                role + ": " + value + " at row " + row + ", column " + column + " " + wanted);
    }

    /**
     * Copies columns of rows.
     *
     * @param source memory of whole rows
     * @param from the first column
     * @param columns how many
     * @param rows how many rows, from the first on
     * @param target receives them, as bytes where it holds bytes
     * @param first the first row to overwrite
     */
    static void out(Staging source, int from, int columns, int rows, HostRows target, int first) {
        long width = source.columns();
        MemorySegment host = source.host();
        if (source.type() == DType.F32 && target.type() == DType.F32) {
            long rowBytes = (long) columns * Float.BYTES;
            if (columns == width && target.stride(columns) == columns) {
                MemorySegment.copy(host, 0, target.memory(), target.byteOffset(first, columns), rows * rowBytes);
                return;
            }
            for (int r = 0; r < rows; r++) {
                MemorySegment.copy(
                        host,
                        (r * width + from) * Float.BYTES,
                        target.memory(),
                        target.byteOffset(first + r, columns),
                        rowBytes);
            }
            return;
        }
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                long at = r * width + from + c;
                float value =
                        source.type() == DType.F32 ? host.getAtIndex(FLOAT, at) : (float) host.getAtIndex(DOUBLE, at);
                set(target, first + r, c, columns, value);
            }
        }
    }

    /** {@return a number of a row, a byte of 255 as 1} */
    static float get(HostRows rows, long row, long column, long columns) {
        long at = rows.byteOffset(row, columns) + column * rows.type().bytes();
        return rows.type() == DType.U8
                ? (rows.memory().get(ValueLayout.JAVA_BYTE, at) & 0xFF) / 255f
                : rows.memory().get(FLOAT, at);
    }

    /** Overwrites a number of a row, 1 as a byte of 255. */
    static void set(HostRows rows, long row, long column, long columns, float value) {
        long at = rows.byteOffset(row, columns) + column * rows.type().bytes();
        if (rows.type() == DType.U8) {
            rows.memory().set(ValueLayout.JAVA_BYTE, at, (byte) Math.round(value * 255));
        } else {
            rows.memory().set(FLOAT, at, value);
        }
    }
}
