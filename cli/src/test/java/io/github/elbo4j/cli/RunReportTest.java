package io.github.elbo4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.LatentKernels.Clamp;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.cli.report.Chromium;
import io.github.elbo4j.cli.report.Page;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.training.Optimizer;
import io.github.elbo4j.training.TrainingConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The page that a run leaves, and the command that makes it again. */
class RunReportTest {
    /** For people to look at. */
    private static final Path SCREENSHOTS = Path.of("target", "run-report-screenshots");

    @TempDir
    Path folder;

    private static String page(Path run) throws IOException {
        return Files.readString(run.resolve(RunPage.PAGE));
    }

    private static Path trained(Path run, Object... more) {
        Cli.run(Cli.with(Cli.tiny("--epochs", 3, "--backend", "java", "--out", run), more))
                .ok();
        return run;
    }

    @Test
    void theReportOfRealDigitsHasNoFaultsInABrowser() throws Exception {
        Path mnist = Required.data("mnist");
        Path run = folder.resolve("mnist");
        Cli.run(
                        "train",
                        "--data",
                        "mnist:" + mnist,
                        "--hidden",
                        64,
                        "--latent",
                        8,
                        "--epochs",
                        2,
                        "--batch",
                        500,
                        "--backend",
                        "java",
                        "--out",
                        run)
                .ok();
        Path page = run.resolve(RunPage.PAGE);
        assertThat(Files.size(page)).isLessThan(3_000_000);
        try (Chromium chromium = Chromium.start()) {
            for (int width : new int[] {360, 1280}) {
                for (String scheme : List.of("light", "dark")) {
                    chromium.window(width, 900);
                    chromium.prefer("", Map.of("prefers-color-scheme", scheme));
                    assertThat(Page.faults(chromium, page))
                            .as("%s, %s", width, scheme)
                            .isEmpty();
                    assertThat(chromium.requests()).containsExactly(page.toUri().toString());
                    assertThat(chromium.evaluate("document.images.length")).isEqualTo(6.0);
                    chromium.screenshot(SCREENSHOTS.resolve(width + "-" + scheme + ".png"));
                }
            }
        }
    }

    @Test
    void itSaysHowTheRunWasMadeAndWhatReproducesIt() throws IOException {
        Path run = trained(folder.resolve("run"), "--beta", 0.5, "--seed", 7, "--binarize");
        assertThat(page(run))
                .contains(
                        "digits:40",
                        "784-8-2-8-784 relu",
                        "java-fp32",
                        "JVM on",
                        "Reconstructions, epoch by epoch",
                        "./elbo4j train --data digits:40 --hidden 8 --latent 2 --activation relu --init pytorch --beta 0.5"
                                + " --epochs 3 --batch 10 --optimizer adam --lr 0.001 --seed 7 --binarize"
                                + " --backend java --precision fp32");
        // The command on the page, typed again, gives the same weights.
        Path again = folder.resolve("again");
        Cli.run(
                        "train",
                        "--data",
                        "digits:40",
                        "--hidden",
                        8,
                        "--latent",
                        2,
                        "--activation",
                        "relu",
                        "--init",
                        "pytorch",
                        "--beta",
                        0.5,
                        "--epochs",
                        3,
                        "--batch",
                        10,
                        "--optimizer",
                        "adam",
                        "--lr",
                        0.001,
                        "--seed",
                        7,
                        "--binarize",
                        "--backend",
                        "java",
                        "--precision",
                        "fp32",
                        "--out",
                        again)
                .ok();
        assertThat(again.resolve("model.safetensors")).hasSameBinaryContentAs(run.resolve("model.safetensors"));
    }

    @Test
    void reportMakesTheSamePageAgain() throws IOException {
        Path run = trained(folder.resolve("run"));
        Map<String, String> before = Cli.tree(run);
        for (String file : List.of(RunPage.PAGE, "reconstructions.gif", "samples.gif")) {
            Files.delete(run.resolve(file));
        }
        Cli.Result text = Cli.run("report", run, "--backend", "java").ok();
        assertThat(text.out()).containsExactly(run.resolve(RunPage.PAGE).toString());
        assertThat(Cli.tree(run)).isEqualTo(before);
        Cli.Result json = Cli.run("report", run, "--backend", "java", "--json").ok();
        assertThat(json.events()).hasSize(1);
        assertThat(json.out().getFirst()).contains("\"event\":\"report\"", RunPage.PAGE);
        assertThat(Cli.tree(run)).isEqualTo(before);
    }

    @Test
    void aResumedRunGoesOnWithItsFrames() throws IOException {
        Path run = trained(folder.resolve("run"));
        Cli.run("train", "--resume", run, "--epochs", 5, "--backend", "java").ok();
        Path whole = folder.resolve("whole");
        Cli.run(Cli.tiny("--epochs", 5, "--backend", "java", "--out", whole)).ok();
        assertThat(run.resolve("samples.gif")).hasSameBinaryContentAs(whole.resolve("samples.gif"));
        assertThat(run.resolve("reconstructions.gif")).hasSameBinaryContentAs(whole.resolve("reconstructions.gif"));
    }

    @Test
    void damagedFramesAndFactsCostThemselvesOnly() throws IOException {
        Path run = trained(folder.resolve("run"));
        Files.writeString(run.resolve("frames/samples-0000001.png"), "no picture");
        Files.write(run.resolve("frames/samples-0000002.png"), new byte[0]);
        Files.delete(run.resolve("frames/reconstructions-0000003.png"));
        Files.writeString(run.resolve(RunPage.FACTS), "{");
        Cli.run("report", run, "--backend", "java").ok();
        assertThat(page(run)).contains("Samples, epoch by epoch", "run.json is damaged");
        Files.delete(run.resolve(RunPage.FACTS));
        for (String kind : List.of("samples", "reconstructions")) {
            for (int epoch = 0; epoch <= 3; epoch++) {
                Files.deleteIfExists(run.resolve("frames/" + kind + "-000000" + epoch + ".png"));
            }
        }
        Cli.run("report", run, "--backend", "java").ok();
        assertThat(page(run)).doesNotContain("epoch by epoch").contains("not noted");
    }

    @Test
    void anOverwrittenRunKeepsNoFramesOfTheOldOne() throws IOException {
        Path run = trained(folder.resolve("run"));
        Cli.run(Cli.tiny("--epochs", 1, "--backend", "java", "--out", run, "--overwrite"))
                .ok();
        assertThat(run.resolve("frames").toFile().list())
                .containsExactlyInAnyOrder(
                        "reconstructions-0000000.png",
                        "reconstructions-0000001.png",
                        "samples-0000000.png",
                        "samples-0000001.png");
    }

    @ParameterizedTest
    @ValueSource(strings = {"run.json", "samples.gif", "reconstructions.gif", "report.html", "frames/mine.png"})
    void aFileThatWasThereBeforeIsNotLost(String file) throws IOException {
        Path run = folder.resolve("run");
        Files.createDirectories(run.resolve(file).getParent());
        Files.writeString(run.resolve(file), "mine");
        Cli.Result result = Cli.run(Cli.tiny("--epochs", 1, "--backend", "java", "--out", run));
        assertThat(result.status()).isEqualTo(2);
        assertThat(result.err()).hasSize(1);
        assertThat(result.err().getFirst()).contains("already holds", "--overwrite");
        assertThat(run.resolve(file)).hasContent("mine");
    }

    @Test
    void aLinkInPlaceOfTheFramesIsNotFollowed() throws IOException {
        Path run = trained(folder.resolve("run"));
        Path other = Files.createDirectory(folder.resolve("other"));
        Files.writeString(other.resolve("samples-0000009.png"), "mine");
        EpochFrames.clear(run);
        Files.delete(run.resolve("frames"));
        Files.createSymbolicLink(run.resolve("frames"), other);
        Cli.Result result = Cli.run(Cli.tiny("--epochs", 1, "--backend", "java", "--out", run, "--overwrite"))
                .ok();
        assertThat(String.join("\n", result.err())).contains("frames", "is a link");
        assertThat(other.toFile().list()).containsExactly("samples-0000009.png");
    }

    @Test
    void dataThatIsNotWhereTheRunFoundItIsAskedFor() throws IOException {
        Path table = folder.resolve("table.csv");
        Files.writeString(table, "0,1\n1,0\n0,0\n");
        Path run = folder.resolve("run");
        Cli.run(
                        "train",
                        "--data",
                        "csv:" + table,
                        "--hidden",
                        4,
                        "--latent",
                        2,
                        "--batch",
                        2,
                        "--epochs",
                        1,
                        "--backend",
                        "java",
                        "--out",
                        run)
                .ok();
        Path moved = Files.move(table, folder.resolve("moved.csv"));
        for (String command : List.of("report", "evaluate", "score")) {
            refused("say where it lies now with --data", command, run);
        }
        refused("say where it lies now with --data", "train", "--resume", run, "--epochs", 2);
        Cli.run("report", run, "--data", "csv:" + moved).ok();
    }

    @Test
    void anOverwrittenRunLeavesNoPicturesBesideTheNewModel() throws IOException {
        Path run = trained(folder.resolve("run"));
        Path table = folder.resolve("table.csv");
        Files.writeString(table, "0,1,".repeat(300) + "0\n" + "1,0,".repeat(300) + "1\n" + "0,0,".repeat(300) + "1\n");
        Cli.run(
                        "train",
                        "--data",
                        "csv:" + table,
                        "--hidden",
                        4,
                        "--latent",
                        2,
                        "--batch",
                        2,
                        "--epochs",
                        1,
                        "--backend",
                        "java",
                        "--out",
                        run,
                        "--overwrite")
                .ok();
        assertThat(Cli.tree(run).keySet())
                .containsExactlyInAnyOrder(
                        "",
                        "checkpoint.safetensors",
                        "config.json",
                        "frames",
                        "history.csv",
                        "model.safetensors",
                        "report.html",
                        "run.json");
    }

    @Test
    void whatNoOptionSaysIsSaidBesideTheCommand() {
        TrainingConfig config = TrainingConfig.builder().build();
        VaeConfig model = VaeConfig.builder().build();
        assertThat(ReproducingCommand.of("digits:40", model, config, "java-fp32"))
                .doesNotContain("#");
        TrainingConfig unusual = new TrainingConfig(
                1, 2, new Optimizer.Adam(1e-3, 0.5, 0.9, 1e-4), 3, false, config.pixels(), Reduction.SUM);
        VaeConfig clamped =
                VaeConfig.builder().logVarClamp(new Clamp(-5, 5)).decoder(7, 8).build();
        assertThat(ReproducingCommand.of("npy:a b'c.npy", clamped, unusual, "cuda-tf32-sm90"))
                .contains("--data 'npy:a b'\\''c.npy'", "--decoder 7,8", "--backend cuda --precision tf32\n# ")
                .contains("-5.0 to 5.0", "beta1 0.5", "rows in order", "summed");
    }

    @Test
    void rowsThatAreNoImagesHaveAReportWithoutPictures() throws IOException {
        Path table = folder.resolve("table.csv");
        StringBuilder rows = new StringBuilder("a,b,kind\n");
        for (int i = 0; i < 40; i++) {
            rows.append(i / 40.0)
                    .append(',')
                    .append(1 - i / 40.0)
                    .append(',')
                    .append(i % 2 == 0 ? "even" : "odd")
                    .append('\n');
        }
        Files.writeString(table, rows);
        Path run = folder.resolve("run");
        Cli.run(
                        "train",
                        "--data",
                        "csv:" + table + "#a,b,label=kind",
                        "--hidden",
                        8,
                        "--latent",
                        2,
                        "--batch",
                        10,
                        "--epochs",
                        2,
                        "--backend",
                        "java",
                        "--out",
                        run)
                .ok();
        assertThat(page(run)).contains("Posterior means", "<svg");
    }

    @Test
    void aModelOfOneLatentDimensionHasAWalkInPlaceOfAPlane() throws IOException {
        Path run = folder.resolve("run");
        Cli.run(
                        "train",
                        "--data",
                        "digits:40",
                        "--hidden",
                        8,
                        "--latent",
                        1,
                        "--batch",
                        10,
                        "--epochs",
                        1,
                        "--backend",
                        "java",
                        "--out",
                        run)
                .ok();
        assertThat(page(run)).contains("The latent dimension").doesNotContain("Posterior means");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 63, 64, 65, 127, 128, 1000, 3280})
    void fewFramesAreKeptAndTheyAreEvenlySpaced(int last) {
        long kept = java.util.stream.IntStream.rangeClosed(0, last)
                .filter(epoch -> EpochFrames.kept(epoch, last))
                .count();
        assertThat(kept).isLessThanOrEqualTo(EpochFrames.MOST + 1);
        assertThat(kept).isGreaterThanOrEqualTo(Math.min(last + 1, EpochFrames.MOST / 2));
        assertThat(EpochFrames.kept(0, last)).isTrue();
        assertThat(EpochFrames.kept(last, last)).isTrue();
        assertThat(EpochFrames.kept(last + 1, last)).isFalse();
        // What is thrown away is never wanted again.
        for (int epoch = 0; epoch < last; epoch++) {
            if (!EpochFrames.kept(epoch, last)) {
                assertThat(EpochFrames.kept(epoch, last + 1)).isFalse();
            }
        }
    }

    @Test
    void wrongFoldersAndDataAreNamed() throws IOException {
        Path run = trained(folder.resolve("run"));
        Map<String, String> before = Cli.tree(run);
        refused("there is no 'checkpoint.safetensors' in it", "report", folder);
        refused("there is no 'checkpoint.safetensors' in it", "report", folder.resolve("nowhere"));
        refused("DIR is empty", "report", "");
        refused("DIR", "report");
        refused("not what the run was trained on", "report", run, "--data", "digits:41");
        refused("unknown kind", "report", run, "--data", "cats");
        refused("backend", "report", run, "--backend", "abacus");
        assertThat(Cli.tree(run)).isEqualTo(before);
    }

    private static void refused(String words, Object... args) {
        Cli.Result result = Cli.run(args);
        assertThat(result.status()).as("%s", result).isEqualTo(2);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).hasSize(1);
        assertThat(result.err().getFirst()).contains(words);
    }
}
