package io.github.elbo4j.cli;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.cli.report.ImageGrid;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.files.AtomicFiles;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.inference.LatentCodes;
import io.github.elbo4j.model.Vae;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.ImageIO;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Draws what a model makes of its data: grids of images without text, so that no fonts are needed. */
final class Pictures {
    /** Test inputs, each above its reconstruction through z = mu. */
    static final String RECONSTRUCTIONS = "reconstructions.png";

    /** Decoded draws from the prior. */
    static final String SAMPLES = "samples.png";

    /** Images in a row of either picture. */
    static final int COLUMNS = 10;

    /** Pairs of rows in the picture of reconstructions. */
    static final int BANDS = 3;

    static final int SAMPLE_ROWS = 8;

    /** Wanted width of a picture before it is enlarged. */
    private static final int WIDTH = 1024;

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
        try (FrozenModel model = FrozenModel.of(vae);
                InferenceSession session = model.session(COLUMNS * SAMPLE_ROWS)) {
            save(reconstructions(session, test, BANDS), folder.resolve(RECONSTRUCTIONS));
            save(samples(session, seed, SAMPLE_ROWS), folder.resolve(SAMPLES));
        }
    }

    /**
     * {@return inputs above their reconstructions through z = mu}
     *
     * @param session for as many rows as are drawn
     * @param data the first of its rows are drawn
     * @param bands most pairs of rows in the picture
     */
    static BufferedImage reconstructions(InferenceSession session, Dataset data, int bands) {
        int columns = columns(data.shape());
        int count = (int) Math.min((long) columns * bands, data.rows());
        int size = data.columns();
        float[] inputs = inputs(data, count);
        float[] outputs = session.reconstruct(inputs);
        ImageGrid grid = new ImageGrid(data.shape(), 2 * Math.ceilDiv(count, columns), Math.min(columns, count), 2);
        for (int i = 0; i < count; i++) {
            int row = 2 * (i / columns);
            grid.put(row, i % columns, inputs, i * size);
            grid.put(row + 1, i % columns, outputs, i * size);
        }
        return grid.image();
    }

    /** {@return decoded draws from the prior, some rows of them} */
    static BufferedImage samples(InferenceSession session, long seed, int rows) {
        int columns = columns(session.config().input());
        return decoded(
                session,
                LatentCodes.prior(seed, 0, rows * columns, session.config().latent()),
                columns);
    }

    /**
     * {@return the means of latent codes, from left to right, then from top to bottom}
     *
     * @param session for any number of rows
     * @param codes {@code [n, latent]}
     * @param columns images in a row
     */
    static BufferedImage decoded(InferenceSession session, float[] codes, int columns) {
        ImageShape shape = session.config().input();
        int latent = session.config().latent();
        int count = codes.length / latent;
        ImageGrid grid = new ImageGrid(shape, Math.ceilDiv(count, columns), columns);
        for (int from = 0; from < count; from += session.maxRows()) {
            int rows = Math.min(session.maxRows(), count - from);
            float[] pixels = session.decode(Arrays.copyOfRange(codes, from * latent, (from + rows) * latent));
            for (int i = 0; i < rows; i++) {
                grid.put((from + i) / columns, (from + i) % columns, pixels, i * shape.size());
            }
        }
        return grid.image();
    }

    /** {@return images in a row: fewer of large ones} */
    static int columns(ImageShape shape) {
        return Math.clamp(WIDTH / shape.width(), 2, COLUMNS);
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

    /** Writes a picture, replaced atomically. */
    static void save(BufferedImage image, Path file) throws IOException {
        AtomicFiles.write(file, out -> write(image, out));
    }

    /** Writes a picture as PNG, without a temporary file. */
    static void write(BufferedImage image, OutputStream out) throws IOException {
        try (MemoryCacheImageOutputStream png = new MemoryCacheImageOutputStream(out)) {
            if (!ImageIO.write(image, "png", png)) {
                throw new IOException("this JDK has no PNG writer");
            }
        }
    }
}
