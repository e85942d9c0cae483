package io.github.elbo4j.cli.report;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Where numbers stand along an axis, and which of them are named. Any numbers up to {@link #LARGEST} give one. */
final class Axis {
    /** Beyond this, differences of binary64 numbers could overflow. */
    static final double LARGEST = 1e300;

    /** Numbers that differ by a smaller part of their size are one number to a reader. */
    private static final double SAME = 1e-6;

    /** Positive numbers further apart than this are drawn by their magnitude. */
    private static final double WIDE = 1e4;

    private static final double PADDING = 0.04;

    /** A named place. */
    record Tick(double position, String label) {}

    private final double low;
    private final double high;
    private final boolean logarithmic;
    private final List<Tick> ticks;

    private Axis(double low, double high, boolean logarithmic) {
        this.low = low;
        this.high = high;
        this.logarithmic = logarithmic;
        this.ticks = new ArrayList<>();
    }

    /** {@return whether there is a place for a number on some axis} */
    static boolean contains(double value) {
        return Math.abs(value) <= LARGEST;
    }

    /** {@return an axis around the numbers from a least to a greatest, by magnitude if these are far apart} */
    static Axis around(double least, double greatest, int maxTicks) {
        if (least >= Double.MIN_NORMAL && greatest / least > WIDE) {
            return magnitudes(Math.log10(least), Math.log10(greatest), maxTicks);
        }
        return linear(least, greatest, maxTicks);
    }

    /** {@return an axis around the numbers from a least to a greatest, on which equal lengths are equal differences} */
    static Axis linear(double least, double greatest, int maxTicks) {
        double size = Math.max(Math.abs(least), Math.abs(greatest));
        double spread = greatest - least;
        double padding = spread * PADDING;
        if (spread <= Math.max(size * SAME, 1 / LARGEST)) {
            padding = size < 1 / LARGEST ? 1 : size / 20;
        }
        Axis axis = new Axis(least - padding, greatest + padding, false);
        axis.nameMultiples(maxTicks, Integer.MIN_VALUE);
        return axis;
    }

    /** {@return an axis from one whole number to another, whole numbers named} */
    static Axis ofIntegers(int first, int last, int maxTicks) {
        double padding = first == last ? 0.5 : 0;
        Axis axis = new Axis(first - padding, last + padding, false);
        axis.nameMultiples(maxTicks, 0);
        return axis;
    }

    private static Axis magnitudes(double low, double high, int maxTicks) {
        double padding = (high - low) * PADDING;
        Axis axis = new Axis(low - padding, high + padding, true);
        int first = (int) Math.ceil(axis.low);
        int last = (int) Math.floor(axis.high);
        int stride = Math.ceilDiv(last - first + 1, maxTicks);
        for (int exponent = Math.ceilDiv(first, stride) * stride; exponent <= last; exponent += stride) {
            axis.ticks.add(new Tick(axis.share(exponent), power(exponent)));
        }
        return axis;
    }

    private static String power(int exponent) {
        return Numbers.sign(
                exponent >= -3 && exponent < 6
                        ? String.format(Locale.ROOT, "%,." + Math.max(0, -exponent) + "f", Math.pow(10, exponent))
                        : "1e" + exponent);
    }

    /** Names the multiples of 1, 2 or 5 times a power of ten, the finest that does not give too many. */
    private void nameMultiples(int maxTicks, int leastExponent) {
        double finest = high / maxTicks - low / maxTicks;
        int exponent = Math.max((int) Math.floor(Math.log10(finest)), leastExponent);
        double power = Math.pow(10, exponent);
        int factor = 10;
        for (int candidate : new int[] {1, 2, 5}) {
            if (candidate * power >= finest * (1 - 1e-9)) {
                factor = candidate;
                break;
            }
        }
        BigDecimal step = BigDecimal.valueOf(factor).scaleByPowerOfTen(exponent);
        int decimals = Math.max(0, step.stripTrailingZeros().scale());
        double size = Math.max(Math.abs(low), Math.abs(high));
        double width = factor * power;
        long last = (long) Math.floor(high / width + 1e-9);
        for (long k = (long) Math.ceil(low / width - 1e-9); k <= last; k++) {
            BigDecimal value = step.multiply(BigDecimal.valueOf(k));
            ticks.add(new Tick(share(value.doubleValue()), label(value, size, decimals)));
        }
    }

    private static String label(BigDecimal value, double size, int decimals) {
        if (value.signum() == 0) {
            return "0";
        }
        if (Numbers.plain(size)) {
            return Numbers.sign(String.format(Locale.ROOT, "%,." + decimals + "f", value));
        }
        BigDecimal digits = value.stripTrailingZeros();
        int exponent = digits.precision() - digits.scale() - 1;
        return Numbers.sign(digits.scaleByPowerOfTen(-exponent).toPlainString() + 'e' + exponent);
    }

    /** {@return where a number stands, from 0 to 1 for those that the axis is around} */
    double position(double value) {
        return share(logarithmic ? Math.log10(value) : value);
    }

    private double share(double value) {
        return (value - low) / (high - low);
    }

    List<Tick> ticks() {
        return ticks;
    }

    /** {@return whether positions go by magnitude} */
    boolean logarithmic() {
        return logarithmic;
    }

    /** {@return an axis around the same middle that is at least so long} */
    Axis widenedTo(double span, int maxTicks) {
        double more = Math.max(0, (span - span()) / 2);
        Axis axis = new Axis(low - more, high + more, false);
        axis.nameMultiples(maxTicks, Integer.MIN_VALUE);
        return axis;
    }

    /** {@return the distance from end to end, in what is drawn} */
    double span() {
        return high - low;
    }

    /** {@return the room that the longest label needs} */
    double labelWidth() {
        return ticks.stream()
                .mapToDouble(tick -> Svg.textWidth(tick.label()))
                .max()
                .orElse(0);
    }
}
