package io.github.elbo4j.cli;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The command {@code elbo4j}.
 *
 * <p>Exit status: 0 for success; 2 for wrong usage or bad input; 1 for anything else. An error is one line on standard
 * error, with {@code --stacktrace} followed by the stack trace.
 */
@Command(
        name = "elbo4j",
        description = {
            "Variational autoencoders on the JVM.",
            "Trains models and uses them. `elbo4j COMMAND --help` explains a command; `elbo4j train` needs nothing else to"
                    + " start with."
        },
        synopsisSubcommandLabel = "COMMAND",
        versionProvider = Version.class,
        footer = {"elbo4j train", "elbo4j sample runs/0001-digits --out samples.png"})
public final class Main extends Subcommand {
    private static final String STACKTRACE = "--stacktrace";

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            description = "Show the version and exit.")
    boolean version;

    private Main() {}

    /** Runs a command and exits with its status. */
    public static void main(String[] args) {
        // Pictures are drawn without a display.
        System.setProperty("java.awt.headless", "true");
        System.exit(run(args, System.out, System.err));
    }

    /**
     * {@return the exit status of a command}
     *
     * @param args command and options
     * @param out receives results
     * @param err receives errors and warnings
     */
    public static int run(String[] args, PrintStream out, PrintStream err) {
        Streams streams = new Streams(out, err);
        Main main = new Main();
        CommandLine root = new CommandLine(main)
                // The shells' script takes the last of these words in a line for its command: what stands behind is not
                // mistaken for a word before it, such as `train` in `--part train`.
                .addSubcommand("train", new TrainCommand(streams))
                .addSubcommand("report", new ReportCommand(streams))
                .addSubcommand("evaluate", new EvaluateCommand(streams))
                .addSubcommand("score", new ScoreCommand(streams))
                .addSubcommand("sample", new SampleCommand(streams))
                .addSubcommand("reconstruct", new ReconstructCommand(streams))
                .addSubcommand("encode", new EncodeCommand(streams))
                .addSubcommand("interpolate", new InterpolateCommand(streams))
                .addSubcommand("traverse", new TraverseCommand(streams))
                .addSubcommand("validate", new ValidateCommand(streams))
                .addSubcommand("doctor", new DoctorCommand(streams))
                .addSubcommand("completion", new CompletionCommand(streams))
                .setOut(new PrintWriter(out, true, out.charset()))
                .setErr(new PrintWriter(err, true, err.charset()))
                .setCaseInsensitiveEnumValuesAllowed(true)
                // A name that begins with @ is a name.
                .setExpandAtFiles(false)
                .setParameterExceptionHandler((e, ignored) -> misuse(e, args, err))
                .setExecutionStrategy(parsed -> execute(main, parsed, err));
        Manual.apply(root);
        int status = root.execute(args);
        // A stream notes only that a write failed; a script must not take a cut result for a whole one.
        if (out.checkError() && status == Failures.OK) {
            err.println("elbo4j: standard output could not be written to its end; check its disk or who reads it");
            return Failures.FAILED;
        }
        return status;
    }

    @Override
    public Integer call() {
        throw new ParameterException(
                spec.commandLine(),
                "no command; give one of "
                        + String.join(", ", spec.subcommands().keySet()));
    }

    /** Runs the command; not picocli's own handler, because errors of the JVM are reported like all others. */
    private static int execute(Main main, ParseResult parsed, PrintStream err) {
        Integer helped = CommandLine.executeHelpRequest(parsed);
        if (helped != null) {
            return helped;
        }
        ParseResult last = parsed.hasSubcommand() ? parsed.subcommand() : parsed;
        Subcommand command = last.commandSpec().userObject() instanceof Subcommand one ? one : main;
        Logs.configure(err, main.verbose || command.verbose);
        try {
            return command.call();
        } catch (ParameterException e) {
            throw e;
        } catch (Exception | OutOfMemoryError | StackOverflowError | LinkageError | AssertionError e) {
            err.println(Failures.line(e, last.commandSpec().qualifiedName()));
            if (main.stacktrace || command.stacktrace) {
                e.printStackTrace(err);
            }
            return Failures.status(e);
        }
    }

    private static int misuse(ParameterException e, String[] args, PrintStream err) {
        String message = Failures.oneLine(String.valueOf(e.getMessage()));
        if (e instanceof UnmatchedArgumentException unmatched) {
            if (!unmatched.isUnknownOption() && e.getCommandLine().getParent() == null) {
                message = "unknown command '" + unmatched.getUnmatched().getFirst() + "'";
            }
            List<String> similar = unmatched.getSuggestions();
            if (!similar.isEmpty()) {
                message += "; did you mean " + String.join(" or ", similar) + "?";
            }
        }
        err.println("elbo4j: " + message + "; see `"
                + e.getCommandLine().getCommandSpec().qualifiedName() + " --help`");
        if (Arrays.asList(args).contains(STACKTRACE)) {
            e.printStackTrace(err);
        }
        return Failures.INPUT;
    }
}
