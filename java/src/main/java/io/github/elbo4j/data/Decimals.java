package io.github.elbo4j.data;

/** Decimal numbers of text files: the syntax of {@link Float#parseFloat} without suffixes, hexadecimals, NaN and Infinity. */
final class Decimals {
    // Powers of ten that binary32 holds exactly.
    private static final float[] POWERS = {1f, 1e1f, 1e2f, 1e3f, 1e4f, 1e5f, 1e6f, 1e7f, 1e8f, 1e9f, 1e10f};
    private static final int EXACT_DIGITS = 7;

    private Decimals() {}

    /**
     * {@return the nearest float to a number; NaN if the characters are none, infinite if it is too large}
     *
     * @param text holds the number, with nothing around it
     * @param from its first character
     * @param to the end of it
     */
    static float parse(char[] text, int from, int to) {
        int at = from;
        boolean negative = at < to && text[at] == '-';
        if (at < to && (text[at] == '-' || text[at] == '+')) {
            at++;
        }
        int mantissa = 0;
        int digits = 0;
        int fraction = 0;
        boolean point = false;
        for (; at < to && (isDigit(text[at]) || (text[at] == '.' && !point)); at++) {
            if (text[at] == '.') {
                point = true;
                continue;
            }
            digits++;
            fraction += point ? 1 : 0;
            mantissa = digits <= EXACT_DIGITS ? 10 * mantissa + (text[at] - '0') : 0;
        }
        if (digits == 0 || (at < to && !isExponent(text, at, to))) {
            return Float.NaN;
        }
        if (at == to && digits <= EXACT_DIGITS) {
            // Both are exact, so the quotient is rounded once, as it must be.
            float value = mantissa / POWERS[fraction];
            return negative ? -value : value;
        }
        return Float.parseFloat(new String(text, from, to - from));
    }

    private static boolean isExponent(char[] text, int from, int to) {
        int at = from;
        if (text[at] != 'e' && text[at] != 'E') {
            return false;
        }
        at++;
        if (at < to && (text[at] == '-' || text[at] == '+')) {
            at++;
        }
        int first = at;
        while (at < to && isDigit(text[at])) {
            at++;
        }
        return at == to && at > first;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }
}
