package io.github.elbo4j.cli.report;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;
import java.util.Iterator;
import java.util.Locale;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** An image file as text, so that it can stand in a page. Immutable. */
public final class InlineImage {
    private final String mediaType;
    private final int width;
    private final int height;
    private final String base64;

    private InlineImage(String mediaType, int width, int height, byte[] file) {
        this.mediaType = mediaType;
        this.width = width;
        this.height = height;
        this.base64 = Base64.getEncoder().encodeToString(file);
    }

    /** {@return an image as PNG, without loss} */
    public static InlineImage png(BufferedImage image) {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        // The stream of one's own keeps ImageIO from making a temporary file.
        try (MemoryCacheImageOutputStream out = new MemoryCacheImageOutputStream(file)) {
            if (!ImageIO.write(image, "png", out)) {
                throw new IllegalArgumentException("this JDK writes no PNG of an image of type " + image.getType());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("memory takes every write", e);
        }
        return new InlineImage("image/png", image.getWidth(), image.getHeight(), file.toByteArray());
    }

    /**
     * {@return a file's image}
     *
     * @param file a PNG or GIF file
     * @throws IllegalArgumentException if it is neither
     */
    public static InlineImage of(byte[] file) {
        try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
            Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
            if (readers.hasNext()) {
                ImageReader reader = readers.next();
                try {
                    String format = reader.getFormatName().toLowerCase(Locale.ROOT);
                    if (format.equals("png") || format.equals("gif")) {
                        reader.setInput(in);
                        return new InlineImage("image/" + format, reader.getWidth(0), reader.getHeight(0), file);
                    }
                } finally {
                    reader.dispose();
                }
            }
        } catch (IOException | RuntimeException e) {
            throw new IllegalArgumentException(file.length + " bytes are not a whole PNG or GIF file", e);
        }
        throw new IllegalArgumentException(file.length + " bytes are neither a PNG nor a GIF file");
    }

    /** {@return what it is shown with: pixels across} */
    public int width() {
        return width;
    }

    /** {@return pixels from top to bottom} */
    public int height() {
        return height;
    }

    /** {@return the file as a link that leads nowhere else} */
    String dataUri() {
        return "data:" + mediaType + ";base64," + base64;
    }
}
