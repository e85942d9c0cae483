package io.github.elbo4j.cli;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Normals;
import io.github.elbo4j.backend.Philox;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.files.AtomicFiles;
import io.github.elbo4j.model.Vae;
import java.awt.image.BufferedImage;
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.ImageIO;

/** Draws what a model makes of its data: grids of images without text, so that no fonts are needed. */
final class Pictures {
    /** Test inputs, each above its reconstruction through z = mu. */
    static final String RECONSTRUCTIONS = "reconstructions.png";

    /** Decoded draws from the prior. */
    static final String SAMPLES = "samples.png";

    /** Images in a row of either picture. */
    static final int COLUMNS = 10;

    /** Pairs of rows in the picture of reconstructions. */
    private static final int BANDS = 3;

    private static final int SAMPLE_ROWS = 8;
    private static final int GAP = 4;
    private static final int WIDE_GAP = 12;
    private static final int BACKGROUND = 64;

    /** An image of 28 pixels is drawn three times as large, one of 84 as it is. */
    private static final int WANTED_PIXELS = 84;

    private static final int MAX_SCALE = 3;
    private static final int MAX_PIXELS = 512;

    private Pictures() {}

    /** {@return whether images of a shape can be drawn: grey or colour, and not too large for a grid} */
    static boolean drawable(ImageShape shape) {
        return (shape.channels() == 1 || shape.channels() == 3)
                && shape.height() <= MAX_PIXELS
                && shape.width() <= MAX_PIXELS;
    }

    /** Writes both pictures, each replaced atomically. */
    static void write(Vae vae, Dataset test, long seed, Path folder) throws IOException {
        save(reconstructions(vae, test), folder.resolve(RECONSTRUCTIONS));
        save(samples(vae, seed), folder.resolve(SAMPLES));
    }

    static BufferedImage reconstructions(Vae vae, Dataset test) {
        int count = (int) Math.min((long) COLUMNS * BANDS, test.rows());
        int size = test.columns();
        float[] inputs = inputs(test, count);
        float[] outputs = vae.reconstruct(inputs);
        int bands = Math.ceilDiv(count, COLUMNS);
        Grid grid = new Grid(test.shape(), Math.min(COLUMNS, count), pairGaps(bands));
        for (int i = 0; i < count; i++) {
            int row = 2 * (i / COLUMNS);
            grid.put(row, i % COLUMNS, inputs, i * size);
            grid.put(row + 1, i % COLUMNS, outputs, i * size);
        }
        return grid.image;
    }

    static BufferedImage samples(Vae vae, long seed) {
        int count = COLUMNS * SAMPLE_ROWS;
        int latent = vae.config().latent();
        float[] z = new float[count * latent];
        double[] row = new double[latent];
        for (int i = 0; i < count; i++) {
            Normals.row(seed, i, 0, Philox.stream(Noise.Purpose.SAMPLE, 0), row);
            for (int d = 0; d < latent; d++) {
                z[i * latent + d] = (float) row[d];
            }
        }
        float[] pixels = vae.decode(z);
        ImageShape shape = vae.config().input();
        int[] gaps = new int[SAMPLE_ROWS];
        Arrays.fill(gaps, GAP);
        Grid grid = new Grid(shape, COLUMNS, gaps);
        for (int i = 0; i < count; i++) {
            grid.put(i / COLUMNS, i % COLUMNS, pixels, i * shape.size());
        }
        return grid.image;
    }

    /** {@return gaps that keep inputs and their reconstructions together} */
    private static int[] pairGaps(int bands) {
        int[] gaps = new int[2 * bands];
        Arrays.fill(gaps, GAP);
        for (int band = 1; band < bands; band++) {
            gaps[2 * band] = WIDE_GAP;
        }
        return gaps;
    }

    private static float[] inputs(Dataset data, int count) {
        float[] values = new float[count * data.columns()];
        for (int i = 0; i < values.length; i++) {
            values[i] = data.type() == DType.U8
                    ? (data.values().get(ValueLayout.JAVA_BYTE, i) & 0xff) / 255f
                    : data.values().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
        }
        return values;
    }

    private static void save(BufferedImage image, Path file) throws IOException {
        ImageIO.setUseCache(false);
        AtomicFiles.write(file, out -> {
            if (!ImageIO.write(image, "png", out)) {
                throw new IOException("this JDK has no PNG writer");
            }
        });
    }

    /** Images side by side, enlarged without smoothing. */
    private static final class Grid {
        final BufferedImage image;
        private final ImageShape shape;
        private final int scale;
        private final int[] tops;

        Grid(ImageShape shape, int columns, int[] gapAbove) {
            this.shape = shape;
            this.scale = Math.clamp(WANTED_PIXELS / Math.max(shape.height(), shape.width()), 1, MAX_SCALE);
            this.tops = new int[gapAbove.length];
            int y = 0;
            for (int i = 0; i < tops.length; i++) {
                tops[i] = y + gapAbove[i];
                y = tops[i] + shape.height() * scale;
            }
            this.image = new BufferedImage(
                    GAP + columns * (shape.width() * scale + GAP),
                    y + GAP,
                    shape.channels() == 1 ? BufferedImage.TYPE_BYTE_GRAY : BufferedImage.TYPE_INT_RGB);
            WritableRaster raster = image.getRaster();
            for (int band = 0; band < shape.channels(); band++) {
                int[] background = new int[image.getWidth() * image.getHeight()];
                Arrays.fill(background, BACKGROUND);
                raster.setSamples(0, 0, image.getWidth(), image.getHeight(), band, background);
            }
        }

        void put(int row, int column, float[] values, int offset) {
            WritableRaster raster = image.getRaster();
            int left = GAP + column * (shape.width() * scale + GAP);
            for (int y = 0; y < shape.height() * scale; y++) {
                for (int x = 0; x < shape.width() * scale; x++) {
                    int pixel = offset + (y / scale * shape.width() + x / scale) * shape.channels();
                    for (int band = 0; band < shape.channels(); band++) {
                        int grey = Math.clamp(Math.round(values[pixel + band] * 255), 0, 255);
                        raster.setSample(left + x, tops[row] + y, band, grey);
                    }
                }
            }
        }
    }
}
