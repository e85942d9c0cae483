package io.github.elbo4j.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.elbo4j.data.ImageShape;
import java.awt.image.BufferedImage;
import org.junit.jupiter.api.Test;

class ImageGridTest {
    private static final int GROUND = 64;

    @Test
    void smallImagesAreEnlargedWithoutSmoothing() {
        ImageGrid grid = new ImageGrid(new ImageShape(2, 3, 1), 2, 2);
        grid.put(1, 0, new float[] {9, 0, 0.2f, 0.4f, 0.6f, 0.8f, 1}, 1);
        BufferedImage image = grid.image();
        assertThat(image.getType()).isEqualTo(BufferedImage.TYPE_BYTE_GRAY);
        assertThat(image.getWidth()).isEqualTo(4 + 2 * (9 + 4));
        assertThat(image.getHeight()).isEqualTo(4 + 2 * (6 + 4));
        int[] levels = {0, 51, 102, 153, 204, 255};
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                boolean inside = x >= 4 && x < 13 && y >= 14 && y < 20;
                int expected = inside ? levels[(y - 14) / 3 * 3 + (x - 4) / 3] : GROUND;
                assertThat(image.getRaster().getSample(x, y, 0))
                        .as("%s, %s", x, y)
                        .isEqualTo(expected);
            }
        }
    }

    @Test
    void bandsStandFurtherApartThanTheirRows() {
        ImageGrid grid = new ImageGrid(new ImageShape(28, 28, 1), 4, 1, 2);
        for (int row = 0; row < 4; row++) {
            grid.put(row, 0, new float[784], 0);
        }
        StringBuilder gaps = new StringBuilder();
        int gap = 0;
        for (int y = 0; y < grid.image().getHeight(); y++) {
            boolean ground = grid.image().getRaster().getSample(5, y, 0) == GROUND;
            if (!ground && gap > 0) {
                gaps.append(gap).append(' ');
            }
            gap = ground ? gap + 1 : 0;
        }
        assertThat(gaps + "" + gap).isEqualTo("4 4 12 4 4");
    }

    @Test
    void coloursKeepTheirOrder() {
        ImageGrid grid = new ImageGrid(new ImageShape(1, 1, 3), 1, 1);
        grid.put(0, 0, new float[] {1, 0.6f, 0.2f}, 0);
        assertThat(grid.image().getRGB(4, 4)).isEqualTo(0xffff9933);
        assertThat(grid.image().getRGB(0, 0)).isEqualTo(0xff404040);
    }

    @Test
    void largeImagesAreDrawnAsTheyAre() {
        assertThat(new ImageGrid(new ImageShape(84, 30, 1), 1, 1).image().getHeight())
                .isEqualTo(92);
        assertThat(new ImageGrid(new ImageShape(32, 32, 3), 1, 1).image().getHeight())
                .isEqualTo(8 + 64);
        // The largest that the command draws: 80 images of 512 pixels.
        assertThat(new ImageGrid(new ImageShape(512, 512, 3), 8, 10).image().getWidth())
                .isEqualTo(5164);
    }

    @Test
    void valuesOutOfRangeAreCutOff() {
        ImageGrid grid = new ImageGrid(new ImageShape(1, 4, 1), 1, 1);
        grid.put(0, 0, new float[] {-5, 1e30f, Float.NaN, Float.NEGATIVE_INFINITY}, 0);
        int[] samples = new int[4];
        for (int i = 0; i < 4; i++) {
            samples[i] = grid.image().getRaster().getSample(4 + 3 * i, 4, 0);
        }
        assertThat(samples).containsExactly(0, 255, 0, 0);
    }

    @Test
    void placesAndValuesAreChecked() {
        ImageGrid grid = new ImageGrid(new ImageShape(2, 2, 1), 1, 2);
        for (int[] wrong : new int[][] {{-1, 0, 0}, {1, 0, 0}, {0, 2, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}}) {
            assertThatExceptionOfType(IndexOutOfBoundsException.class)
                    .isThrownBy(() -> grid.put(wrong[0], wrong[1], new float[4], wrong[2]));
        }
        ImageShape shape = new ImageShape(2, 2, 1);
        assertThatIllegalArgumentException().isThrownBy(() -> new ImageGrid(shape, 0, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new ImageGrid(shape, 1, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new ImageGrid(shape, 1, 1, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new ImageGrid(new ImageShape(2, 2, 2), 1, 1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ImageGrid(new ImageShape(1000, 1000, 1), 10, 10))
                .withMessageContaining("pixels");
        assertThatIllegalArgumentException().isThrownBy(() -> new ImageGrid(shape, Integer.MAX_VALUE, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> new ImageGrid(shape, 1, Integer.MAX_VALUE));
    }
}
