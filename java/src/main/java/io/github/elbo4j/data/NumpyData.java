package io.github.elbo4j.data;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.NpyFile;
import io.github.elbo4j.files.NpyType;
import io.github.elbo4j.files.NpzFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Data sets from NumPy arrays, in npy files ({@link NpyFile}) or npz archives ({@link NpzFile}).
 *
 * <p>Values have the shape {@code [rows, columns]}, {@code [rows, height, width]} or
 * {@code [rows, height, width, channels]}. {@code float32} is taken as it is; {@code float64} is rounded to the nearest
 * {@link DType#F32}, and a finite number that is too large for one is an error; {@code uint8} stays {@link DType#U8};
 * {@code bool} becomes {@link DType#U8} of 0 and 255. Other types of values are refused.
 *
 * <p>Labels have the shape {@code [rows]} or {@code [rows, 1]} and are integers of any type that is read, or bool, from 0 to
 * 2^31 - 1. Stateless and safe for any number of threads.
 */
public final class NumpyData {
    private static final int ALIGNMENT = 64;

    private NumpyData() {}

    /**
     * {@return the rows of an npy file, without labels}
     *
     * @param values an npy file
     * @throws FormatException if the file is missing or damaged, or holds something that is no data set
     * @throws IOException if the thread is interrupted
     */
    public static Dataset readNpy(Path values) throws IOException {
        return dataset(NpyFile.read(values));
    }

    /**
     * {@return the rows of one npy file with the labels of another}
     *
     * @param values an npy file
     * @param labels an npy file with a label for every row
     * @throws FormatException if a file is missing or damaged, holds something else, or the numbers differ
     * @throws IOException if the thread is interrupted
     */
    public static Dataset readNpy(Path values, Path labels) throws IOException {
        return labelled(readNpy(values), NpyFile.read(labels));
    }

    /**
     * {@return the rows of an array in an npz archive, without labels}
     *
     * @param file an npz archive
     * @param values the array's name, with or without {@code .npy}
     * @throws FormatException if the file is missing or damaged, has no such array, or that is no data set
     * @throws IOException if the thread is interrupted
     */
    public static Dataset readNpz(Path file, String values) throws IOException {
        return dataset(NpzFile.read(file, values));
    }

    /**
     * {@return the rows of one array in an npz archive with the labels of another}
     *
     * @param file an npz archive
     * @param values the name of the array of rows, with or without {@code .npy}
     * @param labels the name of the array with a label for every row
     * @throws FormatException if the file is missing or damaged, has no such arrays, they hold something else, or the
     *     numbers differ
     * @throws IOException if the thread is interrupted
     */
    public static Dataset readNpz(Path file, String values, String labels) throws IOException {
        return labelled(readNpz(file, values), NpzFile.read(file, labels));
    }

    private static Dataset dataset(NpyFile array) throws FormatException {
        ImageShape shape = rowShape(array);
        return switch (array.type()) {
            case FLOAT32 -> Dataset.of(array.data(), DType.F32, shape);
            case FLOAT64 -> Dataset.of(rounded(array, shape), DType.F32, shape);
            case UINT8 -> Dataset.of(array.data(), DType.U8, shape);
            case BOOL -> Dataset.of(zerosAnd255(array, shape), DType.U8, shape);
            default ->
                throw new FormatException(
                        array.source(),
                        "holds " + array + ", but values are float32, float64, uint8 or bool",
                        "save it as array.astype('f4'), scaled to 0 to 1, or as array.astype('u1') if it is 0 to 255");
        };
    }

    private static ImageShape rowShape(NpyFile array) throws FormatException {
        long[] extents = array.shape();
        if (extents.length < 2 || extents.length > 4) {
            throw new FormatException(
                    array.source(),
                    "holds " + array + ", which is no set of rows",
                    "reshape it to [rows, columns], [rows, height, width] or [rows, height, width, channels]");
        }
        if (Arrays.stream(extents).anyMatch(extent -> extent == 0)) {
            throw new FormatException(
                    array.source(), "holds " + array + ", which is empty", "save an array of one row or more");
        }
        // Height, width, channels: a missing one is 1, and a single extent is the width.
        long height = extents.length == 2 ? 1 : extents[1];
        long width = extents.length == 2 ? extents[1] : extents[2];
        long channels = extents.length == 4 ? extents[3] : 1;
        long most = 1 << 24;
        // Each is checked first, so that the product of three does not overflow.
        if (height > most
                || width > most
                || channels > most
                || height * width > most
                || height * width * channels > most) {
            throw new FormatException(
                    array.source(),
                    "holds " + array + ", but a row has at most 2^24 values",
                    "check that the first extent is the number of rows");
        }
        return new ImageShape((int) height, (int) width, (int) channels);
    }

    private static MemorySegment rounded(NpyFile array, ImageShape shape) throws FormatException {
        MemorySegment doubles = array.data();
        long count = doubles.byteSize() / Double.BYTES;
        MemorySegment floats = allocate(array, count * Float.BYTES);
        for (long i = 0; i < count; i++) {
            double value = doubles.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
            float nearest = (float) value;
            if (Float.isInfinite(nearest) && Double.isFinite(value)) {
                throw new FormatException(
                        array.source(),
                        place(i, shape) + " is " + value + ", too large for a float32",
                        "scale the values before saving them");
            }
            floats.setAtIndex(ValueLayout.JAVA_FLOAT, i, nearest);
        }
        return floats;
    }

    private static MemorySegment zerosAnd255(NpyFile array, ImageShape shape) throws FormatException {
        MemorySegment flags = array.data();
        MemorySegment bytes = allocate(array, flags.byteSize());
        for (long i = 0; i < flags.byteSize(); i++) {
            byte flag = flags.get(ValueLayout.JAVA_BYTE, i);
            if (flag != 0 && flag != 1) {
                throw new FormatException(
                        array.source(),
                        place(i, shape) + " is the byte " + (flag & 0xff) + ", which is no bool",
                        "save the array as array.astype(bool)");
            }
            bytes.set(ValueLayout.JAVA_BYTE, i, (byte) -flag);
        }
        return bytes;
    }

    private static Dataset labelled(Dataset set, NpyFile labels) throws FormatException {
        long[] extents = labels.shape();
        boolean column = extents.length == 1 || (extents.length == 2 && extents[1] == 1);
        if (!column || labels.type() == NpyType.FLOAT32 || labels.type() == NpyType.FLOAT64) {
            throw new FormatException(
                    labels.source(),
                    "holds " + labels + ", which are no labels",
                    "save integers of shape [rows]: labels.astype('i4')");
        }
        if (extents[0] != set.rows()) {
            throw new FormatException(
                    labels.source(),
                    "holds " + extents[0] + " labels for " + set.rows() + " rows",
                    "give labels that belong to the values");
        }
        MemorySegment widened = allocate(labels, set.rows() * Integer.BYTES);
        for (long row = 0; row < set.rows(); row++) {
            long label = integer(labels, row);
            if (label < 0 || label > Integer.MAX_VALUE) {
                throw new FormatException(
                        labels.source(),
                        "label " + label + " of row " + row + " is not in 0 to 2147483647",
                        "number the labels from 0");
            }
            widened.setAtIndex(ValueLayout.JAVA_INT, row, (int) label);
        }
        return set.withLabels(widened);
    }

    private static long integer(NpyFile labels, long i) {
        MemorySegment data = labels.data();
        return switch (labels.type()) {
            case BOOL, UINT8 -> data.get(ValueLayout.JAVA_BYTE, i) & 0xff;
            case INT8 -> data.get(ValueLayout.JAVA_BYTE, i);
            case UINT16 -> data.getAtIndex(ValueLayout.JAVA_SHORT, i) & 0xffff;
            case INT16 -> data.getAtIndex(ValueLayout.JAVA_SHORT, i);
            case UINT32 -> data.getAtIndex(ValueLayout.JAVA_INT, i) & 0xffffffffL;
            case INT32 -> data.getAtIndex(ValueLayout.JAVA_INT, i);
            case INT64 -> data.getAtIndex(ValueLayout.JAVA_LONG, i);
            case FLOAT32, FLOAT64 -> throw new IllegalStateException("labels of " + labels.type());
        };
    }

    private static String place(long i, ImageShape shape) {
        return "row " + i / shape.size() + ", column " + i % shape.size();
    }

    private static MemorySegment allocate(NpyFile array, long bytes) throws FormatException {
        try {
            return Arena.ofAuto().allocate(bytes, ALIGNMENT);
        } catch (OutOfMemoryError e) {
            throw new FormatException(
                    array.source(),
                    "needs " + bytes + " bytes of memory, more than the JVM may still use",
                    "raise -XX:MaxDirectMemorySize, or read fewer rows",
                    e);
        }
    }
}
