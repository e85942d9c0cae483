package io.github.elbo4j.cli;

import java.io.Console;

/** Whether people look at standard output. */
final class Terminals {
    /** System property that the launcher sets to the columns of the terminal; 0 where there is none. */
    static final String COLUMNS = "elbo4j.columns";

    private static final int DEFAULT_COLUMNS = 80;
    private static final int MIN_COLUMNS = 40;

    private Terminals() {}

    /** {@return columns to draw in, 0 if standard output is no terminal} */
    @SuppressWarnings("SystemConsoleNull") // null by contract, whatever one JDK does
    static int columns() {
        Integer known = Integer.getInteger(COLUMNS);
        if (known != null) {
            return known < MIN_COLUMNS ? 0 : known;
        }
        Console console = System.console();
        return console != null && console.isTerminal() ? DEFAULT_COLUMNS : 0;
    }
}
