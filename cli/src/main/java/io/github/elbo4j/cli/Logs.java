package io.github.elbo4j.cli;

import java.io.PrintStream;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** Sends the library's log to standard error, one line a record: warnings, and with {@code --verbose} what it chose. */
final class Logs {
    // The log manager holds loggers weakly; without this reference the settings would be lost.
    private static final Logger LOGGER = Logger.getLogger("io.github.elbo4j");

    private Logs() {}

    static void configure(PrintStream err, boolean verbose) {
        for (Handler old : LOGGER.getHandlers()) {
            LOGGER.removeHandler(old);
        }
        LOGGER.setUseParentHandlers(false);
        LOGGER.setLevel(verbose ? Level.FINE : Level.WARNING);
        LOGGER.addHandler(new ToStream(err));
    }

    private static final class ToStream extends Handler {
        private final PrintStream err;

        ToStream(PrintStream err) {
            this.err = err;
            setFormatter(new SimpleFormatter());
        }

        @Override
        public void publish(LogRecord entry) {
            Throwable thrown = entry.getThrown();
            String text = getFormatter().formatMessage(entry) + (thrown == null ? "" : ": " + thrown);
            boolean warning = entry.getLevel().intValue() >= Level.WARNING.intValue();
            err.println((warning ? "warning: " : "") + Failures.oneLine(text));
        }

        @Override
        public void flush() {
            err.flush();
        }

        @Override
        public void close() {
            flush();
        }
    }
}
