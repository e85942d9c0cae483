package io.github.elbo4j.data;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import java.util.zip.ZipException;

/**
 * Strict reader of gzip files (RFC 1952): members are read one after the other, and the checksum of each
 * one's contents is verified.
 *
 * <p>The stream of the JDK takes anything that follows a member and is no gzip header for the end of the data; here it
 * is a {@link ZipException}, so that a damaged file never passes for a whole one. Used by one thread.
 */
final class GzipInput extends InputStream {
    private static final int MAGIC_0 = 0x1f;
    private static final int MAGIC_1 = 0x8b;
    private static final int DEFLATE = 8;
    private static final int FLAG_HEADER_CRC = 2;
    private static final int FLAG_EXTRA = 4;
    private static final int FLAG_NAME = 8;
    private static final int FLAG_COMMENT = 16;
    private static final int FLAGS_RESERVED = 0xe0;

    private final InputStream in;
    private final Inflater inflater = new Inflater(true);
    private final CRC32 crc = new CRC32();
    private final byte[] buffer = new byte[1 << 16];
    private int position;
    private int limit;
    private boolean ended;

    /**
     * Reads the first header.
     *
     * @param in compressed bytes; closed with this stream
     * @throws IOException if they do not start as a gzip file does
     */
    GzipInput(InputStream in) throws IOException {
        this.in = in;
        readHeader();
    }

    /** {@return whether a file that starts with these two bytes is compressed} */
    static boolean startsWithMagic(int first, int second) {
        return first == MAGIC_0 && second == MAGIC_1;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, target.length);
        if (length == 0) {
            return 0;
        }
        while (!ended) {
            int count = inflate(target, offset, length);
            if (count > 0) {
                crc.update(target, offset, count);
                return count;
            }
            if (inflater.finished()) {
                endMember();
            } else if (inflater.needsDictionary()) {
                throw new ZipException("the compressed data asks for a dictionary, which gzip does not have");
            } else {
                fill();
                inflater.setInput(buffer, position, limit - position);
            }
        }
        return -1;
    }

    @Override
    public void close() throws IOException {
        inflater.end();
        in.close();
    }

    private int inflate(byte[] target, int offset, int length) throws ZipException {
        try {
            return inflater.inflate(target, offset, length);
        } catch (DataFormatException e) {
            throw (ZipException) new ZipException("the compressed data is damaged").initCause(e);
        }
    }

    private void endMember() throws IOException {
        position = limit - inflater.getRemaining();
        long expectedCrc = littleEndian();
        long expectedSize = littleEndian();
        if (expectedCrc != crc.getValue() || expectedSize != (inflater.getBytesWritten() & 0xFFFFFFFFL)) {
            throw new ZipException("the checksum of the compressed data does not match");
        }
        if (position == limit && !tryFill()) {
            ended = true;
            return;
        }
        crc.reset();
        inflater.reset();
        try {
            readHeader();
        } catch (IOException e) {
            throw (ZipException) new ZipException("unknown bytes after the end of the compressed data").initCause(e);
        }
    }

    private void readHeader() throws IOException {
        if (!startsWithMagic(next(), next()) || next() != DEFLATE) {
            throw new ZipException("no gzip header");
        }
        int flags = next();
        if ((flags & FLAGS_RESERVED) != 0) {
            throw new ZipException("unknown flags in the gzip header");
        }
        // Time (4), extra flags, operating system.
        skip(6);
        if ((flags & FLAG_EXTRA) != 0) {
            skip(next() | next() << 8);
        }
        if ((flags & FLAG_NAME) != 0) {
            skipText();
        }
        if ((flags & FLAG_COMMENT) != 0) {
            skipText();
        }
        if ((flags & FLAG_HEADER_CRC) != 0) {
            skip(2);
        }
        inflater.setInput(buffer, position, limit - position);
    }

    private void skip(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            next();
        }
    }

    private void skipText() throws IOException {
        int character;
        do {
            character = next();
        } while (character != 0);
    }

    private long littleEndian() throws IOException {
        long value = 0;
        for (int shift = 0; shift < 32; shift += 8) {
            value |= (long) next() << shift;
        }
        return value;
    }

    private int next() throws IOException {
        if (position == limit) {
            fill();
        }
        return buffer[position++] & 0xff;
    }

    private void fill() throws IOException {
        if (!tryFill()) {
            throw new EOFException("the compressed data ends in the middle");
        }
    }

    private boolean tryFill() throws IOException {
        position = 0;
        limit = Math.max(0, in.read(buffer));
        return limit > 0;
    }
}
