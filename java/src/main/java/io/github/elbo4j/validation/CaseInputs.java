package io.github.elbo4j.validation;

import io.github.elbo4j.backend.Noise.Purpose;
import io.github.elbo4j.backend.Normals;
import io.github.elbo4j.backend.Philox;

/** Contents of operands, drawn from one seed; every number is exactly representable in binary32. */
final class CaseInputs {
    private final long seed;
    private int drawn;

    CaseInputs(long seed) {
        this.seed = seed;
    }

    /** {@return normal numbers of a standard deviation} */
    double[] normal(int count, double scale) {
        double[] values = new double[count];
        Normals.row(seed, drawn++, 0, Philox.stream(Purpose.SAMPLE, 0), values);
        for (int i = 0; i < count; i++) {
            values[i] = (float) (values[i] * scale);
        }
        return values;
    }

    /** {@return uniform numbers of a range} */
    double[] uniform(int count, double low, double high) {
        double[] values = new double[count];
        int row = drawn++;
        int[] block = new int[4];
        for (int i = 0; i < count; i++) {
            if ((i & 3) == 0) {
                Philox.block(seed, i >>> 2, row, 1, Philox.stream(Purpose.SAMPLE, 0), block);
            }
            values[i] = (float) (low + (high - low) * Philox.uniform(block[i & 3]));
        }
        return values;
    }

    /** {@return whole numbers from {@code low} to {@code high - 1}} */
    double[] integers(int count, int low, int high) {
        double[] values = uniform(count, 0, 1);
        for (int i = 0; i < count; i++) {
            values[i] = Math.min(high - 1, low + Math.floor(values[i] * (high - low)));
        }
        return values;
    }

    /** {@return a whole number from {@code low} to {@code high}} */
    int integer(int low, int high) {
        return (int) integers(1, low, high + 1)[0];
    }

    /** Puts special values, rounded to binary32, in front of others, as many as fit. */
    static double[] leading(double[] values, double... special) {
        for (int i = 0; i < Math.min(special.length, values.length); i++) {
            values[i] = (float) special[i];
        }
        return values;
    }
}
