package io.github.elbo4j.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandsTest {
    @TempDir
    static Path folder;

    private static Path run;

    @BeforeAll
    static void train() {
        run = folder.resolve("run");
        Cli.run(Cli.tiny("--epochs", 2, "--out", run, "--seed", 5)).ok();
    }

    @Test
    void evaluationGivesTheTestLossOfTheLastEpochAgain() throws IOException {
        JsonObject event = Cli.run("evaluate", run, "--json").ok().lastEvent();
        assertThat(event.keys()).containsExactly("event", "z", "reconstruction", "kl", "loss", "n");
        assertThat(event.string("event")).isEqualTo("evaluation");
        assertThat(event.string("z")).isEqualTo("sampled");
        String[] last = Files.readAllLines(run.resolve("history.csv")).getLast().split(",", -1);
        assertThat(Double.toString(event.number("reconstruction"))).isEqualTo(last[4]);
        assertThat(Double.toString(event.number("kl"))).isEqualTo(last[5]);
        assertThat(Double.toString(event.number("loss"))).isEqualTo(last[6]);
    }

    @Test
    void evaluationTakesAFileOtherDataAnotherPartAndTheMean() throws FormatException {
        Path weights = run.resolve("model.safetensors");
        JsonObject mean = Cli.run("evaluate", weights, "--z", "mean", "--part", "train", "--json", "--batch", 7)
                .ok()
                .lastEvent();
        assertThat(mean.string("z")).isEqualTo("mean");
        assertThat(mean.integer("n", 40, 40)).isEqualTo(40);
        JsonObject other = Cli.run("evaluate", run, "--data", "digits:100", "--part", "train", "--json")
                .ok()
                .lastEvent();
        assertThat(other.integer("n", 100, 100)).isEqualTo(100);
    }

    @Test
    void evaluationSaysInWordsWhichZItIs() {
        assertThat(Cli.run("evaluate", run).ok().out().getFirst()).contains("nats", "z sampled", "digits:40");
        assertThat(Cli.run("evaluate", run, "--z", "mean").ok().out().getFirst())
                .contains("z = mu", "no bound");
    }

    @Test
    void validationOfTheJavaBackendPasses() throws FormatException {
        Cli.Result result = Cli.run("validate", "--json", "--backend", "java").ok();
        assertThat(result.out()).hasSize(1);
        JsonObject event = result.lastEvent();
        assertThat(event.string("event")).isEqualTo("validation");
        assertThat(event.flag("passed")).isTrue();
        assertThat(event.list("kernels")).hasSizeGreaterThan(10);
    }

    @Test
    void doctorNamesEveryBackendAndWhatItWouldTake() throws FormatException {
        JsonObject event = Cli.run("doctor", "--json").ok().lastEvent();
        assertThat(event.string("event")).isEqualTo("doctor");
        assertThat(event.list("backends")).isNotEmpty();
        assertThat(event.string("best")).isNotEmpty();
        assertThat(event.string("java")).contains(Runtime.version().toString());
        List<String> lines = Cli.run("doctor").ok().out();
        assertThat(lines).anyMatch(line -> line.matches("backend +java: available"));
        assertThat(lines.getLast()).startsWith("best").contains("self-test passed");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "train",
                "evaluate",
                "score",
                "sample",
                "reconstruct",
                "encode",
                "interpolate",
                "traverse",
                "validate",
                "doctor",
                "completion"
            })
    void everyCommandExplainsItself(String command) {
        Object[] args = command.isEmpty() ? new Object[] {"--help"} : new Object[] {command, "--help"};
        Cli.Result result = Cli.run(args).ok();
        assertThat(result.err()).isEmpty();
        String name = ("elbo4j " + command).strip();
        assertThat(result.out()).startsWith("NAME").containsSubsequence("SYNOPSIS", "DESCRIPTION", "OPTIONS");
        assertThat(result.out()).containsSubsequence("OPTIONS", "EXIT STATUS", "EXAMPLES");
        assertThat(result.out().get(1)).startsWith("  " + name + " - ");
        assertThat(result.out().get(result.out().indexOf("SYNOPSIS") + 1)).startsWith("  " + name);
        assertThat(result.out().get(result.out().indexOf("DESCRIPTION") + 1)).isNotBlank();
        assertThat(result.out().getLast()).contains(name);
        assertThat(result.out()).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(80));
        assertThat(String.join("\n", result.out())).contains("--stacktrace").doesNotContain("\u001b");
    }

    @Test
    void theHelpOfAllNamesEveryCommand() {
        String help = String.join("\n", Cli.run("--help").ok().out());
        assertThat(help)
                .contains("COMMANDS", "  train ", "  evaluate ", "  score ", "  sample ", "  reconstruct ", "  encode ")
                .contains("  interpolate ", "  traverse ", "  validate ", "  doctor ", "  completion ");
    }

    @Test
    void theVersionNamesLibraryAndJava() {
        assertThat(Cli.run("--version").ok().out().getFirst())
                .startsWith("elbo4j ")
                .contains("Java 2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"evaluate", "doctor --json", "--help", "--version"})
    void anOutputThatCannotBeWrittenIsNoSuccess(String command) {
        List<String> args = new java.util.ArrayList<>(List.of(command.split(" ")));
        if (command.equals("evaluate")) {
            args.addAll(List.of(run.toString(), "--json"));
        }
        OutputStream full = new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("No space left on device");
            }
        };
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Main.run(args.toArray(String[]::new), new PrintStream(full), new PrintStream(err, true, UTF_8));
        assertThat(status).isEqualTo(1);
        assertThat(err.toString(UTF_8).lines()).hasSize(1);
        assertThat(err.toString(UTF_8)).startsWith("elbo4j: standard output").contains(";");
    }

    @Test
    void verboseSaysWhichBackendWasTaken() {
        Cli.Result quiet = Cli.run("evaluate", run).ok();
        assertThat(quiet.err()).isEmpty();
        Cli.Result verbose = Cli.run("evaluate", run, "--verbose").ok();
        assertThat(verbose.err()).hasSize(1);
        assertThat(verbose.err().getFirst()).startsWith("backend ");
    }

    @Test
    @EnabledOnOs(value = OS.LINUX, disabledReason = "the limit of a file's size stands for a full disk")
    void aFullDiskLosesNothing() throws Exception {
        Path out = folder.resolve("full");
        Cli.run("train", "--data", "digits:40", "--epochs", 1, "--backend", "java", "--out", out)
                .ok();
        var before = Cli.tree(out);
        // Nor could a native library be unpacked. At most 100 KiB a file: the checkpoint of 8 MB does not fit.
        List<String> command =
                new java.util.ArrayList<>(List.of("bash", "-c", "ulimit -f 100; exec \"$@\"", "limited"));
        command.addAll(Cli.command("train", "--resume", out, "--epochs", 2, "--backend", "java", "--json"));
        Process process = new ProcessBuilder(command).directory(folder.toFile()).start();
        String printed = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        List<String> errors = process.errorReader().lines().toList();
        assertThat(process.waitFor()).isEqualTo(1);
        assertThat(printed).isEmpty();
        assertThat(errors).hasSize(1);
        assertThat(errors.getFirst()).contains("checkpoint.safetensors", "cannot be written", "free space");
        assertThat(Cli.tree(out)).isEqualTo(before);
    }
}
