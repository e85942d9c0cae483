package io.github.elbo4j.cli;

import java.util.Locale;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code completion}: what a shell needs to complete this command. */
@Command(
        name = "completion",
        description = {
            "Print a script that lets a shell complete commands, options, names and files.",
            "The shell evaluates it, best where it starts; the command then completes by whatever path it is called."
        },
        customSynopsis = "elbo4j completion [bash|zsh]",
        footer = {
            "eval \"$(elbo4j completion bash)\"                    now, or in ~/.bashrc",
            "elbo4j completion zsh > ~/.elbo4j-completion.zsh    then source it in ~/.zshrc"
        },
        sortOptions = false)
final class CompletionCommand extends Subcommand {
    private final Streams streams;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(
            paramLabel = "SHELL",
            arity = "0..1",
            defaultValue = "bash",
            description = "bash or zsh (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Shell shell;

    /** Shells whose scripts can be printed; zsh runs that of bash by its own bashcompinit. */
    enum Shell {
        BASH,
        ZSH;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    CompletionCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        streams.out().println("# Evaluated where the shell starts: eval \"$(elbo4j completion " + shell + ")\"");
        streams.out().print(AutoComplete.bash("elbo4j", spec.root().commandLine()));
        streams.out().flush();
        return Failures.OK;
    }
}
