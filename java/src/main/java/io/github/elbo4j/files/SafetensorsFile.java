package io.github.elbo4j.files;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.files.SafetensorsHeader.Entry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A safetensors file, read and checked as a whole into native memory. Files are not mapped: a mapped file that someone else
 * truncates ends in an {@link InternalError}.
 *
 * <p>Every file is treated as hostile. The header's length and all shapes and offsets are checked against the file's size
 * before memory is allocated; the tensors must cover the data without overlaps, gaps or a rest. At most 100 MB of header,
 * 1,000,000 tensors, 32 dimensions, 100,000 metadata entries.
 *
 * <p>All types of the format are listed. Those without a {@link DType} (F16, BOOL, I8, ...) have only a
 * {@linkplain #typeText type text} and {@linkplain #bytes bytes}; asking for their type or data is an error.
 *
 * <p>Instances are immutable and may be used by any thread, as far as the arena of the data allows.
 */
public final class SafetensorsFile {
    private static final int LENGTH_BYTES = 8;
    private static final long BLOCK_ALIGNMENT = 64;
    private static final long MAX_CHUNK = 1 << 28;
    private static final int NAMES_SHOWN = 5;

    private final String source;
    private final SafetensorsHeader header;
    private final List<String> names;
    private final MemorySegment block;
    private final Map<String, MemorySegment> moved;

    private SafetensorsFile(
            String source, SafetensorsHeader header, MemorySegment block, Map<String, MemorySegment> moved) {
        this.source = source;
        this.header = header;
        this.names = header.order().stream().map(entry -> entry.name).toList();
        this.block = block;
        this.moved = moved;
    }

    /**
     * Reads a file; its memory is freed by the garbage collector.
     *
     * @param file the file
     * @return its content
     * @throws FormatException if the file is missing, unreadable or not a valid safetensors file, if it changes while it is
     *     read, or if its data does not fit into memory
     * @throws IOException if the thread is interrupted
     */
    public static SafetensorsFile read(Path file) throws IOException {
        return read(file, Arena.ofAuto());
    }

    /**
     * Reads a file into memory that the caller frees by closing the arena; using the data afterwards throws.
     *
     * @param file the file
     * @param arena what the data is allocated from; a confined one limits the data to its thread
     * @return its content
     * @throws FormatException if the file is missing, unreadable or not a valid safetensors file, if it changes while it is
     *     read, or if its data does not fit into memory
     * @throws IOException if the thread is interrupted
     */
    public static SafetensorsFile read(Path file, Arena arena) throws IOException {
        SafetensorsTypes.requireLittleEndian(ByteOrder.nativeOrder());
        String source = file.toString();
        try (FileChannel channel = InputFiles.open(file)) {
            return read(source, channel, arena);
        } catch (IOException e) {
            throw InputFiles.failure(source, e);
        }
    }

    private static SafetensorsFile read(String source, FileChannel channel, Arena arena) throws IOException {
        long size = channel.size();
        int headerBytes = headerLength(source, channel, size);
        ByteBuffer json = ByteBuffer.allocate(headerBytes);
        InputFiles.fill(channel, json, LENGTH_BYTES, source);
        String text = InputFiles.utf8(source, "its header", json.flip());
        long dataStart = (long) LENGTH_BYTES + headerBytes;
        SafetensorsHeader header = SafetensorsHeader.parse(source, text, size - dataStart);

        MemorySegment block = allocate(source, arena, size - dataStart);
        for (long at = 0; at < block.byteSize(); at += MAX_CHUNK) {
            long count = Math.min(MAX_CHUNK, block.byteSize() - at);
            InputFiles.fill(channel, block.asSlice(at, count).asByteBuffer(), dataStart + at, source);
        }
        if (channel.size() != size) {
            throw new FormatException(
                    source,
                    "changed its size from " + size + " to " + channel.size() + " bytes while it was read",
                    "wait until its writer has finished and read it again");
        }
        return new SafetensorsFile(source, header, block.asReadOnly(), realign(header, block, arena, source));
    }

    private static int headerLength(String source, FileChannel channel, long size) throws IOException {
        if (size < LENGTH_BYTES) {
            throw new FormatException(
                    source, "has " + size + " bytes, too few for a safetensors file", SafetensorsHeader.REMEDY);
        }
        ByteBuffer length = ByteBuffer.allocate(LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        InputFiles.fill(channel, length, 0, source);
        long headerBytes = length.getLong(0);
        if (headerBytes < 0 || headerBytes > size - LENGTH_BYTES) {
            throw new FormatException(
                    source,
                    "claims a header of " + Long.toUnsignedString(headerBytes) + " bytes but has only "
                            + (size - LENGTH_BYTES) + " bytes for it",
                    SafetensorsHeader.REMEDY);
        }
        if (headerBytes > SafetensorsTypes.MAX_HEADER_BYTES) {
            throw new FormatException(
                    source,
                    "has a header of " + headerBytes + " bytes, more than the " + SafetensorsTypes.MAX_HEADER_BYTES
                            + " that the format allows",
                    SafetensorsHeader.REMEDY);
        }
        return (int) headerBytes;
    }

    private static MemorySegment allocate(String source, Arena arena, long bytes) throws FormatException {
        try {
            return arena.allocate(bytes, BLOCK_ALIGNMENT);
        } catch (OutOfMemoryError e) {
            // The runtime's own limit was hit and nothing was allocated; the program can go on.
            throw new FormatException(
                    source,
                    "has " + bytes + " bytes of data, for which there is no memory",
                    "free memory or raise -XX:MaxDirectMemorySize",
                    e);
        }
    }

    /** Copies tensors that a file of mixed types holds at odd offsets, so that all data can be read as its type. */
    private static Map<String, MemorySegment> realign(
            SafetensorsHeader header, MemorySegment block, Arena arena, String source) throws FormatException {
        Map<String, MemorySegment> moved = new HashMap<>();
        for (Entry entry : header.order()) {
            if (entry.type != null && entry.begin % entry.type.bytes() != 0) {
                MemorySegment data = block.asSlice(entry.begin, entry.end - entry.begin);
                moved.put(
                        entry.name,
                        allocate(source, arena, data.byteSize()).copyFrom(data).asReadOnly());
            }
        }
        return moved;
    }

    /** {@return the file's path as it was given} */
    public String source() {
        return source;
    }

    /** {@return the metadata in file order; unmodifiable, empty if there is none} */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /** {@return the names of all tensors in the order of their data; unmodifiable} */
    public List<String> names() {
        return names;
    }

    /**
     * {@return whether the file has the tensor}
     *
     * @param name the tensor's name
     */
    public boolean has(String name) {
        return header.entry(name) != null;
    }

    /**
     * {@return the type of a tensor as the file writes it, such as {@code F32} or {@code F16}}
     *
     * @param name the tensor's name
     * @throws FormatException if the file has no such tensor
     */
    public String typeText(String name) throws FormatException {
        return entry(name).typeText;
    }

    /**
     * {@return the type of a tensor}
     *
     * @param name the tensor's name
     * @throws FormatException if the file has no such tensor, or its type has no {@link DType}
     */
    public DType type(String name) throws FormatException {
        return type(entry(name));
    }

    /**
     * {@return a copy of the shape of a tensor; empty for a scalar}
     *
     * @param name the tensor's name
     * @throws FormatException if the file has no such tensor
     */
    public long[] shape(String name) throws FormatException {
        return entry(name).shape.clone();
    }

    /**
     * {@return the data of a tensor: row-major, native order, aligned to its element size, read-only, not copied}
     *
     * @param name the tensor's name
     * @throws FormatException if the file has no such tensor, or its type has no {@link DType}
     */
    public MemorySegment data(String name) throws FormatException {
        Entry entry = entry(name);
        type(entry);
        MemorySegment copy = moved.get(name);
        return copy != null ? copy : block.asSlice(entry.begin, entry.end - entry.begin);
    }

    /**
     * {@return the data of a tensor of known type and shape, as {@link #data(String)} does}
     *
     * @param name the tensor's name
     * @param expected the type it must have
     * @param expectedShape the shape it must have; none for a scalar
     * @throws FormatException if the file has no such tensor, or it is another type or shape: says what was found and what
     *     was expected
     */
    public MemorySegment data(String name, DType expected, long... expectedShape) throws FormatException {
        Entry entry = entry(name);
        if (entry.type != expected || !Arrays.equals(entry.shape, expectedShape)) {
            throw new FormatException(
                    source,
                    "tensor " + Texts.quote(name) + " is " + entry.describe() + " but " + expected + ' '
                            + Arrays.toString(expectedShape) + " is expected",
                    "use the configuration that the file was written with, or another file");
        }
        return data(name);
    }

    /**
     * {@return the bytes of a tensor of any type as they lie in the file: row-major, little-endian, at any address, read-only,
     * not copied}
     *
     * @param name the tensor's name
     * @throws FormatException if the file has no such tensor
     */
    public MemorySegment bytes(String name) throws FormatException {
        Entry entry = entry(name);
        return block.asSlice(entry.begin, entry.end - entry.begin);
    }

    /**
     * {@return the exception for a tensor that a reader cannot use; names the file, the tensor, its type and its shape}
     *
     * @param name the tensor's name
     * @param problem what is wrong with it, such as {@code holds NaN at element 3}
     * @param remedy what the reader of the message can do
     * @throws FormatException if the file has no such tensor
     */
    public FormatException refusal(String name, String problem, String remedy) throws FormatException {
        Entry entry = entry(name);
        return new FormatException(
                source, "tensor " + Texts.quote(name) + " (" + entry.describe() + ") " + problem, remedy);
    }

    /**
     * {@return a copy of the data of an F32 tensor, row-major}
     *
     * @param name the tensor's name
     * @throws FormatException if the file has no such tensor, its type is not F32, or it has too many elements for an array
     */
    public float[] floats(String name) throws FormatException {
        Entry entry = entry(name);
        long count = (entry.end - entry.begin) / Float.BYTES;
        if (entry.type != DType.F32 || count > Integer.MAX_VALUE - Long.BYTES) {
            throw new FormatException(
                    source,
                    "tensor " + Texts.quote(name) + " is " + entry.describe() + ", which no float array can hold",
                    "read its data as a memory segment");
        }
        return data(name).toArray(ValueLayout.JAVA_FLOAT);
    }

    private Entry entry(String name) throws FormatException {
        Entry entry = header.entry(name);
        if (entry == null) {
            List<String> some =
                    names.stream().limit(NAMES_SHOWN).map(Texts::quote).toList();
            throw new FormatException(
                    source,
                    "has no tensor " + Texts.quote(name) + " among its " + names.size()
                            + (some.isEmpty() ? "" : ", such as " + String.join(", ", some)),
                    "check that it is the right file and that it fits the configuration");
        }
        return entry;
    }

    private DType type(Entry entry) throws FormatException {
        if (entry.type == null) {
            throw new FormatException(
                    source,
                    "tensor " + Texts.quote(entry.name) + " has the dtype " + entry.typeText
                            + ", which this library does not read",
                    "convert it to one of " + Arrays.toString(DType.values()) + " and write the file again");
        }
        return entry.type;
    }
}
