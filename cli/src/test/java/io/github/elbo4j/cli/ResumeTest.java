package io.github.elbo4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class ResumeTest {
    private static final int KILLS = 5;
    private static final int EPOCHS = 25;

    @TempDir
    Path folder;

    private Object[] train(Path out, Object... more) {
        return Cli.with(
                new Object[] {"train", "--data", "digits:600", "--hidden", 32, "--batch", 8, "--out", out, "--json"},
                more);
    }

    private static byte[] model(Path out) throws IOException {
        return Files.readAllBytes(out.resolve("model.safetensors"));
    }

    @Test
    void moreEpochsEndLikeAnUninterruptedRun() throws IOException {
        Path whole = folder.resolve("whole");
        Path parts = folder.resolve("parts");
        Cli.run(train(whole, "--epochs", 3)).ok();
        Cli.run(train(parts, "--epochs", 1)).ok();
        Cli.Result rest =
                Cli.run("train", "--resume", parts, "--epochs", 3, "--json").ok();

        assertThat(rest.out()).hasSize(3);
        assertThat(model(parts)).isEqualTo(model(whole));
        assertThat(losses(parts)).isEqualTo(losses(whole));
    }

    @Test
    void aFinishedRunWritesItsOtherFilesAgain() throws IOException {
        Path out = folder.resolve("out");
        Cli.run(train(out, "--epochs", 1)).ok();
        byte[] model = model(out);
        for (String name : List.of("model.safetensors", "config.json", "history.csv", "samples.png")) {
            Files.delete(out.resolve(name));
        }
        // Equal options may be repeated.
        Cli.Result again = Cli.run(
                        "train",
                        "--resume",
                        out,
                        "--json",
                        "--epochs",
                        1,
                        "--hidden",
                        32,
                        "--lr",
                        "0.001",
                        "--seed",
                        1,
                        "--data",
                        "digits:600",
                        "--activation",
                        "ReLU",
                        "--threads",
                        1)
                .ok();
        assertThat(again.out()).hasSize(1);
        assertThat(again.err()).isEmpty();
        assertThat(model(out)).isEqualTo(model);
        assertThat(out.resolve("samples.png")).exists();
        assertThat(losses(out)).hasSize(1);
    }

    @Test
    void killedProcessesLoseNothingThatMatters() throws Exception {
        Path whole = folder.resolve("whole");
        Cli.run(train(whole, "--epochs", EPOCHS)).ok();

        long seed = System.nanoTime();
        Random random = new Random(seed);
        Path out = folder.resolve("killed");
        int kills = 0;
        while (kills < KILLS) {
            Process process = startOrResume(out);
            boolean ended = process.waitFor(200 + random.nextInt(900), TimeUnit.MILLISECONDS);
            process.destroyForcibly().waitFor();
            kills++;
            if (ended) {
                break;
            }
        }
        Process last = startOrResume(out);
        last.getInputStream().readAllBytes();
        assertThat(last.waitFor()).as("seed %d", seed).isZero();
        assertThat(model(out)).as("seed %d", seed).isEqualTo(model(whole));
        assertThat(losses(out)).isEqualTo(losses(whole));
        // Nothing is left of the killed ones.
        try (Stream<Path> files = Files.list(out)) {
            assertThat(files.filter(file -> String.valueOf(file.getFileName()).startsWith(".")))
                    .isEmpty();
        }
    }

    private Process startOrResume(Path out) throws IOException {
        return Files.exists(out.resolve("checkpoint.safetensors"))
                ? Cli.start(folder, "train", "--resume", out, "--json")
                : Cli.start(folder, train(out, "--epochs", EPOCHS));
    }

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "it cannot ask a process to end")
    void aTerminatedProcessStopsAtAStepAndGoesOnThere() throws Exception {
        Path whole = folder.resolve("whole");
        Path out = folder.resolve("out");
        // One long epoch of seconds, so that the signal comes in the middle of it.
        Object[] train = {
            "train", "--data", "digits:12000", "--hidden", 400, "--batch", 2, "--epochs", 1, "--json", "--out"
        };
        Process process = Cli.start(folder, Cli.with(train, out));
        while (!Files.exists(out.resolve(RunLock.NAME))) {
            assertThat(process.isAlive()).isTrue();
            Thread.sleep(10);
        }
        Thread.sleep(400);
        // Process.destroy would close its output as well.
        process.toHandle().destroy();
        List<String> lines;
        try (BufferedReader reader = process.inputReader()) {
            lines = reader.lines().toList();
        }
        assertThat(process.waitFor()).isEqualTo(143);
        assertThat(lines).hasSize(1);
        assertThat(lines.getFirst()).contains("\"event\":\"done\"").endsWith(",\"cancelled\":true}");
        assertThat(out.resolve(RunLock.NAME)).doesNotExist();
        assertThat(out.resolve("samples.png")).exists();

        Cli.run("train", "--resume", out, "--json").ok();
        Cli.run(Cli.with(train, whole)).ok();
        assertThat(model(out)).isEqualTo(model(whole));
        assertThat(losses(out)).isEqualTo(losses(whole));
    }

    @Test
    void aFolderIsForOneProcessAndAKilledOneDoesNotKeepIt() throws Exception {
        Path out = folder.resolve("out");
        Process process = Cli.start(folder, train(out, "--epochs", 100_000));
        try (BufferedReader reader = process.inputReader()) {
            assertThat(reader.readLine()).contains("\"epoch\":1,");
            Cli.Result second = Cli.run("train", "--resume", out);
            assertThat(second.status()).as("%s", second).isEqualTo(2);
            assertThat(second.err()).hasSize(1);
            assertThat(second.err().getFirst()).contains("another process", out.toString());
            assertThat(Cli.run(train(out, "--overwrite")).status()).isEqualTo(2);
        } finally {
            process.destroyForcibly().waitFor();
        }
        assertThat(out.resolve(RunLock.NAME)).exists();
        // The lock of the operating system went with its process.
        try (RunLock lock = RunLock.take(out)) {
            assertThat(lock).isNotNull();
        }
        assertThat(out.resolve(RunLock.NAME)).doesNotExist();
    }

    @Test
    void anotherNumericProfileIsWarnedOf() throws IOException {
        Path out = folder.resolve("out");
        Cli.run(train(out, "--epochs", 1, "--backend", "java")).ok();
        Path file = out.resolve("checkpoint.safetensors");
        byte[] bytes = Files.readAllBytes(file);
        String text = new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1);
        Files.write(
                file, text.replace("java-fp32", "soft-fp32").getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));

        Cli.Result result = Cli.run("train", "--resume", out, "--epochs", 2, "--backend", "java", "--json")
                .ok();
        assertThat(result.err()).hasSize(1);
        assertThat(result.err().getFirst()).contains("warning", "soft-fp32", "java-fp32");
        assertThat(result.out()).hasSize(2);
    }

    @Test
    void escapesOfAHostileFileReachNoTerminal() throws IOException {
        Path out = folder.resolve("out");
        Cli.run(train(out, "--epochs", 1, "--backend", "java")).ok();
        Path file = out.resolve("checkpoint.safetensors");
        String text = new String(Files.readAllBytes(file), java.nio.charset.StandardCharsets.ISO_8859_1);
        // As long as what it replaces.
        String hostile = text.replace("java-fp32", "\\u001b\\nx");
        Files.write(file, hostile.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));

        Cli.Result result =
                Cli.run("train", "--resume", out, "--backend", "java", "--json").ok();
        assertThat(result.err()).hasSize(1);
        assertThat(result.err().getFirst()).startsWith("warning").doesNotContain("\u001b");
    }

    /** {@return epochs and losses, without the times, which differ} */
    private static List<String> losses(Path out) throws IOException {
        return Files.readAllLines(out.resolve("history.csv")).stream()
                .skip(1)
                .map(line -> line.replaceAll(",[^,]*,[^,]*$", ""))
                .toList();
    }
}
