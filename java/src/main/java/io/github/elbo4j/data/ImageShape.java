package io.github.elbo4j.data;

/**
 * Extents of an image; a row of a data set holds its pixels row by row, channels last.
 *
 * @param height pixel rows
 * @param width pixel columns
 * @param channels values a pixel
 */
public record ImageShape(int height, int width, int channels) {
    /** Checks the range. */
    public ImageShape {
        if (height < 1 || width < 1 || channels < 1 || (long) height * width * channels > 1 << 24) {
            throw new IllegalArgumentException("image of " + height + " x " + width + " x " + channels
                    + ": extents must be positive, and at most 2^24 values together");
        }
    }

    /** {@return the values of one image} */
    public int size() {
        return height * width * channels;
    }
}
