package io.github.elbo4j.files;

import io.github.elbo4j.backend.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Collects tensors and writes them as one safetensors file, replacing the target as a whole as {@link AtomicFiles} does.
 *
 * <p>Equal calls give equal bytes: metadata in the order it was added; tensors with the widest elements first and, among
 * those of one width, in the order they were added; the header padded with spaces to a multiple of 8. So every tensor begins
 * in the file at a multiple of its element size, which readers that map files rely on.
 *
 * <p>Used by one thread at a time. Data is not copied until it is written and must stay unchanged and open until then.
 */
public final class SafetensorsWriter {
    private static final int HEADER_ALIGNMENT = 8;
    private static final int STAGING_BYTES = 1 << 20;
    private static final long MAX_CHUNK = 1 << 28;

    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final Map<String, Pending> tensors = new LinkedHashMap<>();

    /** An empty file. */
    public SafetensorsWriter() {
        SafetensorsTypes.requireLittleEndian(ByteOrder.nativeOrder());
    }

    private static final class Pending {
        final String name;
        final DType type;
        final long[] shape;
        final MemorySegment data;

        Pending(String name, DType type, long[] shape, MemorySegment data) {
            this.name = name;
            this.type = type;
            this.shape = shape;
            this.data = data;
        }
    }

    /**
     * Adds a metadata entry.
     *
     * @param key its key
     * @param value its value, at most 16,777,216 chars
     * @return this
     * @throws IllegalArgumentException if the key was added before, or a text is too long or has a lone surrogate
     */
    public SafetensorsWriter metadata(String key, String value) {
        checkText("metadata key", key, SafetensorsTypes.MAX_NAME_LENGTH);
        checkText("metadata value of " + Texts.quote(key), value, SafetensorsTypes.MAX_METADATA_LENGTH);
        if (metadata.size() == SafetensorsTypes.MAX_METADATA) {
            throw new IllegalArgumentException(
                    "a file has at most " + SafetensorsTypes.MAX_METADATA + " metadata entries");
        }
        if (metadata.putIfAbsent(key, value) != null) {
            throw new IllegalArgumentException("metadata " + Texts.quote(key) + " was added before");
        }
        return this;
    }

    /**
     * Adds a tensor.
     *
     * @param name its name: at most 16,384 chars, not {@code __metadata__}, not added before
     * @param type its type
     * @param shape its shape: at most 32 dimensions, none negative; empty for a scalar
     * @param data its elements, row-major in native order: a native segment, or one over an array; exactly as many bytes as
     *     type and shape need
     * @return this
     * @throws IllegalArgumentException if an argument is not as described
     */
    public SafetensorsWriter add(String name, DType type, long[] shape, MemorySegment data) {
        checkText("tensor name", name, SafetensorsTypes.MAX_NAME_LENGTH);
        String tensor = "tensor " + Texts.quote(name);
        if (name.equals(SafetensorsTypes.METADATA)) {
            throw new IllegalArgumentException(tensor + ": the format reserves this name");
        }
        if (tensors.size() == SafetensorsTypes.MAX_TENSORS) {
            throw new IllegalArgumentException("a file has at most " + SafetensorsTypes.MAX_TENSORS + " tensors");
        }
        long needed = bytes(tensor, type, shape);
        if (data.byteSize() != needed) {
            throw new IllegalArgumentException(tensor + " needs " + needed + " bytes as " + type + ' '
                    + Arrays.toString(shape) + " but its data has " + data.byteSize());
        }
        if (tensors.putIfAbsent(name, new Pending(name, type, shape.clone(), data)) != null) {
            throw new IllegalArgumentException(tensor + " was added before");
        }
        return this;
    }

    /**
     * Adds an F32 tensor.
     *
     * @param name its name, as in {@link #add}
     * @param values its elements, row-major; not copied
     * @param shape its shape, as in {@link #add}
     * @return this
     * @throws IllegalArgumentException if an argument is not as described
     */
    public SafetensorsWriter add(String name, float[] values, long... shape) {
        return add(name, DType.F32, shape, MemorySegment.ofArray(values));
    }

    /**
     * Writes the file. The writer stays as it is and may write again.
     *
     * @param target the file to create or replace
     * @throws IOException if it cannot be written; the target is then what it was
     * @throws IllegalArgumentException if the header is longer than the 100,000,000 bytes that the format allows
     * @throws IllegalStateException if the arena of a tensor's data is closed
     * @throws WrongThreadException if the data of a tensor is confined to another thread
     */
    public void write(Path target) throws IOException {
        List<Pending> order = fileOrder();
        byte[] header = header();
        AtomicFiles.writeChannel(target, channel -> {
            ByteBuffer staging = ByteBuffer.allocateDirect(STAGING_BYTES);
            copy(channel, MemorySegment.ofArray(header), staging);
            for (Pending tensor : order) {
                copy(channel, tensor.data, staging);
            }
        });
    }

    /** {@return everything before the data: the header's length and the padded header} */
    byte[] header() {
        Map<String, Object> root = new LinkedHashMap<>();
        if (!metadata.isEmpty()) {
            root.put(SafetensorsTypes.METADATA, metadata);
        }
        long at = 0;
        for (Pending tensor : fileOrder()) {
            long end = Math.addExact(at, tensor.data.byteSize());
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("dtype", tensor.type.name());
            entry.put("shape", Arrays.stream(tensor.shape).boxed().toList());
            entry.put("data_offsets", List.of(at, end));
            root.put(tensor.name, entry);
            at = end;
        }
        byte[] json = Json.write(root).getBytes(StandardCharsets.UTF_8);
        // The limit is a multiple of the alignment, so padding does not pass it.
        if (json.length > SafetensorsTypes.MAX_HEADER_BYTES) {
            throw new IllegalArgumentException("the header would have " + json.length + " bytes, more than the "
                    + SafetensorsTypes.MAX_HEADER_BYTES + " that the format allows; use shorter names or metadata");
        }
        int padded = Math.ceilDiv(json.length, HEADER_ALIGNMENT) * HEADER_ALIGNMENT;
        ByteBuffer out = ByteBuffer.allocate(Long.BYTES + padded).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(padded).put(json);
        Arrays.fill(out.array(), out.position(), out.capacity(), (byte) ' ');
        return out.array();
    }

    /** Writes a whole segment; heap segments go through the staging buffer. */
    static void copy(FileChannel channel, MemorySegment data, ByteBuffer staging) throws IOException {
        long chunk = data.isNative() ? MAX_CHUNK : staging.capacity();
        for (long at = 0; at < data.byteSize(); at += chunk) {
            MemorySegment slice = data.asSlice(at, Math.min(chunk, data.byteSize() - at));
            ByteBuffer bytes;
            if (data.isNative()) {
                bytes = slice.asByteBuffer();
            } else {
                bytes = staging.clear().limit((int) slice.byteSize());
                MemorySegment.ofBuffer(bytes).copyFrom(slice);
            }
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }
    }

    private List<Pending> fileOrder() {
        List<Pending> order = new ArrayList<>(tensors.values());
        order.sort(
                Comparator.comparingInt((Pending tensor) -> tensor.type.bytes()).reversed());
        return order;
    }

    private static long bytes(String tensor, DType type, long[] shape) {
        if (shape.length > SafetensorsTypes.MAX_DIMENSIONS) {
            throw new IllegalArgumentException(
                    tensor + " has " + shape.length + " dimensions, more than " + SafetensorsTypes.MAX_DIMENSIONS);
        }
        if (Arrays.stream(shape).anyMatch(dimension -> dimension < 0)) {
            throw new IllegalArgumentException(tensor + " has a negative dimension: " + Arrays.toString(shape));
        }
        try {
            return Math.multiplyExact(SafetensorsTypes.elements(shape), (long) type.bytes());
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(tensor + " has too many elements: " + Arrays.toString(shape), e);
        }
    }

    private static void checkText(String what, String text, int max) {
        if (text.length() > max) {
            throw new IllegalArgumentException(what + " has " + text.length() + " chars, more than " + max);
        }
        if (!Texts.wellFormed(text)) {
            throw new IllegalArgumentException(what + ' ' + Texts.quote(text) + " has half a surrogate pair");
        }
    }
}
