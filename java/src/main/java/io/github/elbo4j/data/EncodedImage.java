package io.github.elbo4j.data;

import io.github.elbo4j.files.FormatException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * A PNG, JPEG or GIF file, checked and cut down to what makes its (first) picture, not yet decoded.
 *
 * <p>Sources: PNG (W3C Recommendation, 3rd edition), JPEG (ITU-T T.81) and GIF89a. Decoders of all three believe what a
 * file says about its sizes, and read texts, colour profiles and thumbnails that nothing here needs. So sizes are held
 * against the bytes that are there, every part that holds no pixels is dropped, and only the rest reaches a decoder.
 */
final class EncodedImage {
    /** Most pixels of an image: 8192 x 8192. */
    static final int MAX_PIXELS = 1 << 26;

    /** Most bytes of a file. */
    static final int MAX_BYTES = 1 << 27;

    // Deflate makes at most 1032 bytes of one; a block of 8 x 8 pixels has at least one bit in a JPEG file.
    private static final int PNG_EXPANSION = 1032;
    private static final int JPEG_EXPANSION = 512;

    // A progressive file has about ten; each costs a pass over all pixels.
    private static final int MAX_SCANS = 100;

    private static final byte[] PNG_SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

    private final String format;
    private final int width;
    private final int height;
    private final boolean grey;
    private final byte[] bytes;

    private EncodedImage(String format, int width, int height, boolean grey, byte[] bytes) {
        this.format = format;
        this.width = width;
        this.height = height;
        this.grey = grey;
        this.bytes = bytes;
    }

    /** {@return the image of a file, told by its first bytes, whatever its name} */
    static EncodedImage read(Path path) throws FormatException {
        DataFiles.require(path, "an image");
        byte[] file;
        try (InputStream in = Files.newInputStream(path)) {
            if (Files.size(path) > MAX_BYTES) {
                throw tooLarge(path.toString());
            }
            file = in.readNBytes(MAX_BYTES + 1);
        } catch (IOException e) {
            throw DataFiles.failure(path, e);
        }
        if (file.length > MAX_BYTES) {
            throw tooLarge(path.toString());
        }
        return new Parser(path.toString(), file).parse();
    }

    /** {@return how the JDK calls the format: {@code png}, {@code jpeg} or {@code gif}} */
    String format() {
        return format;
    }

    /** {@return pixel columns} */
    int width() {
        return width;
    }

    /** {@return pixel rows} */
    int height() {
        return height;
    }

    /** {@return whether no pixel can have a colour} */
    boolean grey() {
        return grey;
    }

    /** {@return a stream of the file that is left} */
    InputStream open() {
        return new ByteArrayInputStream(bytes);
    }

    private static FormatException tooLarge(String source) {
        return new FormatException(source, "has more than " + MAX_BYTES + " bytes", "make the image smaller");
    }

    /** Goes through one file. */
    private static final class Parser {
        private final String source;
        private final ByteBuffer in;
        private final ByteArrayOutputStream kept = new ByteArrayOutputStream();

        Parser(String source, byte[] file) {
            this.source = source;
            in = ByteBuffer.wrap(file);
        }

        EncodedImage parse() throws FormatException {
            byte[] start = new byte[Math.min(8, in.remaining())];
            in.get(0, start);
            String text = new String(start, StandardCharsets.ISO_8859_1);
            if (Arrays.equals(start, PNG_SIGNATURE)) {
                return png();
            }
            if (text.startsWith("\u00ff\u00d8\u00ff")) {
                return jpeg();
            }
            if (text.startsWith("GIF87a") || text.startsWith("GIF89a")) {
                return gif();
            }
            String found = HexFormat.of().formatHex(start);
            throw new FormatException(
                    source,
                    "is no PNG, JPEG or GIF image: it " + (found.isEmpty() ? "is empty" : "starts with 0x" + found),
                    "convert it, or take it out of the folder");
        }

        private EncodedImage png() throws FormatException {
            keep(PNG_SIGNATURE.length);
            int width = 0;
            int height = 0;
            int colour = -1;
            long rawBytes = 0;
            long dataBytes = 0;
            boolean palette = false;
            boolean paletteGrey = false;
            while (true) {
                int start = in.position();
                require(12, "chunk");
                long length = in.getInt(start) & 0xFFFFFFFFL;
                if (length > in.remaining() - 12) {
                    throw damaged("a chunk of " + length + " bytes begins at byte " + start
                            + ", but the file ends before it does");
                }
                int size = (int) length;
                requireChecksum(start, size);
                String type = new String(in.array(), start + 4, 4, StandardCharsets.ISO_8859_1);
                if ((colour < 0) != type.equals("IHDR")) {
                    throw damaged("its chunks begin with '" + printable(type) + "' where one IHDR must be");
                }
                switch (type) {
                    case "IHDR" -> {
                        if (size != 13) {
                            throw damaged("its header has " + size + " bytes, not 13");
                        }
                        width = in.getInt(start + 8);
                        height = in.getInt(start + 12);
                        colour = in.get(start + 17);
                        requireSize(width & 0xFFFFFFFFL, height & 0xFFFFFFFFL);
                        int bits = bitsPerPixel(in.get(start + 16), colour);
                        if (in.get(start + 18) != 0 || in.get(start + 19) != 0 || (in.get(start + 20) & ~1) != 0) {
                            throw damaged("its header names an unknown compression, filter or interlace method");
                        }
                        rawBytes = height * (((long) width * bits + 7) / 8);
                        keep(12 + size);
                    }
                    case "PLTE" -> {
                        if (palette || dataBytes > 0 || size == 0 || size % 3 != 0 || size > 3 * 256) {
                            throw damaged("its palette of " + size + " bytes is out of place or of a wrong size");
                        }
                        palette = true;
                        paletteGrey = grey(start + 8, size / 3);
                        if (colour == 3) {
                            keep(12 + size);
                        } else {
                            in.position(start + 12 + size);
                        }
                    }
                    case "IDAT" -> {
                        dataBytes += size;
                        keep(12 + size);
                    }
                    case "IEND" -> {
                        keep(12 + size);
                        if (colour == 3 && !palette) {
                            throw damaged("it has no palette");
                        }
                        requirePossible(rawBytes, PNG_EXPANSION, dataBytes, width, height);
                        boolean grey = colour == 3 ? paletteGrey : (colour & 2) == 0;
                        return new EncodedImage("png", width, height, grey, kept.toByteArray());
                    }
                    default -> {
                        // Upper case says that the image cannot be understood without it.
                        if ((in.get(start + 4) & 0x20) == 0) {
                            throw damaged("chunk '" + printable(type) + "' is unknown");
                        }
                        in.position(start + 12 + size);
                    }
                }
            }
        }

        private void requireChecksum(int start, int size) throws FormatException {
            CRC32 crc = new CRC32();
            crc.update(in.array(), start + 4, size + 4);
            if ((int) crc.getValue() != in.getInt(start + 8 + size)) {
                throw damaged("the checksum of the chunk at byte " + start + " does not match");
            }
        }

        private int bitsPerPixel(int depth, int colour) throws FormatException {
            boolean bytes = depth == 8 || depth == 16;
            boolean packed = depth == 1 || depth == 2 || depth == 4;
            int samples = switch (colour) {
                case 0 -> bytes || packed ? 1 : 0;
                case 2 -> bytes ? 3 : 0;
                case 3 -> depth == 8 || packed ? 1 : 0;
                case 4 -> bytes ? 2 : 0;
                case 6 -> bytes ? 4 : 0;
                default -> 0;
            };
            if (samples == 0) {
                throw damaged("its header names colour type " + colour + " with " + depth + " bits, which is none");
            }
            return samples * depth;
        }

        private EncodedImage jpeg() throws FormatException {
            keep(2);
            int width = 0;
            int height = 0;
            int components = 0;
            while (true) {
                int start = in.position();
                require(4, "segment");
                int marker = in.get(start + 1) & 0xff;
                if (in.get(start) != -1 || marker == 0) {
                    throw damaged("no segment begins at byte " + start);
                }
                if (marker == 0xff) {
                    in.position(start + 1);
                    continue;
                }
                int size = in.getShort(start + 2) & 0xffff;
                if (size < 2 || marker < 0xc0 || (marker >= 0xd0 && marker <= 0xd9)) {
                    throw damaged("the segment at byte " + start + " is out of place or of a wrong size");
                }
                require(2 + size, "segment");
                if (marker == 0xda) {
                    if (components == 0) {
                        throw damaged("its pixels come before its header");
                    }
                    keep(in.remaining());
                    requirePossible((long) width * height, JPEG_EXPANSION, in.capacity() - start, width, height);
                    requireScans(start);
                    return new EncodedImage("jpeg", width, height, components == 1, kept.toByteArray());
                }
                boolean frame = marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
                if (frame) {
                    if (components != 0 || size < 8) {
                        throw damaged("the header at byte " + start + " is out of place or of a wrong size");
                    }
                    height = in.getShort(start + 5) & 0xffff;
                    width = in.getShort(start + 7) & 0xffff;
                    components = in.get(start + 9) & 0xff;
                    requireSize(width, height);
                    requireKind(marker, in.get(start + 4), components);
                }
                // APP0 and APP14 say how colours are stored; other APPn, comments and what is reserved hold no pixels.
                if (marker < 0xe0 || marker == 0xe0 || marker == 0xee) {
                    keep(2 + size);
                } else {
                    in.position(start + 2 + size);
                }
            }
        }

        private void requireKind(int marker, int precision, int components) throws FormatException {
            @Nullable String kind = null;
            if (components == 4) {
                kind = "is a CMYK image";
            } else if (components != 1 && components != 3) {
                kind = "has " + components + " colour components";
            } else if (marker > 0xc2 || precision != 8) {
                kind = "is a lossless, arithmetic-coded or " + precision + "-bit JPEG file";
            }
            if (kind != null) {
                throw new FormatException(
                        source, kind + ", which is not supported", "convert it to RGB or grey, 8 bits, baseline");
            }
        }

        private void requireScans(int start) throws FormatException {
            int scans = 0;
            for (int i = start; i + 1 < in.capacity(); i++) {
                if (in.get(i) == -1 && (in.get(i + 1) & 0xff) == 0xda) {
                    scans++;
                }
            }
            if (scans > MAX_SCANS) {
                throw damaged("it has " + scans + " scans, more than " + MAX_SCANS);
            }
        }

        private EncodedImage gif() throws FormatException {
            require(13, "header");
            int flags = in.get(10) & 0xff;
            boolean palette = (flags & 0x80) != 0;
            int colours = palette ? 2 << (flags & 7) : 0;
            require(13 + 3 * colours, "palette");
            boolean grey = grey(13, colours);
            keep(13 + 3 * colours);
            while (true) {
                int start = in.position();
                require(1, "block");
                int kind = in.get(start) & 0xff;
                if (kind == 0x21) {
                    // An extension: delay, transparency, comment or text.
                    require(2, "block");
                    in.position(start + 2);
                    skipBlocks();
                    continue;
                }
                if (kind != 0x2c) {
                    throw damaged("it has no picture: byte " + start + " is " + kind);
                }
                require(11, "picture");
                int width = in.order(ByteOrder.LITTLE_ENDIAN).getShort(start + 5) & 0xffff;
                int height = in.getShort(start + 7) & 0xffff;
                requireSize(width, height);
                int local = in.get(start + 9) & 0xff;
                if ((local & 0x40) != 0 && height < 5) {
                    // The JDK's reader leaves out rows when one of the four passes has none.
                    throw new FormatException(
                            source,
                            "is an interlaced GIF file of " + height + " rows; fewer than 5 are not supported",
                            "write it without interlacing");
                }
                int localColours = (local & 0x80) != 0 ? 2 << (local & 7) : 0;
                require(11 + 3 * localColours, "palette");
                if (!palette && localColours == 0) {
                    throw damaged("it has no palette");
                }
                int codeBits = in.get(start + 10 + 3 * localColours);
                if (codeBits < 1 || codeBits > 8) {
                    throw damaged("its pixels have " + codeBits + " bits, not 1 to 8");
                }
                in.position(start + 11 + 3 * localColours);
                skipBlocks();
                int end = in.position();
                requireCodes(start + 10 + 3 * localColours, (long) width * height);
                in.position(start);
                keep(end - start);
                kept.write(0x3b);
                boolean allGrey = localColours == 0 ? grey : grey(start + 10, localColours);
                return new EncodedImage("gif", width, height, allGrey, kept.toByteArray());
            }
        }

        /** Checks that the codes of GIF's LZW make all pixels; the JDK's reader takes too few for black ones. */
        private void requireCodes(int start, long pixels) throws FormatException {
            int smallest = in.get(start);
            int clear = 1 << smallest;
            int[] lengths = new int[1 << 12];
            Arrays.fill(lengths, 0, clear, 1);
            int known = clear + 2;
            int codeBits = smallest + 1;
            int previous = -1;
            long made = 0;
            int held = 0;
            int heldBits = 0;
            int at = start + 1;
            int block = 0;
            while (made < pixels) {
                while (heldBits < codeBits) {
                    if (block == 0) {
                        block = in.get(at++) & 0xff;
                        if (block == 0) {
                            throw damaged("its codes make " + made + " of " + pixels + " pixels");
                        }
                    }
                    held |= (in.get(at++) & 0xff) << heldBits;
                    heldBits += 8;
                    block--;
                }
                int code = held & ((1 << codeBits) - 1);
                held >>>= codeBits;
                heldBits -= codeBits;
                if (code == clear) {
                    known = clear + 2;
                    codeBits = smallest + 1;
                    previous = -1;
                    continue;
                }
                int most = previous < 0 ? clear - 1 : Math.min(known, lengths.length - 1);
                if (code > most || code == clear + 1) {
                    throw damaged("its codes make " + made + " of " + pixels + " pixels");
                }
                if (previous >= 0 && known < lengths.length) {
                    lengths[known++] = lengths[previous] + 1;
                    if (known == 1 << codeBits && codeBits < 12) {
                        codeBits++;
                    }
                }
                made += lengths[code];
                previous = code;
            }
        }

        /** Moves past blocks of up to 255 bytes and the empty one after them. */
        private void skipBlocks() throws FormatException {
            while (true) {
                require(1, "block");
                int length = in.get() & 0xff;
                if (length == 0) {
                    return;
                }
                require(length, "block");
                in.position(in.position() + length);
            }
        }

        private boolean grey(int start, int colours) {
            for (int i = 0; i < colours; i++) {
                int at = start + 3 * i;
                if (in.get(at) != in.get(at + 1) || in.get(at) != in.get(at + 2)) {
                    return false;
                }
            }
            return true;
        }

        private void requireSize(long width, long height) throws FormatException {
            if (width == 0 || height == 0 || width > MAX_PIXELS || height > MAX_PIXELS || width * height > MAX_PIXELS) {
                throw new FormatException(
                        source,
                        "is " + width + " x " + height + " pixels; an image has at least one and at most " + MAX_PIXELS,
                        "make it smaller, or take it out of the folder");
            }
        }

        private void requirePossible(long needed, int expansion, long present, int width, int height)
                throws FormatException {
            if (needed > expansion * present) {
                throw damaged("its header says " + width + " x " + height + " pixels, more than its " + present
                        + " bytes of them can hold");
            }
        }

        private void require(int count, String part) throws FormatException {
            if (in.remaining() < count) {
                throw damaged("it ends within a " + part);
            }
        }

        private void keep(int count) {
            kept.write(in.array(), in.position(), count);
            in.position(in.position() + count);
        }

        private FormatException damaged(String problem) {
            return new FormatException(source, "is damaged: " + problem, DataFiles.FETCH_AGAIN);
        }

        private static String printable(String type) {
            return type.replaceAll("[^A-Za-z]", "?");
        }
    }
}
