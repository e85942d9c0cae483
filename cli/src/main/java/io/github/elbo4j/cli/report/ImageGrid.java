package io.github.elbo4j.cli.report;

import io.github.elbo4j.data.ImageShape;
import java.awt.image.BufferedImage;
import java.awt.image.WritableRaster;
import java.util.Arrays;
import java.util.Objects;

/** Images of one shape in rows and columns, enlarged without smoothing when they are small. No text, so no fonts are needed. */
public final class ImageGrid {
    private static final int GAP = 4;
    private static final int WIDE_GAP = 12;
    private static final int BACKGROUND = 64;

    /** An image of 28 pixels is drawn three times as large, one of 84 as it is. */
    private static final int WANTED_PIXELS = 84;

    private static final int MAX_SCALE = 3;

    /** Most pixels of a picture: 128 MiB as colours. */
    private static final long MAX_PIXELS = 1 << 25;

    private final BufferedImage image;
    private final ImageShape shape;
    private final int scale;
    private final int columns;
    private final int[] tops;

    /**
     * An empty grid.
     *
     * @param shape extents of every image, with one channel or three
     * @param rows images from top to bottom
     * @param columns images from left to right
     * @throws IllegalArgumentException if a number is out of range or the picture would have more than 2^25 pixels
     */
    public ImageGrid(ImageShape shape, int rows, int columns) {
        this(shape, rows, columns, rows);
    }

    /**
     * An empty grid whose rows stand in bands, with more room between bands than within.
     *
     * @param shape extents of every image, with one channel or three
     * @param rows images from top to bottom
     * @param columns images from left to right
     * @param band rows of a band
     * @throws IllegalArgumentException if a number is out of range or the picture would have more than 2^25 pixels
     */
    public ImageGrid(ImageShape shape, int rows, int columns, int band) {
        if (rows < 1 || columns < 1 || band < 1 || (shape.channels() != 1 && shape.channels() != 3)) {
            throw new IllegalArgumentException(rows + " x " + columns + " images of " + shape
                    + ": numbers must be positive, channels one or three");
        }
        this.shape = shape;
        this.columns = columns;
        this.scale = Math.clamp(WANTED_PIXELS / Math.max(shape.height(), shape.width()), 1, MAX_SCALE);
        long width = GAP + columns * (shape.width() * (long) scale + GAP);
        long height = GAP + rows * (shape.height() * (long) scale + WIDE_GAP);
        if (width > MAX_PIXELS || height > MAX_PIXELS || width * height > MAX_PIXELS) {
            throw new IllegalArgumentException(rows + " x " + columns + " images of " + shape + " at scale " + scale
                    + ": more than " + MAX_PIXELS + " pixels");
        }
        this.tops = new int[rows];
        int y = 0;
        for (int row = 0; row < rows; row++) {
            tops[row] = y + (row > 0 && row % band == 0 ? WIDE_GAP : GAP);
            y = tops[row] + shape.height() * scale;
        }
        this.image = new BufferedImage(
                (int) width,
                y + GAP,
                shape.channels() == 1 ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_INT_RGB);
        WritableRaster raster = image.getRaster();
        int[] background = new int[image.getWidth() * shape.channels()];
        Arrays.fill(background, BACKGROUND);
        for (int line = 0; line < image.getHeight(); line++) {
            raster.setPixels(0, line, image.getWidth(), 1, background);
        }
    }

    /**
     * Draws an image.
     *
     * @param row its row, from 0
     * @param column its column, from 0
     * @param values pixels from 0 to 1, channels last; what is beyond is cut off, and what is no number is black
     * @param offset index of the image's first value
     * @throws IndexOutOfBoundsException if there is no such place, or fewer values
     */
    public void put(int row, int column, float[] values, int offset) {
        Objects.checkIndex(row, tops.length);
        Objects.checkIndex(column, columns);
        Objects.checkFromIndexSize(offset, shape.size(), values.length);
        WritableRaster raster = image.getRaster();
        int left = GAP + column * (shape.width() * scale + GAP);
        for (int y = 0; y < shape.height() * scale; y++) {
            for (int x = 0; x < shape.width() * scale; x++) {
                int pixel = offset + (y / scale * shape.width() + x / scale) * shape.channels();
                for (int channel = 0; channel < shape.channels(); channel++) {
                    int sample = Math.clamp(Math.round(values[pixel + channel] * 255), 0, 255);
                    raster.setSample(left + x, tops[row] + y, channel, sample);
                }
            }
        }
    }

    /** {@return the picture, which further images are drawn into} */
    public BufferedImage image() {
        return image;
    }
}
