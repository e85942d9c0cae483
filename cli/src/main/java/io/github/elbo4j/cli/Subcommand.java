package io.github.elbo4j.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Option;

/** What every command takes, before or after its name. */
abstract class Subcommand implements Callable<Integer> {
    /** Behind the command's own options in its help. */
    static final int LAST = 100;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            order = LAST,
            description = "Show this help and exit.")
    boolean help;

    @Option(names = "--stacktrace", order = LAST, description = "Show the stack trace of an error.")
    boolean stacktrace;

    @Option(names = "--verbose", order = LAST, description = "Say on standard error what is chosen and why.")
    boolean verbose;
}
