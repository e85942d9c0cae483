package io.github.elbo4j.files;

/** Text from files, made fit for messages and checked for characters that UTF-8 cannot hold. */
final class Texts {
    private static final int SHOWN = 120;

    private Texts() {}

    /** {@return the text in quotes, cut to a readable length and without control characters} */
    static String quote(String text) {
        return '"' + printable(text) + '"';
    }

    /** {@return the text cut to a readable length and without control characters or lone surrogates} */
    static String printable(String text) {
        int shown = Math.min(text.length(), SHOWN);
        StringBuilder out = new StringBuilder(shown + 3);
        for (int i = 0; i < shown; i++) {
            char c = text.charAt(i);
            // Terminal escapes and line breaks from a hostile file must not reach a log.
            if (Character.isISOControl(c) || Character.isSurrogate(c) || Character.getType(c) == Character.FORMAT) {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return shown < text.length() ? out.append("...").toString() : out.toString();
    }

    /** {@return whether every surrogate of the text is half of a pair, so that UTF-8 can hold it} */
    static boolean wellFormed(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(c)) {
                return false;
            }
        }
        return true;
    }
}
