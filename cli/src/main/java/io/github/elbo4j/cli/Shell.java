package io.github.elbo4j.cli;

/** Words that are pasted into a shell. */
final class Shell {
    private Shell() {}

    /** {@return a word as a shell reads it} */
    static String quoted(Object value) {
        String word = String.valueOf(value);
        return word.matches("[A-Za-z0-9_@%+=:,./-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
    }
}
