package io.github.elbo4j.backend.java;

/** The sum of a row: 16 virtual lanes (column mod 16), each ascending from +0, then the tree 8-4-2-1. */
final class JavaRowSum {
    private static final int LANES = 16;

    private final float[] lanes = new float[LANES];

    void reset() {
        java.util.Arrays.fill(lanes, 0f);
    }

    void add(int column, float value) {
        lanes[column % LANES] += value;
    }

    /** {@return the sum; the lanes are used up} */
    float total() {
        for (int half = LANES / 2; half > 0; half /= 2) {
            for (int lane = 0; lane < half; lane++) {
                lanes[lane] += lanes[lane + half];
            }
        }
        return lanes[0];
    }
}
