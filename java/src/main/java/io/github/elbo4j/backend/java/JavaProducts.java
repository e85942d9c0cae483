package io.github.elbo4j.backend.java;

import java.util.Arrays;

/**
 * The one matrix product behind all dense layers: {@code c(i, j) = sum over k of a(i, k) * b(k, j)}.
 *
 * <p>Each element is one chain over ascending k from +0, a rounded product and then a rounded sum, so its bits depend on
 * nothing but its row of a and its column of b. Blocking only changes which chains advance together: four k at a time,
 * whose rows of b are copied to arrays of their own, which is what lets the JIT compiler vectorize over j.
 */
final class JavaProducts {
    private static final int BLOCK_ROWS = 64;

    /**
     * A matrix within an array.
     *
     * @param array the array
     * @param offset index of element (0, 0)
     * @param rowStride distance of neighbours in a column
     * @param columnStride distance of neighbours in a row
     */
    @SuppressWarnings("ArrayRecordComponent") // a reading of an array, never compared
    record Matrix(float[] array, int offset, int rowStride, int columnStride) {}

    /** Takes a finished row of the product. */
    @FunctionalInterface
    interface RowSink {
        /** Row i of the product stands in {@code row[0..]}, and may be changed. */
        void accept(int i, float[] row);
    }

    /** What one thread works with: the chains of a block of rows, and four rows of b. */
    private static final class Buffers {
        final float[][] sums;
        final float[] b0;
        final float[] b1;
        final float[] b2;
        final float[] b3;

        Buffers(int rows, int width) {
            sums = new float[rows][width];
            b0 = new float[width];
            b1 = new float[width];
            b2 = new float[width];
            b3 = new float[width];
        }
    }

    private final Matrix a;
    private final Matrix b;
    private final JavaParts<Buffers> buffers;

    /**
     * A product; one thread at a time computes a part of it.
     *
     * @param a {@code [rows, depth]}
     * @param b {@code [depth, width]}
     * @param rows most rows
     * @param width columns
     * @param parts most parts of a split
     */
    JavaProducts(Matrix a, Matrix b, long rows, int width, int parts) {
        this.a = a;
        this.b = b;
        this.buffers = new JavaParts<>(parts, () -> new Buffers((int) Math.min(BLOCK_ROWS, rows), width));
    }

    /** Computes the rows {@code from} to {@code to - 1} as a part of a split, and hands each to {@code sink}. */
    void rows(int part, int depth, int from, int to, RowSink sink) {
        Buffers own = buffers.of(part);
        float[][] sums = own.sums;
        float[] b0 = own.b0;
        float[] b1 = own.b1;
        float[] b2 = own.b2;
        float[] b3 = own.b3;
        for (int block = from; block < to; block += BLOCK_ROWS) {
            int blockRows = Math.min(BLOCK_ROWS, to - block);
            for (int i = 0; i < blockRows; i++) {
                Arrays.fill(sums[i], 0f);
            }
            int k = 0;
            for (; k + 3 < depth; k += 4) {
                copyRow(b, k, b0);
                copyRow(b, k + 1, b1);
                copyRow(b, k + 2, b2);
                copyRow(b, k + 3, b3);
                for (int i = 0; i < blockRows; i++) {
                    int at = a.offset + (block + i) * a.rowStride + k * a.columnStride;
                    addFour(
                            sums[i],
                            a.array[at],
                            b0,
                            a.array[at + a.columnStride],
                            b1,
                            a.array[at + 2 * a.columnStride],
                            b2,
                            a.array[at + 3 * a.columnStride],
                            b3);
                }
            }
            for (; k < depth; k++) {
                copyRow(b, k, b0);
                for (int i = 0; i < blockRows; i++) {
                    addOne(sums[i], a.array[a.offset + (block + i) * a.rowStride + k * a.columnStride], b0);
                }
            }
            for (int i = 0; i < blockRows; i++) {
                sink.accept(block + i, sums[i]);
            }
        }
    }

    private static void copyRow(Matrix b, int k, float[] row) {
        int at = b.offset + k * b.rowStride;
        if (b.columnStride == 1) {
            System.arraycopy(b.array, at, row, 0, row.length);
        } else {
            for (int j = 0; j < row.length; j++) {
                row[j] = b.array[at + j * b.columnStride];
            }
        }
    }

    private static void addFour(
            float[] sum, float a0, float[] b0, float a1, float[] b1, float a2, float[] b2, float a3, float[] b3) {
        for (int j = 0; j < sum.length; j++) {
            sum[j] = (((sum[j] + a0 * b0[j]) + a1 * b1[j]) + a2 * b2[j]) + a3 * b3[j];
        }
    }

    private static void addOne(float[] sum, float a, float[] b) {
        for (int j = 0; j < sum.length; j++) {
            sum[j] = sum[j] + a * b[j];
        }
    }
}
