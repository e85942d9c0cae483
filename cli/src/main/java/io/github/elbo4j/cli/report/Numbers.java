package io.github.elbo4j.cli.report;

import java.util.Locale;

/** Numbers as people read them; the same in every locale. */
final class Numbers {
    /** From here on, and below the other, numbers are written with an exponent. */
    private static final double LARGE = 1e6;

    private static final double SMALL = 1e-3;

    private Numbers() {}

    /** {@return a loss: two decimals, fewer of a large one, four of a small one, three digits of an extreme one} */
    static String loss(double value) {
        double size = Math.abs(value);
        if (size == 0) {
            return "0";
        }
        if (!plain(size)) {
            return sign(scientific(String.format(Locale.ROOT, "%.2e", value)));
        }
        int decimals = size < 1 ? 4 : size < 1e4 ? 2 : size < 1e5 ? 1 : 0;
        return sign(String.format(Locale.ROOT, "%,." + decimals + "f", value));
    }

    static String count(long value) {
        return sign(String.format(Locale.ROOT, "%,d", value));
    }

    /** {@return whether a number of a size above zero needs no exponent} */
    static boolean plain(double size) {
        return size >= SMALL && size < LARGE;
    }

    /** {@return {@code 1.50e+03} as {@code 1.5e3}} */
    static String scientific(String text) {
        int e = text.indexOf('e');
        String mantissa = text.substring(0, e);
        if (mantissa.indexOf('.') >= 0) {
            mantissa = mantissa.replaceFirst("\\.?0+$", "");
        }
        return mantissa + 'e' + Integer.parseInt(text.substring(e + 1));
    }

    /** {@return the text with a minus sign as wide as a digit} */
    static String sign(String text) {
        return text.replace('-', '\u2212');
    }
}
