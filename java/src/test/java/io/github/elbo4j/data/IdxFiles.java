package io.github.elbo4j.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.zip.GZIPOutputStream;

/** Bytes of small IDX files, written independently of {@link Idx}. */
final class IdxFiles {
    private IdxFiles() {}

    /** {@return header words and then bytes} */
    static byte[] file(byte[] body, int... header) {
        ByteBuffer file = ByteBuffer.allocate(4 * header.length + body.length);
        for (int word : header) {
            file.putInt(word);
        }
        return file.put(body).array();
    }

    /** {@return images of one channel with the pixels 1, 2, 3, ...} */
    static byte[] images(int rows, int height, int width) {
        return file(counting(rows * height * width), 0x803, rows, height, width);
    }

    /** {@return the labels 1, 2, 3, ...} */
    static byte[] labels(int rows) {
        return file(counting(rows), 0x801, rows);
    }

    static byte[] counting(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (i + 1);
        }
        return bytes;
    }

    static byte[] gzip(byte[] bytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    static byte[] concat(byte[] first, byte[] second) {
        return ByteBuffer.allocate(first.length + second.length)
                .put(first)
                .put(second)
                .array();
    }
}
