package io.github.elbo4j.cli.report;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.IOException;
import java.io.OutputStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.ImageWriter;
import javax.imageio.metadata.IIOMetadata;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.MemoryCacheImageOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Writes an animation that repeats forever, frame by frame: no more than one frame is in memory.
 *
 * <p>A GIF has 256 colours. Grey frames are kept as they are. Colours are those of a fixed palette, 6 levels of red, 7 of
 * green and 6 of blue, chosen by an ordered dither: a pixel's colour depends on that pixel and its place only, so what
 * stands still in the film does not flicker, as it would with a palette a frame or with errors handed on to neighbours.
 *
 * <p>Closing ends the file and leaves the stream open. One thread at a time.
 */
public final class AnimatedGif implements AutoCloseable {
    private static final String FORMAT = "javax_imageio_gif_image_1.0";
    private static final int[] LEVELS = {6, 7, 6};

    private static final IndexColorModel GREY = greyPalette();
    private static final IndexColorModel COLOUR = colourPalette();

    private final int frameMillis;
    private final int lastMillis;
    private final ImageWriter writer;
    private final MemoryCacheImageOutputStream out;
    private @Nullable BufferedImage pending;
    private boolean begun;
    private boolean closed;

    /**
     * An animation without frames yet.
     *
     * @param out where to
     * @param frameMillis how long a frame is shown, rounded to hundredths of a second
     * @param lastMillis how long the last one is
     * @throws IllegalArgumentException if a time is shorter than 20 ms, which browsers slow down, or longer than 600 s
     */
    public AnimatedGif(OutputStream out, int frameMillis, int lastMillis) {
        for (int millis : new int[] {frameMillis, lastMillis}) {
            if (millis < 20 || millis > 600_000) {
                throw new IllegalArgumentException(millis + " ms a frame: must be 20 to 600,000");
            }
        }
        this.frameMillis = frameMillis;
        this.lastMillis = lastMillis;
        this.writer = ImageIO.getImageWritersByFormatName("gif").next();
        this.out = new MemoryCacheImageOutputStream(out);
        writer.setOutput(this.out);
    }

    /**
     * Adds a frame, copied.
     *
     * @param frame grey ({@code TYPE_BYTE_GRAY}) or colour ({@code TYPE_INT_RGB}), in type and extents like the first one
     * @throws IllegalArgumentException if it is of another type or size
     * @throws IOException if writing fails
     */
    public void add(BufferedImage frame) throws IOException {
        if (closed) {
            throw new IllegalStateException("the animation is closed");
        }
        BufferedImage indexed = indexed(frame);
        BufferedImage before = pending;
        if (before != null) {
            if (before.getWidth() != frame.getWidth()
                    || before.getHeight() != frame.getHeight()
                    || before.getColorModel() != indexed.getColorModel()) {
                throw new IllegalArgumentException("a frame differs in size or type from the first one, which is "
                        + before.getWidth() + " x " + before.getHeight());
            }
            write(before, frameMillis);
        }
        pending = indexed;
    }

    /**
     * Ends the file. Does nothing the second time.
     *
     * @throws IOException if writing fails
     * @throws IllegalStateException if no frame was added: there is no such file
     */
    @Override
    public void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        try {
            if (pending == null) {
                throw new IllegalStateException("an animation needs a frame");
            }
            write(pending, lastMillis);
            writer.endWriteSequence();
            out.flush();
        } finally {
            pending = null;
            writer.dispose();
            out.close();
        }
    }

    private void write(BufferedImage frame, int millis) throws IOException {
        if (!begun) {
            // The first frame's palette becomes that of the file; the others have the same and write none.
            writer.prepareWriteSequence(null);
        }
        writer.writeToSequence(new IIOImage(frame, null, metadata(frame, millis)), null);
        begun = true;
        // What was written is never changed, so it need not stay in memory.
        out.flush();
    }

    private IIOMetadata metadata(BufferedImage frame, int millis) throws IOException {
        IIOMetadata metadata = writer.getDefaultImageMetadata(ImageTypeSpecifier.createFromRenderedImage(frame), null);
        IIOMetadataNode root = new IIOMetadataNode(FORMAT);
        IIOMetadataNode control = new IIOMetadataNode("GraphicControlExtension");
        control.setAttribute("disposalMethod", "none");
        control.setAttribute("userInputFlag", "FALSE");
        control.setAttribute("transparentColorFlag", "FALSE");
        control.setAttribute("delayTime", Integer.toString(Math.round(millis / 10f)));
        control.setAttribute("transparentColorIndex", "0");
        root.appendChild(control);
        if (!begun) {
            IIOMetadataNode loop = new IIOMetadataNode("ApplicationExtension");
            loop.setAttribute("applicationID", "NETSCAPE");
            loop.setAttribute("authenticationCode", "2.0");
            // Sub-block 1: how often, zero for ever.
            loop.setUserObject(new byte[] {1, 0, 0});
            IIOMetadataNode extensions = new IIOMetadataNode("ApplicationExtensions");
            extensions.appendChild(loop);
            root.appendChild(extensions);
        }
        metadata.mergeTree(FORMAT, root);
        return metadata;
    }

    private static BufferedImage indexed(BufferedImage frame) {
        return switch (frame.getType()) {
            case BufferedImage.TYPE_BYTE_GRAY -> {
                BufferedImage copy =
                        new BufferedImage(frame.getWidth(), frame.getHeight(), BufferedImage.TYPE_BYTE_INDEXED, GREY);
                // Samples, not colours: Java holds grey for linear light and would change the numbers.
                copy.getRaster().setRect(frame.getRaster());
                yield copy;
            }
            case BufferedImage.TYPE_INT_RGB -> dithered(frame.getRaster());
            default ->
                throw new IllegalArgumentException(
                        "a frame of type " + frame.getType() + ": must be TYPE_BYTE_GRAY or TYPE_INT_RGB");
        };
    }

    private static BufferedImage dithered(Raster frame) {
        int width = frame.getWidth();
        BufferedImage image = new BufferedImage(width, frame.getHeight(), BufferedImage.TYPE_BYTE_INDEXED, COLOUR);
        int[] pixels = new int[width * LEVELS.length];
        int[] indices = new int[width];
        for (int y = 0; y < frame.getHeight(); y++) {
            frame.getPixels(0, y, width, 1, pixels);
            for (int x = 0; x < width; x++) {
                int index = 0;
                for (int channel = 0; channel < LEVELS.length; channel++) {
                    int steps = LEVELS[channel] - 1;
                    // In 1/64 of a level: the part above the level below decides against the threshold.
                    int level = pixels[x * LEVELS.length + channel] * steps * 64 / 255;
                    index = index * LEVELS[channel] + (level + threshold(x, y)) / 64;
                }
                indices[x] = index;
            }
            image.getRaster().setPixels(0, y, width, 1, indices);
        }
        return image;
    }

    /** {@return an element, 0 to 63, of the Bayer matrix of order 8: bits of x ^ y and y, interleaved in reverse} */
    private static int threshold(int x, int y) {
        int threshold = 0;
        for (int bit = 0; bit < 3; bit++) {
            threshold = (threshold << 2) | ((((x ^ y) >> bit) & 1) << 1) | ((y >> bit) & 1);
        }
        return threshold;
    }

    private static IndexColorModel greyPalette() {
        byte[] levels = new byte[256];
        for (int i = 0; i < levels.length; i++) {
            levels[i] = (byte) i;
        }
        return new IndexColorModel(8, levels.length, levels, levels, levels);
    }

    private static IndexColorModel colourPalette() {
        int size = LEVELS[0] * LEVELS[1] * LEVELS[2];
        byte[][] palette = new byte[LEVELS.length][size];
        for (int i = 0; i < size; i++) {
            int rest = i;
            for (int channel = LEVELS.length - 1; channel >= 0; channel--) {
                palette[channel][i] = (byte) (rest % LEVELS[channel] * 255 / (LEVELS[channel] - 1));
                rest /= LEVELS[channel];
            }
        }
        return new IndexColorModel(8, size, palette[0], palette[1], palette[2]);
    }
}
