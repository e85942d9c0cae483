package io.github.elbo4j.cli;

import io.github.elbo4j.cli.report.ImageGrid;
import io.github.elbo4j.data.ImageShape;
import java.io.IOException;
import java.io.OutputStream;

/** Rows as images in one picture: from left to right, then from top to bottom. */
final class PictureRows implements RowSink {
    /** Images in a line, where nothing else says how many. */
    static final int COLUMNS = Pictures.COLUMNS;

    private final ImageGrid grid;
    private final int columns;
    private final int band;
    private long next;

    /**
     * What a picture shows.
     *
     * @param shape extents of an image
     * @param count images, or stacks of them
     * @param columns images in a line
     * @param band images of a stack, one below the other; 1 for images alone
     */
    record Layout(ImageShape shape, long count, int columns, int band) {
        static Layout of(ImageShape shape, long count) {
            return new Layout(shape, count, COLUMNS, 1);
        }
    }

    /**
     * An empty picture.
     *
     * @throws IllegalArgumentException if it would be too large
     */
    PictureRows(Layout layout) {
        this.columns = (int) Math.min(layout.columns(), layout.count());
        this.band = layout.band();
        int lines = (int) Math.min(Integer.MAX_VALUE, Math.ceilDiv(layout.count(), (long) columns) * band);
        this.grid = new ImageGrid(layout.shape(), lines, columns, band == 1 ? lines : band);
    }

    @Override
    public void add(long row, int label, float[] values, int offset) {
        int stack = (int) (next / band);
        int line = stack / columns * band + (int) (next % band);
        grid.put(line, stack % columns, values, offset);
        next++;
    }

    void writeTo(OutputStream out) throws IOException {
        Pictures.write(grid.image(), out);
    }
}
