package io.github.elbo4j.data;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Bytes of small image files: PNG written by hand, the others by the JDK. */
final class ImageFiles {
    static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    static final int GREY = 0;
    static final int RGB = 2;
    static final int PALETTE = 3;
    static final int GREY_ALPHA = 4;
    static final int RGB_ALPHA = 6;

    private ImageFiles() {}

    /** {@return a PNG file of 8-bit grey pixels} */
    static byte[] grey(int width, int height, int... pixels) {
        return png(width, height, 8, GREY, scanlines(width, pixels));
    }

    /** {@return a PNG file of 8-bit RGB samples} */
    static byte[] rgb(int width, int height, int... samples) {
        return png(width, height, 8, RGB, scanlines(3 * width, samples));
    }

    /** {@return a PNG file} */
    static byte[] png(int width, int height, int depth, int colour, byte[] scanlines) {
        return concat(
                SIGNATURE, header(width, height, depth, colour), chunk("IDAT", deflated(scanlines)), chunk("IEND"));
    }

    static byte[] header(int width, int height, int depth, int colour) {
        ByteBuffer header = ByteBuffer.allocate(13);
        return chunk(
                "IHDR",
                header.putInt(width)
                        .putInt(height)
                        .put((byte) depth)
                        .put((byte) colour)
                        .array());
    }

    static byte[] chunk(String type, byte... data) {
        ByteBuffer chunk = ByteBuffer.allocate(12 + data.length).putInt(data.length);
        chunk.put(type.getBytes(StandardCharsets.ISO_8859_1)).put(data);
        CRC32 crc = new CRC32();
        crc.update(chunk.array(), 4, 4 + data.length);
        return chunk.putInt((int) crc.getValue()).array();
    }

    /** {@return samples with a filter byte, none, before each line} */
    static byte[] scanlines(int lineBytes, int... samples) {
        byte[] lines = new byte[samples.length + samples.length / lineBytes];
        for (int i = 0; i < samples.length; i++) {
            lines[i + i / lineBytes + 1] = (byte) samples[i];
        }
        return lines;
    }

    static byte[] deflated(byte[] bytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (DeflaterOutputStream deflater = new DeflaterOutputStream(out)) {
            deflater.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** {@return a file of the format in which pixel (x, y) is (6 x, 8 y, 77), or 6 x in grey} */
    static byte[] gradient(String format, int width, int height, boolean grey, boolean progressive) {
        BufferedImage image =
                new BufferedImage(width, height, grey ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_3BYTE_BGR);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int[] pixel = grey ? new int[] {6 * x & 0xff} : new int[] {6 * x & 0xff, 8 * y & 0xff, 77};
                image.getRaster().setPixel(x, y, pixel);
            }
        }
        return written(format, image, progressive);
    }

    static byte[] written(String format, BufferedImage image, boolean progressive) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Iterator<ImageWriter> writers = ImageIO.getImageWritersByFormatName(format);
        ImageWriter writer = writers.next();
        try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
            ImageWriteParam param = writer.getDefaultWriteParam();
            if (progressive) {
                param.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
            } else if (param.canWriteProgressive()) {
                param.setProgressiveMode(ImageWriteParam.MODE_DISABLED);
            }
            writer.setOutput(stream);
            writer.write(null, new IIOImage(image, null, null), param);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            writer.dispose();
        }
        return out.toByteArray();
    }

    static byte[] concat(byte[]... parts) {
        byte[] all = new byte[0];
        for (byte[] part : parts) {
            all = IdxFiles.concat(all, part);
        }
        return all;
    }
}
