package io.github.elbo4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.data.DataSpec;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.JsonObject;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.inference.LatentCodes;
import io.github.elbo4j.inference.LatentCodes.Interpolation;
import io.github.elbo4j.inference.Posterior;
import io.github.elbo4j.inference.Score;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Commands over a trained model: what they write is what a session gives. */
class ModelCommandsTest {
    private static final int PIXELS = 784;
    private static final int LATENT = 4;

    @TempDir
    static Path folder;

    private static Path run;
    private static Dataset test;
    private static Backend backend;
    private static FrozenModel frozen;
    private static InferenceSession session;

    @TempDir
    Path made;

    @BeforeAll
    static void train() throws IOException {
        run = folder.resolve("run");
        Cli.run(
                        "train",
                        "--data",
                        "digits:60",
                        "--hidden",
                        8,
                        "--latent",
                        LATENT,
                        "--batch",
                        10,
                        "--epochs",
                        2,
                        "--seed",
                        5,
                        "--out",
                        run)
                .ok();
        test = DataSpec.parse("digits:60").open().test();
        backend = Backends.open(Cli.cpuBackend());
        frozen = FrozenModel.load(backend, run);
        session = frozen.session(144, 16);
    }

    @AfterAll
    static void close() {
        session.close();
        frozen.close();
        backend.close();
    }

    private static float[] inputs() {
        float[] values = new float[(int) test.rows() * PIXELS];
        for (int i = 0; i < values.length; i++) {
            values[i] = (test.values().get(ValueLayout.JAVA_BYTE, i) & 0xff) / 255f;
        }
        return values;
    }

    private Npy array(Object... args) throws IOException {
        Path file = made.resolve("array.npy");
        Files.deleteIfExists(file);
        Cli.run(Cli.with(args, "--out", file)).ok();
        return Npy.read(file);
    }

    private List<String[]> table(Object... args) throws IOException {
        Path file = made.resolve("table.csv");
        Files.deleteIfExists(file);
        Cli.run(Cli.with(args, "--out", file)).ok();
        return Files.readAllLines(file).stream()
                .map(line -> line.split(",", -1))
                .toList();
    }

    private BufferedImage picture(Object... args) throws IOException {
        Path file = made.resolve("picture.png");
        Files.deleteIfExists(file);
        Cli.run(Cli.with(args, "--out", file)).ok();
        return ImageIO.read(file.toFile());
    }

    private static float[] numbers(String[] line, int from) {
        float[] numbers = new float[line.length - from];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = Float.parseFloat(line[from + i]);
        }
        return numbers;
    }

    private static int grey(float value) {
        return Math.round(value * 255);
    }

    /** An image stands three times as large in its place of a grid without bands. */
    private static void assertImage(BufferedImage grid, int row, int column, float[] values, int offset) {
        for (int y = 0; y < 28; y++) {
            for (int x = 0; x < 28; x++) {
                assertThat(grid.getRaster().getSample(4 + column * 88 + 3 * x + 1, 4 + row * 88 + 3 * y + 1, 0))
                        .isEqualTo(grey(values[offset + y * 28 + x]));
            }
        }
    }

    @Test
    void samplesWithTheRunsSeedAreThePictureThatTheRunLeft() throws IOException {
        Path file = made.resolve("samples.PNG");
        Cli.run("sample", run, "--out", file).ok();
        assertThat(file).hasSameBinaryContentAs(run.resolve("samples.png"));
    }

    @Test
    void samplesAreDecodedNumbersOfThePrior() throws IOException {
        float[] expected = session.decode(LatentCodes.prior(9, 0, 7, LATENT));
        Npy array = array("sample", run, "--n", 7, "--seed", 9);
        assertThat(array.shape()).containsExactly(7, 28, 28);
        assertThat(array.values()).isEqualTo(expected);

        List<String[]> table = table("sample", run, "--n", 7, "--seed", 9);
        assertThat(table).hasSize(8);
        assertThat(table.getFirst())
                .hasSize(785)
                .startsWith("row", "pixel_0", "pixel_1")
                .endsWith("pixel_783");
        for (int i = 0; i < 7; i++) {
            assertThat(table.get(i + 1)[0]).isEqualTo(Integer.toString(i));
            assertThat(numbers(table.get(i + 1), 1))
                    .isEqualTo(Arrays.copyOfRange(expected, i * PIXELS, (i + 1) * PIXELS));
        }

        BufferedImage picture = picture("sample", run, "--n", 13, "--seed", 9);
        assertThat(picture.getWidth()).isEqualTo(4 + 10 * 88);
        assertThat(picture.getHeight()).isEqualTo(4 + 2 * 88);
        assertImage(picture, 0, 6, expected, 6 * PIXELS);
    }

    @Test
    void moreSamplesThanASessionTakesComeInParts() throws IOException {
        Npy many = array("sample", run, "--n", 1003, "--seed", 9);
        assertThat(many.shape()).containsExactly(1003, 28, 28);
        for (int row : new int[] {0, 999, 1000, 1002}) {
            assertThat(many.row(row)).isEqualTo(session.decode(LatentCodes.prior(9, row, 1, LATENT)));
        }
    }

    @Test
    void reconstructionsAreThePictureThatTheRunLeft() throws IOException {
        Path file = made.resolve("pairs.png");
        Cli.run("reconstruct", run, "--out", file).ok();
        assertThat(file).hasSameBinaryContentAs(run.resolve("reconstructions.png"));

        float[] inputs = inputs();
        BufferedImage three = picture("reconstruct", run, "--n", 3);
        assertThat(three.getWidth()).isEqualTo(4 + 3 * 88);
        assertThat(three.getHeight()).isEqualTo(4 + 2 * 88);
        assertImage(three, 0, 2, inputs, 2 * PIXELS);
        assertImage(three, 1, 2, session.reconstruct(inputs), 2 * PIXELS);
    }

    @Test
    void reconstructionsGoThroughTheMeanOrASample() throws IOException {
        float[] inputs = inputs();
        Npy mean = array("reconstruct", run);
        assertThat(mean.shape()).containsExactly(10, 28, 28);
        assertThat(mean.values()).isEqualTo(session.reconstruct(inputs));
        // The run's seed.
        assertThat(array("reconstruct", run, "--z", "sampled").values())
                .isEqualTo(session.decode(session.sample(inputs, 5, 0)));
        assertThat(array("reconstruct", run, "--z", "sampled", "--seed", 8, "--n", 4)
                        .values())
                .isEqualTo(session.decode(session.sample(Arrays.copyOf(inputs, 4 * PIXELS), 8, 0)));
        assertThat(array("reconstruct", run, "--part", "TRAIN").shape()).containsExactly(60, 28, 28);
    }

    @Test
    void labelsGoAlongInTables() throws IOException {
        List<String[]> table = table("reconstruct", run, "--n", 4);
        assertThat(table.getFirst()).startsWith("row", "label", "pixel_0").hasSize(786);
        assertThat(table).hasSize(5);
        for (int i = 0; i < 4; i++) {
            assertThat(table.get(i + 1)).startsWith(Integer.toString(i), Integer.toString(test.label(i)));
        }
        Path plain = plainImages();
        assertThat(table("reconstruct", run, "--data", "idx:" + plain).getFirst())
                .startsWith("row", "pixel_0");
    }

    /** Images without labels. */
    private Path plainImages() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(16 + 20 * PIXELS);
        bytes.putInt(0x803).putInt(20).putInt(28).putInt(28);
        bytes.put(test.values().asSlice(0, 10 * PIXELS).asByteBuffer());
        return Files.write(made.resolve("images"), bytes.array());
    }

    @Test
    void interpolationLeadsFromOneMeanToTheOther() throws IOException {
        float[] mu = session.encode(inputs()).mu();
        float[] a = Arrays.copyOfRange(mu, 2 * LATENT, 3 * LATENT);
        float[] b = Arrays.copyOfRange(mu, 7 * LATENT, 8 * LATENT);
        Npy line = array("interpolate", run, "--rows", "2,7", "--steps", 5);
        assertThat(line.shape()).containsExactly(5, 28, 28);
        assertThat(line.values()).isEqualTo(session.decode(LatentCodes.interpolate(a, b, 5, Interpolation.LINEAR)));
        assertThat(array("interpolate", run, "--rows", "2,7", "--steps", 5, "--path", "spherical")
                        .values())
                .isEqualTo(session.decode(LatentCodes.interpolate(a, b, 5, Interpolation.SPHERICAL)));
        assertThat(line.row(0)).isEqualTo(Arrays.copyOfRange(session.reconstruct(inputs()), 2 * PIXELS, 3 * PIXELS));
    }

    @Test
    void interpolationWithoutRowsLeadsBetweenTheFirstTwoSamples() throws IOException {
        float[] both = LatentCodes.prior(3, 0, 2, LATENT);
        float[] way = LatentCodes.interpolate(
                Arrays.copyOf(both, LATENT), Arrays.copyOfRange(both, LATENT, 2 * LATENT), 10, Interpolation.LINEAR);
        assertThat(array("interpolate", run, "--seed", 3).values()).isEqualTo(session.decode(way));
        BufferedImage picture = picture("interpolate", run, "--seed", 3);
        assertThat(picture.getWidth()).isEqualTo(884);
        assertThat(picture.getHeight()).isEqualTo(92);
        assertImage(picture, 0, 9, session.decode(Arrays.copyOfRange(both, LATENT, 2 * LATENT)), 0);
    }

    @Test
    void aTraversalWalksAlongADimension() throws IOException {
        float[] codes = LatentCodes.traverse(new float[LATENT], 3, -3, 3, 10);
        assertThat(array("traverse", run, "--dims", 3).values()).isEqualTo(session.decode(codes));

        float[] mean = Arrays.copyOfRange(session.encode(inputs()).mu(), 4 * LATENT, 5 * LATENT);
        assertThat(array("traverse", run, "--dims", 1, "--row", 4, "--range", "-1.5,2", "--steps", 3)
                        .values())
                .isEqualTo(session.decode(LatentCodes.traverse(mean, 1, -1.5f, 2, 3)));
    }

    @Test
    void aGridHasTheFirstDimensionDown() throws IOException {
        float[] images = session.decode(LatentCodes.traverse(new float[LATENT], 2, 0, -2, 2, 12));
        BufferedImage picture = picture("traverse", run, "--dims", "2,0", "--range", "-2,2", "--steps", 12);
        assertThat(picture.getWidth()).isEqualTo(4 + 12 * 88);
        assertThat(picture.getHeight()).isEqualTo(4 + 12 * 88);
        assertImage(picture, 0, 11, images, 11 * PIXELS);
        assertImage(picture, 11, 0, images, 11 * 12 * PIXELS);
        assertThat(array("traverse", run, "--dims", "2,0", "--range", "-2,2", "--steps", 12)
                        .values())
                .isEqualTo(images);
    }

    @Test
    void encodingGivesThePosteriors() throws IOException {
        Posterior posterior = session.encode(inputs());
        List<String[]> table = table("encode", run);
        assertThat(table.getFirst())
                .containsExactly(
                        "row", "label", "mu_0", "mu_1", "mu_2", "mu_3", "logvar_0", "logvar_1", "logvar_2", "logvar_3");
        assertThat(table).hasSize(11);
        Npy both = array("encode", run, "--what", "both");
        assertThat(both.shape()).containsExactly(10, 2 * LATENT);
        for (int i = 0; i < 10; i++) {
            float[] expected = new float[2 * LATENT];
            System.arraycopy(posterior.mu(), i * LATENT, expected, 0, LATENT);
            System.arraycopy(posterior.logVar(), i * LATENT, expected, LATENT, LATENT);
            assertThat(table.get(i + 1)).startsWith(Integer.toString(i), Integer.toString(test.label(i)));
            assertThat(numbers(table.get(i + 1), 2)).isEqualTo(expected);
            assertThat(both.row(i)).isEqualTo(expected);
        }
        assertThat(array("encode", run, "--what", "mu").values()).isEqualTo(posterior.mu());
        assertThat(array("encode", run, "--what", "logvar").values()).isEqualTo(posterior.logVar());
        assertThat(array("encode", run, "--what", "sample", "--seed", 3).values())
                .isEqualTo(session.sample(inputs(), 3, 0));
        assertThat(table("encode", run, "--what", "sample").getFirst()).contains("z_0", "z_3");
    }

    @Test
    void rowsKeepTheirDrawsBeyondTheFirstPart() throws IOException {
        Dataset train = DataSpec.parse("digits:1100").open().train();
        Npy z = array("encode", run, "--what", "sample", "--seed", 3, "--data", "digits:1100", "--part", "train");
        assertThat(z.shape()).containsExactly(1100, LATENT);
        float[] last = new float[PIXELS];
        for (int i = 0; i < PIXELS; i++) {
            last[i] = (train.values().get(ValueLayout.JAVA_BYTE, 1099L * PIXELS + i) & 0xff) / 255f;
        }
        assertThat(z.row(1099)).isEqualTo(session.sample(last, 3, 1099));
    }

    @Test
    void scoresAreTheSessionsAndTheMeansTheirs() throws IOException {
        List<Score> scores = session.score(inputs(), 5);
        List<String[]> table = table("score", run);
        assertThat(table.getFirst()).containsExactly("row", "label", "log_likelihood", "kl", "elbo");
        assertThat(table).hasSize(11);
        for (int i = 0; i < 10; i++) {
            Score score = scores.get(i);
            assertThat(table.get(i + 1))
                    .containsExactly(
                            Integer.toString(i),
                            Integer.toString(test.label(i)),
                            Float.toString((float) score.logLikelihood()),
                            Float.toString((float) score.kl()),
                            Float.toString((float) score.elbo()));
        }
        assertThat(array("score", run).shape()).containsExactly(10, 3);

        JsonObject event = Cli.run("score", run, "--worst", 3, "--json").ok().lastEvent();
        assertThat(event.keys())
                .containsExactly("event", "n", "files", "seconds", "samples", "log_likelihood", "kl", "elbo", "worst");
        assertThat(event.list("files")).isEmpty();
        assertThat(event.integer("samples", 1, 100)).isEqualTo(16);
        assertThat(event.number("log_likelihood"))
                .isEqualTo(scores.stream().mapToDouble(Score::logLikelihood).sum() / 10);
        assertThat(event.number("kl"))
                .isEqualTo(scores.stream().mapToDouble(Score::kl).sum() / 10);
        assertThat(event.number("elbo"))
                .isEqualTo(scores.stream().mapToDouble(Score::elbo).sum() / 10);

        List<Integer> worst = IntStream.range(0, 10)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer i) -> scores.get(i).elbo()))
                .limit(3)
                .toList();
        assertThat(event.list("worst")).hasSize(3);
        assertThat(event.list("worst").toString()).contains("row=" + worst.get(0) + ",", "row=" + worst.get(2) + ",");
        List<String> text = Cli.run("score", run, "--worst", 3).ok().out();
        assertThat(text).hasSize(5);
        assertThat(text.getFirst())
                .contains("ELBO", "log-likelihood", "KL", "nats", "z sampled 16 times", "10 test images of digits:60");
        for (int i = 0; i < 3; i++) {
            assertThat(text.get(2 + i).strip()).startsWith(worst.get(i) + " ");
        }
    }

    @Test
    void divergenceIsThatOfAnEvaluation() throws IOException {
        double kl = Cli.run("evaluate", run, "--json").ok().lastEvent().number("kl");
        assertThat(Cli.run("score", run, "--samples", 1, "--json")
                        .ok()
                        .lastEvent()
                        .number("kl"))
                .isCloseTo(kl, within(1e-5 * kl));
        assertThat(Cli.run("score", run, "--samples", 1, "--worst", 0).ok().out())
                .singleElement()
                .asString()
                .contains("z sampled once");
    }

    @ParameterizedTest
    @CsvSource({
        "sample, 80, ''",
        "reconstruct, 10, ''",
        "interpolate, 10, ''",
        "traverse, 10, --dims=0",
        "encode, 10, ''",
        "score, 10, ''"
    })
    void everyCommandSaysWhatItWrote(String command, int n, String option) throws FormatException {
        Path file = made.resolve("out.npy");
        Object[] args = {command, run, "--out", file, "--overwrite"};
        if (!option.isEmpty()) {
            args = Cli.with(args, option);
        }
        Cli.Result text = Cli.run(args).ok();
        assertThat(text.err()).isEmpty();
        assertThat(text.out().getLast()).contains(file.toString());

        Cli.Result json = Cli.run(Cli.with(args, "--json")).ok();
        assertThat(json.err()).isEmpty();
        assertThat(json.out()).hasSize(1);
        JsonObject event = json.lastEvent();
        assertThat(event.keys()).startsWith("event", "n", "files", "seconds");
        assertThat(event.string("event")).isEqualTo(command);
        assertThat(event.integer("n", 1, 100)).isEqualTo(n);
        assertThat(event.list("files").toString()).isEqualTo("[" + file + "]");
        assertThat(event.number("seconds")).isPositive();
    }

    @ParameterizedTest
    @ValueSource(strings = {"sample --n 3", "reconstruct --n 3", "encode", "score", "traverse --dims 0"})
    void aDashIsTheTableOnStandardOutput(String command) throws IOException {
        List<String> words = List.of(command.split(" "));
        Object[] args = Cli.with(
                new Object[] {words.getFirst(), run},
                words.subList(1, words.size()).toArray());
        Path file = made.resolve("table.csv");
        Cli.run(Cli.with(args, "--out", file)).ok();
        Cli.Result result = Cli.run(Cli.with(args, "--out", "-")).ok();
        assertThat(result.err()).isEmpty();
        assertThat(result.out()).isEqualTo(Files.readAllLines(file));
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "npy", "csv"})
    void theSameCommandWritesTheSameBytesOnAnyNumberOfThreads(String format) throws IOException {
        Path one = made.resolve("one." + format);
        Path two = made.resolve("two." + format);
        Cli.run("sample", run, "--threads", 1, "--out", one).ok();
        Cli.run("sample", run, "--threads", 2, "--out", two).ok();
        assertThat(two).hasSameBinaryContentAs(one);
    }

    @Test
    void aFileIsReplacedOnRequestOnly() throws IOException {
        Path file = Files.writeString(made.resolve("mine.npy"), "mine");
        assertThat(Cli.run("sample", run, "--out", file).status()).isEqualTo(2);
        assertThat(file).hasContent("mine");
        Cli.run("sample", run, "--out", file, "--overwrite", "--n", 2).ok();
        assertThat(Npy.read(file).shape()).containsExactly(2, 28, 28);
    }

    @ParameterizedTest
    @ValueSource(strings = {"npy", "csv"})
    @EnabledOnOs(value = OS.LINUX, disabledReason = "the limit of a file's size stands for a full disk")
    void aFailureAmongTheRowsKeepsTheFileThatWasThere(String format) throws Exception {
        Path file = Files.writeString(made.resolve("mine." + format), "mine");
        var before = Cli.tree(made);
        // At most 100 KiB a file: a hundred images do not fit.
        List<String> command = new ArrayList<>(List.of("bash", "-c", "ulimit -f 100; exec \"$@\"", "limited"));
        command.addAll(Cli.command("sample", run, "--n", 100, "--out", file, "--overwrite"));
        Process process = new ProcessBuilder(command).directory(folder.toFile()).start();
        assertThat(process.inputReader().lines()).isEmpty();
        assertThat(process.errorReader().lines().toList())
                .singleElement()
                .asString()
                .contains("mine." + format, "cannot be written", ";");
        assertThat(process.waitFor()).isEqualTo(1);
        assertThat(Cli.tree(made)).isEqualTo(before);
    }

    @Test
    void aModelWithoutARunServesWithItsWeightsAlone() throws IOException {
        Path model = Files.createDirectories(made.resolve("model"));
        for (String name : List.of("config.json", "model.safetensors")) {
            Files.copy(run.resolve(name), model.resolve(name));
        }
        // Without a run the seed is 1.
        assertThat(array("sample", model.resolve("model.safetensors"), "--n", 3).values())
                .isEqualTo(session.decode(LatentCodes.prior(1, 0, 3, LATENT)));
        assertThat(array("encode", model, "--data", "digits:60", "--what", "mu").values())
                .isEqualTo(session.encode(inputs()).mu());
    }

    @Test
    void aDamagedCheckpointIsInNobodysWay() throws IOException {
        Path model = Files.createDirectories(made.resolve("model"));
        for (String name : List.of("config.json", "model.safetensors")) {
            Files.copy(run.resolve(name), model.resolve(name));
        }
        Files.writeString(model.resolve("checkpoint.safetensors"), "damaged");
        assertThat(array("sample", model, "--n", 3, "--seed", 2).values())
                .isEqualTo(session.decode(LatentCodes.prior(2, 0, 3, LATENT)));
        assertThat(array("traverse", model, "--dims", 0).shape()).containsExactly(10, 28, 28);
        assertThat(Cli.run("sample", model, "--out", made.resolve("new.npy")).status())
                .isEqualTo(2);
    }
}
