package io.github.elbo4j.backend;

/** Choosing the rows of a batch and bringing them into it; the data set stays where it is. */
public interface DataKernels {
    /**
     * The order in which an epoch visits a range of data rows.
     *
     * @param firstRow first data row of the range
     * @param rowCount rows of the range, at least 1
     * @param shuffled whether {@link Shuffle} permutes them anew each epoch under the state's seed, or they come in order
     */
    record Order(long firstRow, long rowCount, boolean shuffled) {
        /** Checks the range. */
        public Order {
            if (firstRow < 0 || rowCount < 1 || firstRow > Long.MAX_VALUE - rowCount) {
                throw new IllegalArgumentException(
                        "order: first row " + firstRow + " and row count " + rowCount + " are no range of rows");
            }
        }

        /** {@return all rows in order} */
        public static Order sequential(long rowCount) {
            return new Order(0, rowCount, false);
        }

        /** {@return all rows, shuffled anew each epoch} */
        public static Order shuffled(long rowCount) {
            return new Order(0, rowCount, true);
        }
    }

    /** What becomes of the elements that are gathered. */
    enum Pixels {
        /** The value itself; of u8 its number. */
        AS_IS,
        /** u8 divided by 255; floating values as they are. */
        UNIT,
        /** One with the probability that {@link #UNIT} gives, else zero; drawn anew at every access. */
        BERNOULLI
    }

    /**
     * Chooses the batch of the present step: overwrites {@code rowIds}, and sets the active rows of the recording to the
     * rows left in the epoch, at most the capacity.
     *
     * <p>Row i is the data row at place {@code position + i} of the order, position and epoch those of the state;
     * {@link OptimizerKernels#advance} moves them on. Issued at most once in a recording, before every kernel that uses
     * the active rows.
     *
     * @param rows the recording's rows, not folded
     * @param state supplies seed, epoch and position
     * @param order which data rows, in which order
     * @param rowIds {@code [rows]} of {@link DType#I64}
     */
    void selectRows(Rows rows, StepState state, Order order, Operand rowIds);

    /**
     * Overwrites {@code out} with the chosen rows of {@code data}.
     *
     * <p>{@link Pixels#BERNOULLI}: {@code out = 1} where {@code u < value}, {@code u} the {@link Philox#uniform} of the
     * noise at (row, column), else 0; for u8, where {@code floor(word * 255 / 2^32) < q}, which needs integers only.
     *
     * @param rows the recording's rows, not folded
     * @param rowIds {@code [rows]} of {@link DType#I64}, each a row of {@code data}; a row outside it reads as zeros
     * @param data {@code [n, ...]} of {@link DType#U8} or of the backend's floating type
     * @param pixels conversion
     * @param noise numbers for {@link Pixels#BERNOULLI}; otherwise {@link Noise#off()}
     * @param state supplies seed and step of the noise
     * @param out {@code [rows, columns of data]} of the backend's floating type
     */
    void gather(Rows rows, Operand rowIds, Operand data, Pixels pixels, Noise noise, StepState state, Operand out);

    /**
     * Overwrites {@code out} with the rows of {@code in}, converted: how a step takes what the host has staged.
     *
     * @param rows the recording's rows, not folded
     * @param in {@code [rows, d]} of {@link DType#U8} or of the backend's floating type
     * @param pixels conversion; {@link Pixels#BERNOULLI} is for {@link #gather} only
     * @param out {@code [rows, d]} of the backend's floating type
     */
    void load(Rows rows, Operand in, Pixels pixels, Operand out);

    /**
     * Overwrites the active rows of {@code out} with those of {@code in}: how a step leaves a result for the host.
     *
     * @param rows rows of both
     * @param in {@code [rows, d]} of the backend's floating type
     * @param out {@code [rows, d]} of the same type
     */
    void store(Rows rows, Operand in, Operand out);
}
