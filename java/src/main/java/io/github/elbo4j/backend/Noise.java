package io.github.elbo4j.backend;

import org.jspecify.annotations.Nullable;

/**
 * Which random numbers a kernel draws: a pure function of the {@link StepState}'s seed, purpose, row key, step and
 * column, see {@link Philox}.
 *
 * @param purpose what the numbers are for; keeps the streams of one run apart
 * @param rowKey what stands in the counter's row and step words
 * @param rowIds data row of each batch row, {@code [rows]} of {@link DType#I64}; given exactly when {@code rowKey} is
 *     {@link RowKey#DATA_ROW}
 */
public record Noise(
        Purpose purpose, RowKey rowKey, @Nullable Operand rowIds) {

    /** What random numbers are drawn for; the codes are part of the frozen counter layout. */
    public enum Purpose {
        /** Initial weights. */
        INIT(0),
        /** The epsilon of the reparameterization trick. */
        EPSILON(1),
        /** The order of the rows in an epoch. */
        SHUFFLE(2),
        /** Pixels drawn as Bernoulli variables. */
        BINARIZE(3),
        /** Samples from the prior. */
        SAMPLE(4),
        /** Corruption of inputs. */
        CORRUPT(5);

        private final int code;

        Purpose(int code) {
            this.code = code;
        }

        /** {@return the number in the top byte of counter word 3} */
        public int code() {
            return code;
        }
    }

    /** What identifies a row to the generator. */
    public enum RowKey {
        /** Training: the row's place in the batch, and the step. */
        BATCH_POSITION,
        /** Evaluation: the row's number in the data set, and step zero, so that no number depends on the batch. */
        DATA_ROW,
        /** Scoring in a session: row zero, step zero; every row meets the same numbers. */
        COMMON,
        /** No numbers are drawn: epsilon is zero. */
        OFF
    }

    /** Checks that row ids are given exactly when the key needs them. */
    public Noise {
        if ((rowKey == RowKey.DATA_ROW) != (rowIds != null)) {
            throw new IllegalArgumentException(
                    "noise keyed by " + rowKey + (rowIds == null ? " needs" : " takes no") + " row ids");
        }
    }

    /** {@return noise of a training step: keyed by batch position and step} */
    public static Noise training(Purpose purpose) {
        return new Noise(purpose, RowKey.BATCH_POSITION, null);
    }

    /** {@return noise of an evaluation: keyed by the rows' numbers in the data set} */
    public static Noise evaluation(Purpose purpose, Operand rowIds) {
        return new Noise(purpose, RowKey.DATA_ROW, rowIds);
    }

    /** {@return common random numbers: the same for every row} */
    public static Noise common(Purpose purpose) {
        return new Noise(purpose, RowKey.COMMON, null);
    }

    /** {@return no noise at all} */
    public static Noise off() {
        return new Noise(Purpose.EPSILON, RowKey.OFF, null);
    }
}
