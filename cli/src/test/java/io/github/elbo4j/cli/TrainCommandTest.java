package io.github.elbo4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.data.DataSpec;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.JsonObject;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class TrainCommandTest {
    @TempDir
    Path folder;

    @Test
    void printsOneObjectAnEpochAndOneAtTheEnd() throws FormatException {
        Path out = folder.resolve("out");
        Cli.Result result = Cli.run(Cli.tiny("--epochs", 3, "--out", out, "--backend", "java", "--json"))
                .ok();

        assertThat(result.err()).isEmpty();
        assertThat(result.out()).hasSize(4);
        int number = 1;
        for (JsonObject epoch : result.events().subList(0, 3)) {
            assertThat(epoch.keys())
                    .containsExactly("event", "epoch", "train", "test", "train_seconds", "test_seconds");
            assertThat(epoch.string("event")).isEqualTo("epoch");
            assertThat(epoch.integer("epoch", 1, 3)).isEqualTo(number++);
            for (String part : List.of("train", "test")) {
                JsonObject losses = epoch.object(part);
                assertThat(losses.keys()).containsExactly("reconstruction", "kl", "loss");
                assertThat(losses.number("loss")).isEqualTo(losses.number("reconstruction") + losses.number("kl"));
            }
            assertThat(epoch.number("train_seconds")).isPositive();
            assertThat(epoch.number("test_seconds")).isPositive();
        }
        JsonObject done = result.lastEvent();
        assertThat(done.keys()).containsExactly("event", "out", "backend", "steps");
        assertThat(done.string("event")).isEqualTo("done");
        assertThat(done.string("out")).isEqualTo(out.toString());
        assertThat(done.string("backend")).isEqualTo("java");
        assertThat(done.integer("steps", 0, 100)).isEqualTo(12);
    }

    @Test
    void leavesTheFilesOfARunAndNothingElse() throws IOException {
        Path out = folder.resolve("a/b ü");
        Cli.run(Cli.tiny("--epochs", 2, "--out", out)).ok();

        assertThat(Cli.tree(out).keySet())
                .containsExactlyInAnyOrder(
                        "",
                        "checkpoint.safetensors",
                        "config.json",
                        "frames",
                        "frames/reconstructions-0000000.png",
                        "frames/reconstructions-0000001.png",
                        "frames/reconstructions-0000002.png",
                        "frames/samples-0000000.png",
                        "frames/samples-0000001.png",
                        "frames/samples-0000002.png",
                        "history.csv",
                        "model.safetensors",
                        "reconstructions.gif",
                        "reconstructions.png",
                        "report.html",
                        "run.json",
                        "samples.gif",
                        "samples.png");
        assertThat(Files.readAllLines(out.resolve("history.csv"))).hasSize(3);
        // Test images: a sixth of the 40, in one pair of rows.
        assertPicture(out.resolve("reconstructions.png"), 2);
        assertPicture(out.resolve("samples.png"), 8);
        assertFirstInput(ImageIO.read(out.resolve("reconstructions.png").toFile()));
    }

    /** The first test image stands in the upper left corner, three times as large, its values unchanged. */
    private static void assertFirstInput(BufferedImage image) throws IOException {
        MemorySegment pixels = DataSpec.parse("digits:40").open().test().values();
        for (int y = 0; y < 84; y++) {
            for (int x = 0; x < 84; x++) {
                int value = pixels.get(ValueLayout.JAVA_BYTE, y / 3 * 28 + x / 3) & 0xff;
                assertThat(image.getRaster().getSample(4 + x, 4 + y, 0)).isEqualTo(value);
            }
        }
    }

    private static void assertPicture(Path file, int rows) throws IOException {
        BufferedImage image = ImageIO.read(file.toFile());
        assertThat(image.getHeight() % 88).isEqualTo(4);
        assertThat(image.getHeight()).isGreaterThanOrEqualTo(4 + rows * 88);
        assertThat(image.getWidth() % 88).isEqualTo(4);
    }

    @Test
    void reportsForPeopleSayWhatIsMeasured() {
        Cli.Result result =
                Cli.run(Cli.tiny("--epochs", 2, "--out", folder.resolve("out"))).ok();
        assertThat(String.join("\n", result.out()))
                .contains("digits:40", "784-8-2-8-784 relu", "parameters", "nats", "z is sampled", "1/2", "2/2")
                .contains("samples.png", "--resume", "evaluate");
        assertThat(result.out())
                .allSatisfy(
                        line -> assertThat(line.replace(folder.toString(), "")).hasSizeLessThan(81));
    }

    @Test
    void equalSeedsGiveEqualBytesOnOneAndTwoThreads() throws IOException {
        byte[] one = model("one", "--threads", 1, "--seed", 7);
        assertThat(model("two", "--threads", 2, "--seed", 7)).isEqualTo(one);
        assertThat(model("other", "--threads", 2, "--seed", 8)).isNotEqualTo(one);
    }

    private byte[] model(String name, Object... options) throws IOException {
        Object[] train = {"train", "--data", "digits:600", "--hidden", 32, "--epochs", 2};
        Cli.run(Cli.with(Cli.with(train, options), "--out", folder.resolve(name)))
                .ok();
        return Files.readAllBytes(folder.resolve(name).resolve("model.safetensors"));
    }

    @Test
    void everyOptionReachesTheModel() throws IOException {
        Path out = folder.resolve("out");
        Cli.run(Cli.with(
                        new Object[] {"train", "--data", "digits:40", "--epochs", 1, "--out", out},
                        "--hidden=12,6",
                        "--decoder=5",
                        "--latent=3",
                        "--activation=leaky-relu",
                        "--init=glorot",
                        "--beta=2.5",
                        "--optimizer=sgd",
                        "--lr=1e-4",
                        "--batch=7",
                        "--seed=-3",
                        "--binarize"))
                .ok();
        assertThat(Files.readString(out.resolve("config.json")))
                .contains("[12, 6]", "[5]", "\"latent\": 3", "leaky-relu", "glorot", "2.5");
        String checkpoint = new String(
                Files.readAllBytes(out.resolve("checkpoint.safetensors")),
                java.nio.charset.StandardCharsets.ISO_8859_1);
        assertThat(checkpoint).contains("sgd", "\\\"batch\\\":7", "\\\"seed\\\":-3", "bernoulli", "1.0E-4");
    }

    @Test
    void presetsNameTheLiteraturesArchitectures() throws IOException {
        Path out = folder.resolve("out");
        Cli.run("train", "--data", "digits:20", "--epochs", 1, "--out", out, "--preset", "784-256-64-20", "--latent", 4)
                .ok();
        assertThat(Files.readString(out.resolve("config.json"))).contains("[256, 64]", "\"latent\": 4");
    }

    @Test
    void overwriteReplacesTheRunAndLeavesOtherFilesAlone() throws IOException {
        Path out = folder.resolve("out");
        Object[] train = Cli.tiny("--epochs", 1, "--out", out);
        Cli.run(Cli.with(train, "--seed", 1)).ok();
        byte[] before = Files.readAllBytes(out.resolve("model.safetensors"));
        Files.writeString(out.resolve("notes.txt"), "mine");

        assertThat(Cli.run(Cli.with(train, "--seed", 2)).status()).isEqualTo(2);
        assertThat(Files.readAllBytes(out.resolve("model.safetensors"))).isEqualTo(before);

        Cli.run(Cli.with(train, "--seed", 2, "--overwrite")).ok();
        assertThat(Files.readAllBytes(out.resolve("model.safetensors"))).isNotEqualTo(before);
        assertThat(out.resolve("notes.txt")).hasContent("mine");
    }

    @Test
    void anEmptyFolderIsNotLeftBehindByARunThatFails() {
        Path out = folder.resolve("out");
        Cli.Result result = Cli.run(Cli.tiny("--epochs", 3, "--out", out, "--optimizer", "sgd", "--lr", "1e30"));
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).hasSize(1);
        assertThat(result.err().getFirst()).contains("not finite").contains("learning rate");
        assertThat(out).doesNotExist();
    }

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "it needs a privilege for symbolic links")
    void aLinkThatLeadsNowhereIsLeftAlone() throws IOException {
        Path link = Files.createSymbolicLink(folder.resolve("link"), folder.resolve("nowhere"));
        assertThat(Cli.run(Cli.tiny("--epochs", 1, "--out", link)).status()).isEqualTo(2);
        assertThat(link).isSymbolicLink();
    }

    @Test
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "it needs a privilege for symbolic links")
    void filesNamedLikeALockAreLeftAlone() throws IOException {
        Path out = Files.createDirectories(folder.resolve("out"));
        Files.writeString(out.resolve(".lock"), "mine");
        Cli.run(Cli.tiny("--epochs", 1, "--out", out)).ok();
        assertThat(out.resolve(".lock")).hasContent("mine");

        Path linked = Files.createDirectories(folder.resolve("linked"));
        Path mine = Files.writeString(folder.resolve("mine"), "mine");
        Path link = Files.createSymbolicLink(linked.resolve(RunLock.NAME), mine);
        Cli.Result result = Cli.run(Cli.tiny("--epochs", 1, "--out", linked));
        assertThat(result.status()).isEqualTo(2);
        assertThat(result.err()).hasSize(1);
        assertThat(result.err().getFirst()).contains("cannot be locked").doesNotContain("Exception");
        assertThat(mine).hasContent("mine");
        assertThat(link).isSymbolicLink();
    }

    @Test
    void runsWithoutAFolderAreNumbered() throws Exception {
        for (int i = 0; i < 2; i++) {
            Process process = Cli.start(folder, Cli.tiny("--epochs", 1, "--json"));
            process.getInputStream().readAllBytes();
            assertThat(process.waitFor()).isZero();
        }
        assertThat(folder.resolve("runs/0001-digits/model.safetensors")).exists();
        assertThat(folder.resolve("runs/0002-digits/model.safetensors")).exists();
    }
}
