package io.github.elbo4j.data;

/** Pixels of an image, read row by row. */
interface ImageRows {
    /** {@return pixel columns} */
    int width();

    /** {@return pixel rows} */
    int height();

    /**
     * Reads a row of pixels.
     *
     * @param y number of the row
     * @param row overwritten with its samples, 0 to 255, channels last
     */
    void read(int y, int[] row);
}
