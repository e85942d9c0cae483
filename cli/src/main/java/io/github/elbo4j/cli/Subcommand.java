package io.github.elbo4j.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Option;

/** What every command takes, before or after its name. */
abstract class Subcommand implements Callable<Integer> {
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help and exit.")
    boolean help;

    @Option(names = "--stacktrace", description = "Show the stack trace of an error.")
    boolean stacktrace;

    @Option(names = "--verbose", description = "Say on standard error what is chosen and why.")
    boolean verbose;
}
