package io.github.elbo4j.data;

import java.util.Arrays;

/**
 * Crops an image to the aspect ratio that is asked for, about its centre, and resizes what is left.
 *
 * <p>Each axis by itself: when it shrinks, a pixel is the mean of the area that it covers; when it grows, pixels are
 * interpolated linearly between the centres of the old ones, and the outermost are continued. All weights are whole
 * numbers over one total, so a value is exact until it is rounded once, half up: the same on every machine.
 *
 * <p>Stateless and safe for any number of threads.
 */
final class ImageResizer {
    private ImageResizer() {}

    /**
     * Overwrites a row of a data set with an image.
     *
     * @param source the image; of a size that is cropped and resized unless it is the shape's
     * @param shape extents of the result; the source has as many channels
     * @param target receives {@code shape.size()} values
     */
    static void resize(ImageRows source, ImageShape shape, byte[] target) {
        int croppedWidth = source.width();
        int croppedHeight = source.height();
        if ((long) source.width() * shape.height() > (long) source.height() * shape.width()) {
            croppedWidth = part(source.height(), shape.width(), shape.height());
        } else {
            croppedHeight = part(source.width(), shape.height(), shape.width());
        }
        Axis across = new Axis(source.width(), croppedWidth, shape.width());
        Axis down = new Axis(source.height(), croppedHeight, shape.height());
        int channels = shape.channels();
        int[] pixels = new int[source.width() * channels];
        // Source rows, already resized across. Row y stands in y mod 2; two rows on end are all that is used again.
        long[][] rows = new long[2][shape.width() * channels];
        int[] held = {-1, -1};
        long total = across.total * down.total;
        long[] sums = new long[shape.width() * channels];
        for (int y = 0; y < shape.height(); y++) {
            Arrays.fill(sums, total / 2);
            for (int from = down.first(y); from <= down.last(y); from++) {
                long[] row = rows[from & 1];
                if (held[from & 1] != from) {
                    source.read(from, pixels);
                    across.resize(pixels, channels, row);
                    held[from & 1] = from;
                }
                long weight = down.weight(y, from);
                for (int i = 0; i < sums.length; i++) {
                    sums[i] += weight * row[i];
                }
            }
            int at = y * sums.length;
            for (int i = 0; i < sums.length; i++) {
                target[at + i] = (byte) (sums[i] / total);
            }
        }
    }

    /** {@return length * numerator / denominator, rounded half up, at least 1; it is never more than the other side} */
    private static int part(int length, int numerator, int denominator) {
        return (int) Math.max(1, (2L * length * numerator + denominator) / (2L * denominator));
    }

    /** One axis: from {@code size} pixels in the middle of {@code whole} to {@code wanted} ones. */
    private static final class Axis {
        private final int start;
        private final int size;
        private final int wanted;
        private final boolean shrinks;

        /** Sum of the weights of each new pixel. */
        final long total;

        Axis(int whole, int size, int wanted) {
            this.start = (whole - size) / 2;
            this.size = size;
            this.wanted = wanted;
            shrinks = size >= wanted;
            total = shrinks ? size : 2L * wanted;
        }

        /** {@return the first old pixel that counts for a new one} */
        int first(int pixel) {
            return start + (shrinks ? (int) ((long) pixel * size / wanted) : Math.max(0, left(pixel)));
        }

        /** {@return the last one} */
        int last(int pixel) {
            return start + (shrinks ? (int) (((pixel + 1L) * size - 1) / wanted) : Math.min(size - 1, left(pixel) + 1));
        }

        long weight(int pixel, int old) {
            int from = old - start;
            if (shrinks) {
                // New pixel i covers [i size, (i + 1) size), old pixel j covers [j wanted, (j + 1) wanted).
                return Math.min((pixel + 1L) * size, (from + 1L) * wanted)
                        - Math.max((long) pixel * size, (long) from * wanted);
            }
            int left = left(pixel);
            if (left < 0 || left + 1 >= size) {
                return total;
            }
            long right = centre(pixel) - left * total;
            return from == left ? total - right : right;
        }

        /** Where the centre of a new pixel lies among the centres of the old ones, times {@code total}. */
        private long centre(int pixel) {
            return (2L * pixel + 1) * size - wanted;
        }

        private int left(int pixel) {
            return (int) Math.floorDiv(centre(pixel), total);
        }

        void resize(int[] pixels, int channels, long[] row) {
            Arrays.fill(row, 0);
            for (int x = 0; x < wanted; x++) {
                for (int from = first(x); from <= last(x); from++) {
                    long weight = weight(x, from);
                    for (int c = 0; c < channels; c++) {
                        row[x * channels + c] += weight * pixels[from * channels + c];
                    }
                }
            }
        }
    }
}
