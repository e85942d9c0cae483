package io.github.elbo4j.backend;

/**
 * The one dynamic dimension. The capacity is fixed when a step is recorded; how many rows are active is known only when
 * it runs: fewer in the last batch of an epoch and in small calls of a session.
 *
 * <p>A kernel computes the active rows. Rows past them are padding: what an output holds there is unspecified, and no
 * padding row reaches an active row or a sum over rows.
 *
 * @param capacity most batch rows, before folding
 * @param fold samples of each batch row; sample s of batch row b is row {@code b * fold + s}
 */
public record Rows(long capacity, int fold) {
    /** Checks the range. */
    public Rows {
        if (capacity < 1 || fold < 1 || fold >= Philox.MAX_SAMPLES || capacity > Philox.MAX_ROWS / fold) {
            throw new IllegalArgumentException("rows: capacity " + capacity + " and fold " + fold
                    + " must be positive, and their product at most " + Philox.MAX_ROWS);
        }
    }

    /** {@return rows that are not folded} */
    public static Rows of(long capacity) {
        return new Rows(capacity, 1);
    }

    /** {@return the same batch rows, each with {@code samples} samples} */
    public Rows folded(int samples) {
        return new Rows(capacity, Math.multiplyExact(fold, samples));
    }

    /** {@return the rows of a tensor that holds every sample: capacity times fold} */
    public long total() {
        return capacity * fold;
    }
}
