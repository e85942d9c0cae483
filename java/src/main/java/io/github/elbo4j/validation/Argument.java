package io.github.elbo4j.validation;

import java.util.Arrays;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * One operand of a {@link KernelCase}.
 *
 * @param role name of the kernel's parameter; for a piece of an arena {@code part/name}
 * @param kind element type
 * @param access whether it is read, written or both
 * @param span how its first extent follows the rows
 * @param shape extents at full capacity
 * @param values content before the call, exactly representable in binary32; for {@link Access#WRITE} poison takes its
 *     place
 * @param rounding how a floating output may differ; null when it is compared exactly, or is no output
 */
@SuppressWarnings("ArrayRecordComponent") // an operand in a case, never compared
public record Argument(
        String role,
        Kind kind,
        Access access,
        Span span,
        long[] shape,
        double[] values,
        @Nullable Rounding rounding) {

    /** Element types of operands. */
    public enum Kind {
        /** The backend's floating type. */
        REAL,
        /** Bytes. */
        U8,
        /** Row numbers. */
        I64,
        /** A piece of {@link io.github.elbo4j.backend.Parameters}, of the backend's floating type. */
        ARENA
    }

    /** What a kernel does with an operand. */
    public enum Access {
        /** Must be unchanged afterwards. */
        READ,
        /** Every active element is written. */
        WRITE,
        /** Content counts, and changes. */
        UPDATE
    }

    /** What the first extent is. */
    public enum Span {
        /** Nothing to do with rows. */
        WHOLE,
        /** Batch rows. */
        ROWS,
        /** Samples: batch rows times fold. */
        SAMPLES
    }

    /**
     * How an element of an output may differ from the truth, see {@link Tolerance}.
     *
     * @param chain terms added one after the other
     * @param product whether it is a matrix product, whose factors a backend may round to a shorter type
     * @param terms sums of absolute terms and the allowance, for a number of active batch rows
     */
    public record Rounding(long chain, boolean product, IntFunction<Terms> terms) {
        /** The rounding of anything but a matrix product. */
        public Rounding(long chain, IntFunction<Terms> terms) {
            this(chain, false, terms);
        }
    }

    /**
     * Sizes that the tolerance is made of, one an element.
     *
     * @param sums sum of absolute terms
     * @param allowance what may differ beyond rounding, in eps; empty for nothing
     */
    public record Terms(double[] sums, double[] allowance) {
        /** Terms without an allowance. */
        public static Terms of(double[] sums) {
            return new Terms(sums, new double[0]);
        }

        /** {@return the first elements} */
        Terms first(int count) {
            return new Terms(
                    Arrays.copyOf(sums, count), allowance.length == 0 ? allowance : Arrays.copyOf(allowance, count));
        }
    }

    /** {@return whether the kernel writes it} */
    public boolean output() {
        return access != Access.READ;
    }

    /** {@return the number of elements} */
    public int size() {
        return values.length;
    }

    /**
     * {@return the elements of one batch row, all samples together; 0 where rows do not matter}
     *
     * @param capacity batch rows of the case
     */
    public int rowSize(long capacity) {
        return span == Span.WHOLE ? 0 : (int) (size() / capacity);
    }

    /** {@return the elements that belong to the active batch rows} */
    public int activeSize(long capacity, int active) {
        return span == Span.WHOLE ? size() : rowSize(capacity) * active;
    }

    /** {@return the same operand with chosen batch rows} */
    Argument select(long capacity, int... rows) {
        if (span == Span.WHOLE) {
            return this;
        }
        int rowSize = rowSize(capacity);
        double[] chosen = new double[rowSize * rows.length];
        for (int i = 0; i < rows.length; i++) {
            System.arraycopy(values, rows[i] * rowSize, chosen, i * rowSize, rowSize);
        }
        long[] newShape = shape.clone();
        newShape[0] = shape[0] / capacity * rows.length;
        return new Argument(role, kind, access, span, newShape, chosen, rounding);
    }
}
