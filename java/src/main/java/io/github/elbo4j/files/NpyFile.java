package io.github.elbo4j.files;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The array of a NumPy npy file or of an npz archive, read and checked as a whole into native memory.
 *
 * <p>Format versions 1.0, 2.0 and 3.0, the types of {@link NpyType}, both byte orders, C and Fortran order, at most 32
 * dimensions. Whatever the file has, the data here is row-major in native byte order. Object arrays are refused: they hold
 * pickled Python objects.
 *
 * <p>Every file is treated as hostile. The header has at most {@value #MAX_HEADER_BYTES} bytes; its shape must need exactly
 * the bytes that follow it, which is checked before memory is allocated.
 *
 * <p>Instances are immutable and may be used by any thread, as far as the arena of the data allows.
 */
public final class NpyFile {
    /** The longest header that is read: as long as version 1.0 can say. */
    static final int MAX_HEADER_BYTES = 0xffff;

    static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};

    private static final int VERSION_END = 8;
    private static final long ALIGNMENT = 64;
    private static final long FIRST_CAPACITY = 1 << 24;
    private static final long MAX_CHUNK = 1 << 28;

    private final String source;
    private final NpyHeader header;
    private final MemorySegment data;

    private NpyFile(String source, NpyHeader header, MemorySegment data) {
        this.source = source;
        this.header = header;
        this.data = data;
    }

    /**
     * Reads a file; its memory is freed by the garbage collector.
     *
     * @param file the file
     * @return its array
     * @throws FormatException if the file is missing, unreadable, not a valid npy file or of a type that is not read, or if
     *     its data does not fit into memory
     * @throws IOException if the thread is interrupted
     */
    public static NpyFile read(Path file) throws IOException {
        return read(file, Arena.ofAuto());
    }

    /**
     * Reads a file into memory that the caller frees by closing the arena; using the data afterwards throws.
     *
     * @param file the file
     * @param arena what the data is allocated from; a confined one limits the data to its thread
     * @return its array
     * @throws FormatException if the file is missing, unreadable, not a valid npy file or of a type that is not read, or if
     *     its data does not fit into memory
     * @throws IOException if the thread is interrupted
     */
    public static NpyFile read(Path file, Arena arena) throws IOException {
        String source = file.toString();
        try (FileChannel channel = InputFiles.open(file)) {
            return read(source, channel, channel.size(), true, arena);
        } catch (IOException e) {
            throw InputFiles.failure(source, e);
        }
    }

    /**
     * Reads an array from the bytes of a file or of an archive's entry.
     *
     * @param source named in messages
     * @param in the bytes
     * @param size how many there are
     * @param present whether they are known to be there; otherwise they are believed only as they come
     * @param arena what the data is allocated from
     */
    static NpyFile read(String source, ReadableByteChannel in, long size, boolean present, Arena arena)
            throws IOException {
        byte[] start = bytes(source, in, VERSION_END);
        if (!Arrays.equals(start, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            throw new FormatException(
                    source,
                    "is no npy file: it does not start with \\x93NUMPY",
                    "save the array with numpy.save, or name the data by its own form");
        }
        int major = start[6] & 0xff;
        int minor = start[7] & 0xff;
        if (major < 1 || major > 3 || minor != 0) {
            throw new FormatException(
                    source,
                    "has the npy version " + major + "." + minor + ", but 1.0, 2.0 and 3.0 are read",
                    NpyHeader.REMEDY);
        }
        int lengthBytes = major == 1 ? Short.BYTES : Integer.BYTES;
        long length = 0;
        for (int i = 0; i < lengthBytes; i++) {
            length |= (bytes(source, in, 1)[0] & 0xffL) << (8 * i);
        }
        long headerEnd = VERSION_END + lengthBytes + length;
        if (length > MAX_HEADER_BYTES || headerEnd > size) {
            throw new FormatException(
                    source,
                    "claims a header of " + length + " bytes, but at most " + MAX_HEADER_BYTES
                            + " are read, and the file has " + size + " in all",
                    NpyHeader.REMEDY);
        }
        NpyHeader header = NpyHeader.parse(source, text(source, bytes(source, in, (int) length), major));
        if (header.dataBytes != size - headerEnd) {
            throw new FormatException(
                    source,
                    "needs " + header.dataBytes + " bytes for " + describe(header) + ", but " + (size - headerEnd)
                            + " follow the header",
                    NpyHeader.REMEDY);
        }
        MemorySegment data = readData(source, in, header, present, arena);
        if (in.read(ByteBuffer.allocate(1)) >= 0) {
            throw new FormatException(source, "goes on after its array", NpyHeader.REMEDY);
        }
        return new NpyFile(source, header, data.asReadOnly());
    }

    private static String text(String source, byte[] header, int major) throws FormatException {
        return major == 3
                ? InputFiles.utf8(source, "its header", ByteBuffer.wrap(header))
                : new String(header, StandardCharsets.ISO_8859_1);
    }

    private static MemorySegment readData(
            String source, ReadableByteChannel in, NpyHeader header, boolean present, Arena arena) throws IOException {
        // Axes of one element move nothing, and without them the walk below costs little for each element.
        long[] extents = Arrays.stream(header.shape).filter(n -> n != 1).toArray();
        MemorySegment data;
        if (!header.fortranOrder || extents.length < 2 || header.dataBytes == 0) {
            data = readBytes(source, in, header.dataBytes, present, arena);
        } else {
            try (Arena temporary = Arena.ofConfined()) {
                MemorySegment columnMajor = readBytes(source, in, header.dataBytes, present, temporary);
                data = allocate(source, arena, header.dataBytes);
                transpose(columnMajor, data, extents, header.type.bytes());
            }
        }
        if (header.order != ByteOrder.nativeOrder()) {
            reverseBytes(data, header.type.bytes());
        }
        return data;
    }

    private static MemorySegment readBytes(
            String source, ReadableByteChannel in, long count, boolean present, Arena arena) throws IOException {
        if (present || count <= FIRST_CAPACITY) {
            MemorySegment bytes = allocate(source, arena, count);
            fill(source, in, bytes, 0);
            return bytes;
        }
        Arena held = Arena.ofConfined();
        try {
            MemorySegment part = allocate(source, held, FIRST_CAPACITY);
            fill(source, in, part, 0);
            while (part.byteSize() < count / 2) {
                Arena previous = held;
                held = Arena.ofConfined();
                part = enlarge(source, in, part, held, 2 * part.byteSize(), previous);
            }
            return enlarge(source, in, part, arena, count, null);
        } finally {
            held.close();
        }
    }

    /** Copies what was read so far to the start of more memory and fills the rest. */
    private static MemorySegment enlarge(
            String source,
            ReadableByteChannel in,
            MemorySegment part,
            Arena arena,
            long count,
            @Nullable Arena previous)
            throws IOException {
        MemorySegment larger;
        try {
            larger = allocate(source, arena, count);
            MemorySegment.copy(part, 0, larger, 0, part.byteSize());
        } finally {
            if (previous != null) {
                previous.close();
            }
        }
        fill(source, in, larger, part.byteSize());
        return larger;
    }

    private static void fill(String source, ReadableByteChannel in, MemorySegment target, long from)
            throws IOException {
        for (long at = from; at < target.byteSize(); at += MAX_CHUNK) {
            long count = Math.min(MAX_CHUNK, target.byteSize() - at);
            fill(source, in, target.asSlice(at, count).asByteBuffer());
        }
    }

    private static void fill(String source, ReadableByteChannel in, ByteBuffer target) throws IOException {
        while (target.hasRemaining()) {
            if (in.read(target) < 0) {
                throw new FormatException(source, "ends in the middle", NpyHeader.REMEDY);
            }
        }
    }

    private static byte[] bytes(String source, ReadableByteChannel in, int count) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(count);
        fill(source, in, bytes);
        return bytes.array();
    }

    /** Walks the target in its order, the last axis fastest; in the source the first axis is. */
    private static void transpose(MemorySegment columnMajor, MemorySegment rowMajor, long[] extents, int bytes) {
        long[] strides = new long[extents.length];
        long stride = bytes;
        for (int axis = 0; axis < extents.length; axis++) {
            strides[axis] = stride;
            stride *= extents[axis];
        }
        long[] index = new long[extents.length];
        long from = 0;
        for (long to = 0; to < rowMajor.byteSize(); to += bytes) {
            MemorySegment.copy(columnMajor, from, rowMajor, to, bytes);
            for (int axis = extents.length - 1; axis >= 0; axis--) {
                from += strides[axis];
                if (++index[axis] < extents[axis]) {
                    break;
                }
                from -= index[axis] * strides[axis];
                index[axis] = 0;
            }
        }
    }

    private static void reverseBytes(MemorySegment data, int bytes) {
        long count = data.byteSize() / bytes;
        switch (bytes) {
            case 2 -> {
                for (long i = 0; i < count; i++) {
                    short value = data.getAtIndex(ValueLayout.JAVA_SHORT, i);
                    data.setAtIndex(ValueLayout.JAVA_SHORT, i, Short.reverseBytes(value));
                }
            }
            case 4 -> {
                for (long i = 0; i < count; i++) {
                    int value = data.getAtIndex(ValueLayout.JAVA_INT, i);
                    data.setAtIndex(ValueLayout.JAVA_INT, i, Integer.reverseBytes(value));
                }
            }
            case 8 -> {
                for (long i = 0; i < count; i++) {
                    long value = data.getAtIndex(ValueLayout.JAVA_LONG, i);
                    data.setAtIndex(ValueLayout.JAVA_LONG, i, Long.reverseBytes(value));
                }
            }
            default -> {
                // Single bytes have no order.
            }
        }
    }

    private static MemorySegment allocate(String source, Arena arena, long bytes) throws FormatException {
        try {
            return arena.allocate(bytes, ALIGNMENT);
        } catch (OutOfMemoryError e) {
            // The runtime's own limit was hit and nothing was allocated; the program can go on.
            throw new FormatException(
                    source,
                    "has " + bytes + " bytes of data, for which there is no memory",
                    "free memory or raise -XX:MaxDirectMemorySize",
                    e);
        }
    }

    private static String describe(NpyHeader header) {
        return header.type.name().toLowerCase(Locale.ROOT) + ' ' + Arrays.toString(header.shape);
    }

    /** {@return what was read, for messages: the file's path as it was given, with {@code #NAME} in an archive} */
    public String source() {
        return source;
    }

    /** {@return the type of the elements} */
    public NpyType type() {
        return header.type;
    }

    /** {@return a copy of the shape; empty for a scalar} */
    public long[] shape() {
        return header.shape.clone();
    }

    /** {@return the elements: row-major, native byte order, aligned to 64 bytes, read-only, not copied} */
    public MemorySegment data() {
        return data;
    }

    /** {@return type and shape: {@code float32 [60000, 784]}} */
    @Override
    public String toString() {
        return describe(header);
    }
}
