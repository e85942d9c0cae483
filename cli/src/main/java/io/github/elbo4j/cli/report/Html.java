package io.github.elbo4j.cli.report;

/** Texts of users made fit for a page: shown as they are, never interpreted. */
final class Html {
    private static final char REPLACEMENT = '\uFFFD';

    private Html() {}

    /**
     * {@return the text for an element or a quoted attribute}
     *
     * <p>What a page cannot hold (controls, lone surrogates, characters that are none) becomes U+FFFD. So do the
     * characters that turn the direction of what follows them: with one, a name could show a command that is not the one
     * that is copied. Marks without such reach stay.
     */
    static String escape(String text) {
        StringBuilder out = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> out.appendCodePoint(showable(c) ? c : REPLACEMENT);
            }
        });
        return out.toString();
    }

    /** {@return the escaped text, of at most so many characters} */
    static String escape(String text, int limit) {
        if (text.codePointCount(0, text.length()) <= limit) {
            return escape(text);
        }
        return escape(text.substring(0, text.offsetByCodePoints(0, limit - 1)) + '…');
    }

    private static boolean showable(int c) {
        boolean turnsDirection = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
        boolean control = Character.isISOControl(c) && c != '\n' && c != '\t';
        boolean noCharacter = (c & 0xFFFE) == 0xFFFE || (c >= 0xFDD0 && c <= 0xFDEF);
        boolean loneSurrogate = c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
        return !turnsDirection && !control && !noCharacter && !loneSurrogate;
    }
}
