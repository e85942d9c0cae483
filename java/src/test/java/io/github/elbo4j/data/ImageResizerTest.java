package io.github.elbo4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Resized pixels against numbers worked out by hand. */
class ImageResizerTest {
    private static final class Picture implements ImageRows {
        private final int width;
        private final int height;
        private final int channels;
        private final int[] samples;

        Picture(int width, int height, int channels, int... samples) {
            this.width = width;
            this.height = height;
            this.channels = channels;
            this.samples = samples;
        }

        @Override
        public int width() {
            return width;
        }

        @Override
        public int height() {
            return height;
        }

        @Override
        public void read(int y, int[] row) {
            System.arraycopy(samples, y * width * channels, row, 0, width * channels);
        }
    }

    private static int[] resized(int width, int height, int[] pixels, int newWidth, int newHeight) {
        return resized(new Picture(width, height, 1, pixels), new ImageShape(newHeight, newWidth, 1));
    }

    private static int[] resized(Picture picture, ImageShape shape) {
        byte[] row = new byte[shape.size()];
        ImageResizer.resize(picture, shape, row);
        int[] values = new int[row.length];
        for (int i = 0; i < row.length; i++) {
            values[i] = row[i] & 0xff;
        }
        return values;
    }

    @Test
    void anImageOfTheWantedSizeIsLeftAsItIs() {
        int[] pixels = new Random(1).ints(7 * 5 * 3, 0, 256).toArray();
        assertThat(resized(new Picture(7, 5, 3, pixels), new ImageShape(5, 7, 3)))
                .isEqualTo(pixels);
    }

    @Test
    void halvingAveragesFourPixels() {
        int[] pixels = {
            0, 1, 10, 20, //
            2, 3, 30, 41, //
            255, 255, 0, 0, //
            255, 255, 0, 1
        };
        // 6 / 4 = 1.5 and 101 / 4 = 25.25; a half is rounded up.
        assertThat(resized(4, 4, pixels, 2, 2)).containsExactly(2, 25, 255, 0);
    }

    @Test
    void aPixelThatIsCutCountsByItsArea() {
        // Three columns to two: each new one covers one and a half.
        // (10 + 20 / 2) / 1.5 = 13.33, (20 / 2 + 40) / 1.5 = 33.33.
        assertThat(resized(3, 3, new int[] {10, 20, 40, 10, 20, 40, 10, 20, 40}, 2, 2))
                .containsExactly(13, 33, 13, 33);
        // Across: (0 + 45) / 1.5 = 30 and (45 + 0) / 1.5 = 30; 130 and 50; 0 and 160. Then down:
        // (30 + 65) / 1.5 = 63.33, (30 + 25) / 1.5 = 36.67, (65 + 0) / 1.5 = 43.33, (25 + 160) / 1.5 = 123.33.
        assertThat(resized(3, 3, new int[] {0, 90, 0, 180, 30, 60, 0, 0, 240}, 2, 2))
                .containsExactly(63, 37, 43, 123);
    }

    @Test
    void enlargingInterpolatesBetweenCentres() {
        // Centres of new columns lie at -0.25, 0.25, 0.75 and 1.25: 100, 0.75 100 + 0.25 200, ...
        assertThat(resized(2, 2, new int[] {100, 200, 100, 200}, 4, 4))
                .startsWith(100, 125, 175, 200)
                .endsWith(100, 125, 175, 200);
        assertThat(resized(2, 2, new int[] {0, 0, 0, 160}, 4, 4))
                .containsExactly(0, 0, 0, 0, 0, 10, 30, 40, 0, 30, 90, 120, 0, 40, 120, 160);
        // Centres at -1/6, 1/2 and 7/6: the half is rounded up.
        assertThat(resized(2, 2, new int[] {1, 2, 1, 2}, 3, 3)).containsExactly(1, 2, 2, 1, 2, 2, 1, 2, 2);
        assertThat(resized(1, 1, new int[] {9}, 3, 3)).containsOnly(9);
    }

    @Test
    void channelsAreKeptApart() {
        Picture picture = new Picture(2, 2, 3, 0, 100, 200, 2, 102, 202, 4, 104, 204, 6, 106, 206);
        assertThat(resized(picture, new ImageShape(1, 1, 3))).containsExactly(3, 103, 203);
    }

    @Test
    void whatIsTooWideOrTooHighIsCutOnBothSides() {
        int[] pixels = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
        assertThat(resized(5, 2, pixels, 2, 2)).containsExactly(2, 3, 7, 8);
        assertThat(resized(2, 5, pixels, 2, 2)).containsExactly(3, 4, 5, 6);
        // The odd pixel goes at the end.
        assertThat(resized(4, 1, new int[] {1, 2, 3, 4}, 1, 1)).containsExactly(2);
        // One row of 3 : 2 has one and a half columns, rounded up: 5 and 6, interpolated to three.
        assertThat(resized(10, 1, pixels, 3, 2)).containsExactly(5, 6, 6, 5, 6, 6);
    }

    @Test
    void theMeanIsKeptWhenShrinking() {
        Random random = new Random(2);
        for (int i = 0; i < 200; i++) {
            int side = 1 + random.nextInt(40);
            int wanted = 1 + random.nextInt(side);
            int[] pixels = random.ints((long) side * side, 0, 256).toArray();
            double before = Arrays.stream(pixels).average().orElseThrow();
            double after = Arrays.stream(resized(side, side, pixels, wanted, wanted))
                    .average()
                    .orElseThrow();
            assertThat(after).isCloseTo(before, offset(0.5));
        }
    }

    @Test
    void aFlatImageStaysFlat() {
        int[] white = new int[37 * 23];
        Arrays.fill(white, 255);
        assertThat(resized(37, 23, white, 64, 5)).containsOnly(255);
        assertThat(resized(37, 23, white, 5, 64)).containsOnly(255);
        assertThat(resized(37, 23, white, 100, 100)).containsOnly(255);
    }
}
