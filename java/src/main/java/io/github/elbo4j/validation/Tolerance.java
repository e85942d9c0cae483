package io.github.elbo4j.validation;

import io.github.elbo4j.backend.DType;

/**
 * The rule for how far a kernel's result may be from the truth, which the Java backend computes in binary64 from the
 * same inputs.
 *
 * <pre>
 * error &lt;= 2 E s + allowance eps + smallest normal number (+ product error * sum of absolute terms)
 * </pre>
 *
 * <p>with {@code s = eps * (sum of the absolute terms of that element)}, {@code eps} 2^-23 for binary32 and 2^-52 for
 * binary64, and {@code E} the worst {@code error / s} of the plain float path (the Java backend in binary32) over the
 * whole tensor, at least {@value #FLOOR}. A per-element "twice the plain error" would fail honest sums in another order,
 * because the plain error of one element may be zero by luck; for the same reason E has a floor on small tensors. The
 * allowance covers what the contract lets differ beyond rounding, see
 * {@link io.github.elbo4j.backend.Normals#ULP_BOUND}. The smallest normal number lets a backend flush denormal results. The
 * last summand stands for matrix products only, of backends that round their factors to a shorter type and say so in
 * {@link io.github.elbo4j.backend.BackendInfo#productError}.
 *
 * <p>The plain path rounds elementary functions correctly, which no other path is asked to do: a value that such a
 * function gives counts twice among the absolute terms, for it may be off by an ulp.
 *
 * <p>The plain path itself is held by {@link #cap}, which needs no measurement. A subject in binary64 has no plain path
 * beside it; for it the cap stands for E.
 */
public final class Tolerance {
    /** Least E: one rounding of the result is half an eps. */
    public static final double FLOOR = 0.5;

    /** Roundings of one element besides its chain: factors, elementary functions, the last operation. */
    private static final int EXTRA_ROUNDINGS = 8;

    private Tolerance() {}

    /** {@return the distance from 1 to the next number of a floating type} */
    public static double epsilon(DType type) {
        return switch (type) {
            case F32 -> 0x1p-23;
            case F64 -> 0x1p-52;
            default -> throw new IllegalArgumentException("no tolerance for " + type);
        };
    }

    /** {@return the smallest normal number of a floating type} */
    public static double smallest(DType type) {
        return type == DType.F32 ? Float.MIN_NORMAL : Double.MIN_NORMAL;
    }

    /**
     * {@return the most E that a correct plain path can have}
     *
     * <p>A chain of n roundings errs by at most {@code n eps / 2} times the sum of its absolute terms (Higham, Accuracy
     * and Stability of Numerical Algorithms, section 3.1), and a few more for what stands around the chain.
     *
     * @param chain terms that one element adds one after the other
     */
    public static double cap(long chain) {
        return (chain + EXTRA_ROUNDINGS) / 2.0;
    }

    /**
     * {@return E: the worst error over s of a path}
     *
     * @param path what the path computed
     * @param truth what is right
     * @param terms sums of absolute terms
     * @param type type in which the path computes
     */
    public static double worstRatio(double[] path, double[] truth, double[] terms, DType type) {
        double worst = 0;
        for (int i = 0; i < path.length; i++) {
            if (path[i] == truth[i] || (Double.isNaN(path[i]) && Double.isNaN(truth[i]))) {
                continue;
            }
            double error = Math.abs(path[i] - truth[i]) - smallest(type);
            double ratio = error <= 0 ? 0 : error / (epsilon(type) * terms[i]);
            worst = Double.isNaN(ratio) ? Double.POSITIVE_INFINITY : Math.max(worst, ratio);
        }
        return worst;
    }

    /**
     * {@return the tolerance of each element}
     *
     * @param e E
     * @param terms sums of absolute terms
     * @param allowance what may differ beyond rounding, in eps; empty for nothing
     * @param type type of the subject
     */
    public static double[] of(double e, double[] terms, double[] allowance, DType type) {
        double[] tolerance = new double[terms.length];
        double scale = 2 * Math.max(FLOOR, e) * epsilon(type);
        for (int i = 0; i < tolerance.length; i++) {
            double extra = allowance.length == 0 ? 0 : allowance[i] * epsilon(type);
            tolerance[i] = scale * terms[i] + extra + smallest(type);
        }
        return tolerance;
    }

    /** Adds what a product of shorter factors may be off: {@code productError} times the sums of absolute terms. */
    static void widen(double[] tolerance, double[] terms, double productError) {
        for (int i = 0; i < tolerance.length; i++) {
            tolerance[i] += productError * terms[i];
        }
    }
}
