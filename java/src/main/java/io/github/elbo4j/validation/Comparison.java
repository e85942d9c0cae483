package io.github.elbo4j.validation;

import java.util.Locale;

/**
 * The one comparer of the project: every element, aware of NaN and infinities.
 *
 * <p>An element matches if both numbers are NaN, if both are the same infinity, or if {@code error <= tolerance}; a NaN
 * on one side only fails, because no comparison with it is true.
 *
 * @param what what was compared
 * @param elements number of elements
 * @param failed number of elements that do not match
 * @param worstIndex element of the largest share; -1 without elements
 * @param worstError its distance from the expected number
 * @param worstShare its error in parts of its tolerance; infinite where no finite share exists
 * @param actual what was found there
 * @param expected what was expected there
 */
public record Comparison(
        String what,
        long elements,
        long failed,
        long worstIndex,
        double worstError,
        double worstShare,
        double actual,
        double expected) {

    /** {@return whether every element matches} */
    public boolean passed() {
        return failed == 0;
    }

    /**
     * {@return a comparison within a tolerance of each element}
     *
     * @param what what is compared, for messages
     * @param actual what was found
     * @param expected what should be
     * @param tolerance most distance allowed, one an element
     */
    public static Comparison within(String what, double[] actual, double[] expected, double[] tolerance) {
        requireLengths(what, actual.length, expected.length);
        requireLengths(what + ", tolerance", tolerance.length, expected.length);
        Scan scan = new Scan(what, actual.length);
        for (int i = 0; i < actual.length; i++) {
            double a = actual[i];
            double e = expected[i];
            if (a == e || (Double.isNaN(a) && Double.isNaN(e))) {
                scan.take(i, 0, 0, true, a, e);
                continue;
            }
            double error = Math.abs(a - e);
            boolean matches = error <= tolerance[i] && Double.isFinite(error);
            double share = error / tolerance[i];
            scan.take(i, error, Double.isNaN(share) ? Double.POSITIVE_INFINITY : share, matches, a, e);
        }
        return scan.result();
    }

    /** {@return a comparison bit by bit} */
    public static Comparison exact(String what, double[] actual, double[] expected) {
        requireLengths(what, actual.length, expected.length);
        Scan scan = new Scan(what, actual.length);
        for (int i = 0; i < actual.length; i++) {
            boolean same = Double.doubleToRawLongBits(actual[i]) == Double.doubleToRawLongBits(expected[i]);
            scan.takeExact(i, same, actual[i], expected[i]);
        }
        return scan.result();
    }

    /** {@return a comparison bit by bit} */
    public static Comparison exact(String what, float[] actual, float[] expected) {
        requireLengths(what, actual.length, expected.length);
        Scan scan = new Scan(what, actual.length);
        for (int i = 0; i < actual.length; i++) {
            boolean same = Float.floatToRawIntBits(actual[i]) == Float.floatToRawIntBits(expected[i]);
            scan.takeExact(i, same, actual[i], expected[i]);
        }
        return scan.result();
    }

    /** {@return a comparison of integers} */
    public static Comparison exact(String what, long[] actual, long[] expected) {
        requireLengths(what, actual.length, expected.length);
        Scan scan = new Scan(what, actual.length);
        for (int i = 0; i < actual.length; i++) {
            scan.takeExact(i, actual[i] == expected[i], (double) actual[i], (double) expected[i]);
        }
        return scan.result();
    }

    /** {@return the result in one line} */
    public String describe() {
        if (elements == 0) {
            return what + ": nothing to compare";
        }
        return String.format(
                Locale.ROOT,
                "%s: %d of %d elements differ; worst at %d: %s, expected %s, error %.3g, %.1f%% of the tolerance",
                what,
                failed,
                elements,
                worstIndex,
                actual,
                expected,
                worstError,
                100 * worstShare);
    }

    private static void requireLengths(String what, int actual, int expected) {
        if (actual != expected) {
            throw new IllegalArgumentException(what + ": " + actual + " elements, expected " + expected);
        }
    }

    /** Keeps the worst element. */
    private static final class Scan {
        private final String what;
        private final long elements;
        private long failed;
        private long index = -1;
        private double error;
        private double share = -1;
        private double actual;
        private double expected;

        Scan(String what, long elements) {
            this.what = what;
            this.elements = elements;
        }

        void takeExact(int i, boolean same, double a, double e) {
            take(i, same ? 0 : Math.abs(a - e), same ? 0 : Double.POSITIVE_INFINITY, same, a, e);
        }

        void take(int i, double newError, double newShare, boolean matches, double a, double e) {
            if (!matches) {
                failed++;
            }
            if (newShare > share) {
                index = i;
                error = newError;
                share = newShare;
                actual = a;
                expected = e;
            }
        }

        Comparison result() {
            return new Comparison(what, elements, failed, index, error, Math.max(0, share), actual, expected);
        }
    }
}
