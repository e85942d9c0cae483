package io.github.elbo4j.data;

import io.github.elbo4j.backend.Shuffle;
import java.math.BigDecimal;
import java.util.Arrays;

/**
 * A data set's rows to train on and its rows to test on.
 *
 * <p>Immutable and safe for any number of threads, under the terms of {@link Dataset}.
 *
 * @param train rows to train on
 * @param test rows to test on, of the same shape and type
 * @param spec the text that names the data, as {@link DataSpec#parse} takes it
 */
public record DataSplit(Dataset train, Dataset test, String spec) {
    /** Most rows that {@link #holdOut} splits. */
    public static final int MAX_HOLD_OUT_ROWS = Integer.MAX_VALUE - 8;

    /** Checks that both parts have one shape and one type. */
    public DataSplit {
        if (!train.shape().equals(test.shape()) || train.type() != test.type()) {
            throw new IllegalArgumentException(spec + ": training data is " + train + ", but test data is " + test
                    + "; both need one shape and type");
        }
    }

    /**
     * {@return a set in two parts, copied: a share of its rows to test on, the rest to train on}
     *
     * <p>Test rows are those at the first positions of the {@link Shuffle} of the seed and epoch 0, the same rows on
     * every machine. Both parts keep the order of the set and its labels. The number of test rows is rounded down, but
     * neither part is ever empty; the share counts as the decimal number that it prints as, so that 0.29 of 100 rows is
     * 29.
     *
     * @param all two rows or more, at most {@link #MAX_HOLD_OUT_ROWS}
     * @param share how much to hold out, between 0 and 1 and neither of them
     * @param seed key of the shuffle
     * @param spec the text that names the result
     * @throws IllegalArgumentException if the share or the number of rows is out of range
     */
    public static DataSplit holdOut(Dataset all, double share, long seed, String spec) {
        long rows = all.rows();
        if (rows < 2 || rows > MAX_HOLD_OUT_ROWS) {
            throw new IllegalArgumentException(
                    "to hold out of " + rows + " rows: must be 2 to " + MAX_HOLD_OUT_ROWS + " rows");
        }
        // Written so that NaN fails as well.
        if (!(share > 0 && share < 1)) {
            throw new IllegalArgumentException("share of test rows " + share + ": must be between 0 and 1");
        }
        long wanted =
                BigDecimal.valueOf(share).multiply(BigDecimal.valueOf(rows)).longValue();
        long[] test = new long[(int) Math.clamp(wanted, 1, rows - 1)];
        for (int i = 0; i < test.length; i++) {
            test[i] = Shuffle.row(seed, 0, i, rows);
        }
        Arrays.sort(test);
        long[] train = new long[(int) rows - test.length];
        int held = 0;
        for (int row = 0; row < rows; row++) {
            if (held < test.length && test[held] == row) {
                held++;
            } else {
                train[row - held] = row;
            }
        }
        return new DataSplit(all.select(train), all.select(test), spec);
    }
}
