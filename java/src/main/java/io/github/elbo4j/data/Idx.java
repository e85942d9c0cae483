package io.github.elbo4j.data;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.files.FormatException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reader and writer of IDX files, the format of MNIST: a big-endian header and then unsigned bytes, row by row.
 *
 * <p>Source: the format's description on the MNIST page of LeCun, Cortes and Burges. Images have two extents (magic
 * {@code 0x00000803}), or three with the channels last ({@code 0x00000804}); rows that are no images have one
 * ({@code 0x00000802}) and are read as images of height 1. Labels have none ({@code 0x00000801}). A file may be
 * compressed with gzip, which its first two bytes tell, whatever its name.
 *
 * <p>Every file is taken to be hostile: no memory is allocated for data that a header merely promises, and whatever is
 * not exactly as it should be is a {@link FormatException}. Stateless and safe for any number of threads.
 */
public final class Idx {
    private static final int TYPE_U8 = 0x08;
    private static final int LABELS = 0x0801;
    private static final int VECTORS = 0x0802;
    private static final int GREY_IMAGES = 0x0803;
    private static final int COLOUR_IMAGES = 0x0804;

    private static final long FIRST_CAPACITY = 1 << 20;
    private static final int CHUNK = 1 << 18;

    // Deflate cannot make more than 1032 bytes of one.
    private static final long MAX_EXPANSION = 1032;

    private Idx() {}

    /**
     * {@return the images of a file, without labels, as {@link DType#U8}}
     *
     * <p>The pixels are read into memory that is freed when the set is no longer reachable; its size counts towards the
     * JVM's limit of direct memory.
     *
     * @param images a file of images or rows, plain or gzip
     * @throws FormatException if the file is missing, damaged, or holds something else
     */
    public static Dataset read(Path images) throws FormatException {
        Content content = readContent(images, false);
        return Dataset.of(content.bytes, DType.U8, content.shape);
    }

    /**
     * {@return the images of one file with the labels of another}
     *
     * @param images a file of images or rows, plain or gzip
     * @param labels a file of as many labels, plain or gzip
     * @throws FormatException if a file is missing, damaged, holds something else, or the numbers differ
     */
    public static Dataset read(Path images, Path labels) throws FormatException {
        Dataset set = read(images);
        Content content = readContent(labels, true);
        if (content.rows != set.rows()) {
            throw new FormatException(
                    labels.toString(),
                    "holds " + content.rows + " labels, but " + images + " holds " + set.rows() + " images",
                    "give two files that belong together");
        }
        MemorySegment widened = DataFiles.allocate(labels, content.rows * Integer.BYTES);
        for (long i = 0; i < content.rows; i++) {
            widened.setAtIndex(ValueLayout.JAVA_INT, i, content.bytes.get(ValueLayout.JAVA_BYTE, i) & 0xff);
        }
        return set.withLabels(widened);
    }

    /**
     * Writes the values of a set as an uncompressed IDX file: {@code 0x00000803} for one channel, {@code 0x00000804}
     * for more. The stream is left open.
     *
     * @param set a set of {@link DType#U8} and at most 2^32 - 1 rows
     * @param out receives the file
     * @throws IllegalArgumentException if the set holds another type or more rows
     * @throws IOException if the stream refuses
     */
    public static void writeImages(Dataset set, OutputStream out) throws IOException {
        if (set.type() != DType.U8) {
            throw new IllegalArgumentException("IDX images are U8, but the set holds " + set.type());
        }
        ImageShape shape = set.shape();
        if (shape.channels() == 1) {
            writeHeader(out, GREY_IMAGES, set.rows(), shape.height(), shape.width());
        } else {
            writeHeader(out, COLOUR_IMAGES, set.rows(), shape.height(), shape.width(), shape.channels());
        }
        byte[] chunk = new byte[CHUNK];
        MemorySegment values = set.values();
        for (long at = 0; at < values.byteSize(); at += CHUNK) {
            int length = (int) Math.min(CHUNK, values.byteSize() - at);
            MemorySegment.copy(values, ValueLayout.JAVA_BYTE, at, chunk, 0, length);
            out.write(chunk, 0, length);
        }
    }

    /**
     * Writes the labels of a set as an uncompressed IDX file ({@code 0x00000801}). The stream is left open.
     *
     * @param set a set with labels of at most 255 and at most 2^32 - 1 rows
     * @param out receives the file
     * @throws IllegalArgumentException if the set has no labels, larger ones, or more rows
     * @throws IOException if the stream refuses
     */
    public static void writeLabels(Dataset set, OutputStream out) throws IOException {
        if (!set.hasLabels()) {
            throw new IllegalArgumentException("the set has no labels to write");
        }
        for (long row = 0; row < set.rows(); row++) {
            if (set.label(row) > 255) {
                throw new IllegalArgumentException(
                        "IDX labels are at most 255, but row " + row + " has label " + set.label(row));
            }
        }
        writeHeader(out, LABELS, set.rows());
        byte[] chunk = new byte[CHUNK];
        for (long first = 0; first < set.rows(); first += CHUNK) {
            int length = (int) Math.min(CHUNK, set.rows() - first);
            for (int i = 0; i < length; i++) {
                chunk[i] = (byte) set.label(first + i);
            }
            out.write(chunk, 0, length);
        }
    }

    private static void writeHeader(OutputStream out, int magic, long rows, int... extents) throws IOException {
        if (rows > 0xFFFFFFFFL) {
            throw new IllegalArgumentException("an IDX file has at most 2^32 - 1 rows, not " + rows);
        }
        ByteBuffer header = ByteBuffer.allocate(8 + 4 * extents.length);
        header.putInt(magic).putInt((int) rows);
        for (int extent : extents) {
            header.putInt(extent);
        }
        out.write(header.array());
    }

    /** A file's header and bytes; labels are rows of one value. */
    private record Content(long rows, ImageShape shape, MemorySegment bytes) {}

    private static ImageShape rowShape(Path path, long[] extents) throws FormatException {
        // Height, width, channels: a missing one is 1, and a single extent is the width.
        long height = extents.length < 2 ? 1 : extents[0];
        long width = extents.length == 0 ? 1 : extents[extents.length == 1 ? 0 : 1];
        long channels = extents.length < 3 ? 1 : extents[2];
        long most = 1 << 24;
        if (height > most || width > most || channels > most) {
            throw tooLarge(path, extents, null);
        }
        try {
            return new ImageShape((int) height, (int) width, (int) channels);
        } catch (IllegalArgumentException e) {
            throw tooLarge(path, extents, e);
        }
    }

    private static FormatException tooLarge(Path path, long[] extents, @Nullable Throwable cause) {
        String problem = "the header says that a row has extents " + Arrays.toString(extents)
                + ", which must be at least 1 and at most 2^24 values together";
        return cause == null
                ? new FormatException(path.toString(), problem, DataFiles.FETCH_AGAIN)
                : new FormatException(path.toString(), problem, DataFiles.FETCH_AGAIN, cause);
    }

    private static Content readContent(Path path, boolean labels) throws FormatException {
        DataFiles.require(path, "an IDX file");
        try (InputStream raw = Files.newInputStream(path)) {
            return parse(path, raw, Files.size(path), labels);
        } catch (IOException e) {
            throw DataFiles.failure(path, e);
        }
    }

    private static Content parse(Path path, InputStream raw, long fileBytes, boolean labels) throws IOException {
        try (InputStream in = DataFiles.unpacked(raw)) {
            return parseBody(path, in, fileBytes, in instanceof GzipInput, labels);
        }
    }

    private static Content parseBody(Path path, InputStream in, long fileBytes, boolean gzip, boolean labels)
            throws IOException {
        int magic = readInt(in);
        requireMagic(path, magic, labels);
        long rows = readInt(in) & 0xFFFFFFFFL;
        long[] extents = new long[(magic & 0xff) - 1];
        for (int i = 0; i < extents.length; i++) {
            extents[i] = readInt(in) & 0xFFFFFFFFL;
        }
        if (rows == 0) {
            throw new FormatException(path.toString(), "the header says that there are no rows", DataFiles.FETCH_AGAIN);
        }
        // At most 2^32 rows of 2^24 bytes: no overflow.
        ImageShape shape = rowShape(path, extents);
        long declared = rows * shape.size();
        long present = fileBytes - (8 + 4L * extents.length);
        if (!gzip && present != declared) {
            throw wrongSize(path, rows, declared, present < declared ? "only " + present : "" + present);
        }
        if (gzip && declared / MAX_EXPANSION > fileBytes) {
            throw wrongSize(path, rows, declared, "at most " + fileBytes * MAX_EXPANSION);
        }
        return new Content(rows, shape, readBytes(path, in, rows, declared, !gzip));
    }

    private static void requireMagic(Path path, int magic, boolean labels) throws FormatException {
        int type = magic >>> 8;
        boolean fits = labels ? magic == LABELS : magic == VECTORS || magic == GREY_IMAGES || magic == COLOUR_IMAGES;
        if (fits) {
            return;
        }
        String found = String.format("starts with 0x%08x", magic);
        if (type == TYPE_U8) {
            String holds = magic == LABELS ? "holds labels" : "holds data of " + (magic & 0xff) + " dimensions";
            throw new FormatException(
                    path.toString(),
                    holds + " (" + found + "), not " + (labels ? "labels" : "images"),
                    labels ? "name a label file (0x00000801)" : "name an image file (0x00000803)");
        }
        if (type >= 0x09 && type <= 0x0E) {
            throw new FormatException(
                    path.toString(),
                    found + ": an IDX file of other values than bytes",
                    "convert it to unsigned bytes");
        }
        throw new FormatException(
                path.toString(),
                "is no IDX file: it " + found,
                "name a file that starts with " + (labels ? "0x00000801" : "0x00000803") + ", plain or gzip");
    }

    private static MemorySegment readBytes(Path path, InputStream in, long rows, long declared, boolean trusted)
            throws IOException {
        byte[] chunk = new byte[(int) Math.min(CHUNK, declared)];
        MemorySegment bytes = null;
        // Compressed data is believed only as it comes: capacity doubles, up to what the header says.
        long capacity = trusted ? declared : Math.min(declared, FIRST_CAPACITY);
        long filled = 0;
        while (true) {
            MemorySegment larger = DataFiles.allocate(path, capacity);
            if (bytes != null) {
                MemorySegment.copy(bytes, 0, larger, 0, filled);
            }
            bytes = larger;
            while (filled < capacity) {
                int count = in.read(chunk, 0, (int) Math.min(chunk.length, capacity - filled));
                if (count < 0) {
                    throw wrongSize(path, rows, declared, "only " + filled);
                }
                MemorySegment.copy(chunk, 0, bytes, ValueLayout.JAVA_BYTE, filled, count);
                filled += count;
            }
            if (capacity == declared) {
                break;
            }
            capacity = Math.min(declared, 2 * capacity);
        }
        if (in.read() >= 0) {
            throw wrongSize(path, rows, declared, "more");
        }
        return bytes;
    }

    private static FormatException wrongSize(Path path, long rows, long declared, String present) {
        return new FormatException(
                path.toString(),
                "the header says " + rows + " rows of " + declared + " bytes in all, but the file holds " + present,
                DataFiles.FETCH_AGAIN);
    }

    private static int readInt(InputStream in) throws IOException {
        byte[] bytes = in.readNBytes(4);
        if (bytes.length < 4) {
            throw new EOFException("it ends within its header");
        }
        return ByteBuffer.wrap(bytes).getInt();
    }
}
