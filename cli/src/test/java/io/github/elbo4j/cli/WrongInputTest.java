package io.github.elbo4j.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever is wrong with what the user gives: status 2, one line with cause and remedy, nothing written, nothing lost. */
class WrongInputTest {
    @TempDir
    static Path folder;

    /** A finished run; its folder also is where all the wrong files lie. */
    private static Path run;

    /**
     * One wrong input.
     *
     * @param name what is wrong
     * @param args the command
     * @param cause what the message must name
     */
    record Wrong(String name, List<Object> args, List<String> cause) {
        @Override
        public String toString() {
            return name;
        }
    }

    @BeforeAll
    static void makeFiles() throws IOException {
        run = folder.resolve("run");
        Cli.run(Cli.tiny("--epochs", 1, "--out", run)).ok();

        byte[] images = idx(10, 28, 28);
        byte[] zipped = gzip(images);
        write("whole.gz", zipped);
        write("truncated.gz", Arrays.copyOf(zipped, zipped.length / 2));
        write("magic", ByteBuffer.allocate(100).putInt(0x12345678).array());
        write("count", ByteBuffer.wrap(images.clone()).putInt(4, 1_000_000).array());
        write(
                "zero",
                ByteBuffer.allocate(16)
                        .putInt(0x803)
                        .putInt(0)
                        .putInt(28)
                        .putInt(28)
                        .array());
        write("one", idx(1, 28, 28));
        write("small", idx(10, 20, 20));
        write("images", images);
        write("labels", ByteBuffer.allocate(8 + 7).putInt(0x801).putInt(7).array());
        write("empty", new byte[0]);
        write("file", new byte[] {1});
        write("args", "--version".getBytes(UTF_8));
        Files.write(Files.createDirectories(folder.resolve("pictures")).resolve("samples.png"), new byte[] {1});

        byte[] hostile = ByteBuffer.allocate(64)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(1L << 60)
                .array();
        copyOfRun("hostile-checkpoint", "checkpoint.safetensors", bytes -> hostile);
        copyOfRun("hostile-model", "model.safetensors", bytes -> hostile);
        copyOfRun("short-checkpoint", "checkpoint.safetensors", bytes -> Arrays.copyOf(bytes, bytes.length / 2));
        copyOfRun("short-model", "model.safetensors", bytes -> Arrays.copyOf(bytes, bytes.length - 1));
        copyOfRun("broken-config", "config.json", bytes -> Arrays.copyOf(bytes, bytes.length / 2));
        copyOfRun(
                "other-config",
                "config.json",
                bytes -> text(bytes).replace("[8]", "[9]").getBytes(UTF_8));
        copyOfRun(
                "wide-config",
                "config.json",
                bytes -> text(bytes).replace("[8]", "[0]").getBytes(UTF_8));
        copyOfRun("no-config", "config.json", bytes -> bytes);
        Files.delete(folder.resolve("no-config/config.json"));
        copyOfRun("no-model", "model.safetensors", bytes -> bytes);
        Files.delete(folder.resolve("no-model/model.safetensors"));
        copyOfRun("no-checkpoint", "checkpoint.safetensors", bytes -> bytes);
        Files.delete(folder.resolve("no-checkpoint/checkpoint.safetensors"));
        copyOfRun(
                "channels",
                "config.json",
                bytes -> text(bytes).replace("[28, 28, 1]", "[2, 2, 4]").getBytes(UTF_8));
        Files.createDirectories(folder.resolve("nothing"));
        Files.createDirectories(folder.resolve("folder.npy"));
        write("table.csv", "row\n".getBytes(UTF_8));
    }

    static Stream<Wrong> wrongInputs() {
        List<Wrong> all = new ArrayList<>();
        // Usage.
        add(all, "no command", "no command").with();
        add(all, "unknown command", "trian", "train").with("trian");
        add(all, "unknown option", "--epoch", "--epochs").with("train", "--epoch", 1);
        add(all, "stray argument", "stray").train("stray");
        add(all, "missing value", "--data").with("train", "--data");
        add(all, "option twice", "--seed").train("--seed", 1, "--seed", 2);
        add(all, "widths twice", "--hidden").train("--hidden", 8, "--hidden", 4);
        add(all, "a file of arguments", "args").with("@" + folder.resolve("args"));
        add(all, "no model", "MODEL").with("evaluate");
        add(all, "unknown z", "median", "sampled", "mean").with("evaluate", run, "--z", "median");
        add(all, "unknown part", "part").with("evaluate", run, "--part", "half");
        // Numbers.
        for (String rate : List.of("NaN", "0", "-0.001", "Infinity", "1e999", "fast")) {
            add(all, "learning rate " + rate, rate.equals("1e999") ? "Infinity" : rate)
                    .train("--lr", rate);
        }
        add(all, "seed no number", "--seed", "one").train("--seed", "one");
        add(all, "seed too large", "--seed").train("--seed", "99999999999999999999");
        add(all, "epochs 0", "epochs", "0").train("--epochs", 0);
        add(all, "epochs no number", "--epochs", "ten").train("--epochs", "ten");
        add(all, "batch 0", "batch", "0").train("--batch", 0);
        add(all, "batch negative", "batch", "-5").train("--batch", -5);
        add(all, "width 0", "width", "0").train("--hidden", 0);
        add(all, "second width negative", "width", "-1").train("--hidden", "8,-1");
        add(all, "width no number", "--hidden", "wide").train("--hidden", "wide");
        add(all, "a comma behind the widths", "--hidden", "8,").train("--hidden", "8,");
        add(all, "no widths", "--hidden", "''").train("--hidden", "");
        add(all, "width too large", "--hidden", "99999999999").train("--hidden", "99999999999");
        add(all, "decoder width 0", "decoder", "0").train("--decoder", 0);
        add(all, "latent negative", "latent", "-2").train("--latent", -2);
        add(all, "latent 0", "latent", "0").train("--latent", 0);
        add(all, "layers too wide together", "elements").train("--hidden", "1048576,1048576");
        add(all, "beta negative", "beta", "-1").train("--beta", -1);
        add(all, "beta NaN", "beta", "NaN").train("--beta", "NaN");
        add(all, "threads 0", "threads", "0").train("--threads", 0);
        add(all, "evaluation batch 0", "batch", "0").with("evaluate", run, "--batch", 0);
        // Names.
        add(all, "unknown activation", "relux", "relu").train("--activation", "relux");
        add(all, "unknown init", "zeros", "pytorch").train("--init", "zeros");
        add(all, "unknown optimizer", "rmsprop", "adam").train("--optimizer", "rmsprop");
        add(all, "unknown preset", "784-1", "784-400-20").train("--preset", "784-1");
        add(all, "unknown backend", "abacus", "java").train("--backend", "abacus");
        add(all, "unknown backend to validate", "abacus", "java").with("validate", "--backend", "abacus");
        // Data.
        for (String spec : List.of("digits:0", "digits:-1", "digits:abc", "digits:", "idx:", "idx:,", "cats", "")) {
            add(all, "data '" + spec + "'", "'" + spec + "'", "digits[:N]").data(spec);
        }
        add(all, "no MNIST there", "/nonexistent").data("mnist:/nonexistent");
        add(all, "no such file", "nowhere").data("idx:" + folder.resolve("nowhere"));
        add(all, "a folder", "run").data("idx:" + run);
        add(all, "truncated gzip", "truncated.gz").data("idx:" + folder.resolve("truncated.gz"));
        add(all, "wrong magic", "magic").data("idx:" + folder.resolve("magic"));
        add(all, "count larger than the file", "count", "1000000").data("idx:" + folder.resolve("count"));
        add(all, "zero rows", "zero").data("idx:" + folder.resolve("zero"));
        add(all, "one row", "one").data("idx:" + folder.resolve("one"));
        add(all, "empty file", "empty").data("idx:" + folder.resolve("empty"));
        add(all, "labels as images", "labels").data("idx:" + folder.resolve("labels"));
        add(all, "fewer labels than images", "7", "10")
                .data("idx:" + folder.resolve("images") + "," + folder.resolve("labels"));
        add(all, "preset for other images", "784-400-20", "20x20")
                .with(
                        "train",
                        "--out",
                        folder.resolve("new"),
                        "--preset",
                        "784-400-20",
                        "--data",
                        "idx:" + folder.resolve("small"));
        // Folders.
        add(all, "an empty folder name", "--out", "empty").with("train", "--data", "digits:20", "--out", "");
        add(all, "an empty name to resume", "--resume", "empty").with("train", "--resume", "");
        add(all, "a folder with a picture", "pictures", "samples.png", "--overwrite")
                .with("train", "--data", "digits:20", "--out", folder.resolve("pictures"));
        add(all, "a file as folder", "file", "not a folder")
                .with("train", "--data", "digits:20", "--out", folder.resolve("file"));
        add(all, "below a file", "file", "irectory")
                .with("train", "--data", "digits:20", "--out", folder.resolve("file/x"));
        add(all, "unwritable folder", "/proc/nope").with("train", "--data", "digits:20", "--out", "/proc/nope/x");
        add(all, "a folder with a run", "run", "resume").with("train", "--data", "digits:20", "--out", run);
        // Resuming.
        add(all, "resume nothing", "nothing", "checkpoint").with("train", "--resume", folder.resolve("nothing"));
        add(all, "resume nowhere", "nowhere").with("train", "--resume", folder.resolve("nowhere"));
        add(all, "resume without a checkpoint", "checkpoint")
                .with("train", "--resume", folder.resolve("no-checkpoint"));
        add(all, "resume into another folder", "--out").resume("--out", folder.resolve("new"));
        add(all, "resume with other widths", "--hidden", "16", "8").resume("--hidden", 16);
        add(all, "resume with another decoder", "--decoder", "4", "8").resume("--decoder", 4);
        add(all, "resume with another preset", "--preset", "784-400-20", "784-8-2-8-784")
                .resume("--preset", "784-400-20");
        add(all, "resume with another latent", "--latent", "3", "2").resume("--latent", 3);
        add(all, "resume with another activation", "tanh", "relu").resume("--activation", "tanh");
        add(all, "resume with another init", "he", "pytorch").resume("--init", "he");
        add(all, "resume with another beta", "--beta", "2.0", "1.0").resume("--beta", 2);
        add(all, "resume with another rate", "--lr", "0.01", "0.001").resume("--lr", 0.01);
        add(all, "resume with another optimizer", "sgd", "adam").resume("--optimizer", "sgd");
        add(all, "resume with another seed", "--seed", "2", "1").resume("--seed", 2);
        add(all, "resume with another batch", "--batch", "64", "10").resume("--batch", 64);
        add(all, "resume binarized", "--binarize", "on", "off").resume("--binarize");
        add(all, "resume with fewer epochs", "--epochs", "0", "1").resume("--epochs", 0);
        add(all, "resume with other data", "digits:41", "digits:40").resume("--data", "digits:41");
        add(all, "resume with smaller images", "small", "digits:40").resume("--data", "idx:" + folder.resolve("small"));
        add(all, "resume a header of 2^60 bytes", "1152921504606846976")
                .with("train", "--resume", folder.resolve("hostile-checkpoint"));
        add(all, "resume half a checkpoint", "checkpoint.safetensors")
                .with("train", "--resume", folder.resolve("short-checkpoint"));
        // Evaluating.
        add(all, "evaluate nowhere", "nowhere").with("evaluate", folder.resolve("nowhere"));
        add(all, "evaluate nothing", "model.safetensors").with("evaluate", folder.resolve("nothing"));
        add(all, "evaluate without weights", "model.safetensors").with("evaluate", folder.resolve("no-model"));
        add(all, "evaluate without config", "config.json").with("evaluate", folder.resolve("no-config"));
        add(all, "evaluate half a config", "config.json").with("evaluate", folder.resolve("broken-config"));
        add(all, "evaluate another config", "encoder").with("evaluate", folder.resolve("other-config"));
        add(all, "evaluate a config of width 0", "encoder").with("evaluate", folder.resolve("wide-config"));
        add(all, "evaluate a header of 2^60 bytes", "1152921504606846976")
                .with("evaluate", folder.resolve("hostile-model"));
        add(all, "evaluate short weights", "model.safetensors").with("evaluate", folder.resolve("short-model"));
        add(all, "evaluate without knowing the data", "--data").with("evaluate", folder.resolve("no-checkpoint"));
        add(all, "evaluate smaller images", "400", "784")
                .with("evaluate", run, "--data", "idx:" + folder.resolve("small"));
        // Using a model.
        add(all, "no file to write", "--out", "images.png").with("sample", run);
        add(all, "no file of codes to write", "--out", "rows.csv").with("encode", run);
        add(all, "a format without a name", "format", "images.jpg").out("sample", "images.jpg");
        add(all, "a file without an ending", "format", ".npy").out("sample", "images");
        add(all, "an empty file name", "--out", "''").with("sample", run, "--out", "");
        add(all, "a picture of codes", "no image", "codes.png").out("encode", "codes.png");
        add(all, "a picture of scores", "no image", "scores.png").out("score", "scores.png");
        add(all, "a file that exists", "table.csv", "--overwrite").out("sample", "table.csv");
        add(all, "a folder as file", "folder.npy", "ordinary").out("sample", "folder.npy", "--overwrite");
        add(all, "a folder as new file", "folder.npy", "exists").out("sample", "folder.npy");
        add(all, "a file in no folder", "nowhere", "create").out("sample", "nowhere/x.npy");
        add(all, "a file below a file", "no folder").out("sample", "file/x.npy");
        add(all, "two results on standard output", "--json").with("sample", run, "--out", "-", "--json");
        add(all, "too large a picture", "fewer images", ".npy").out("sample", "x.png", "--n", 1_000_000);
        add(all, "far too large a picture", "fewer images").out("sample", "x.png", "--n", 4_000_000_000L);
        add(all, "too large a grid", "fewer images").out("traverse", "x.png", "--dims", "0,1", "--steps", 1000);
        add(all, "pictures of four channels", "2x2x4", "drawn")
                .with("sample", folder.resolve("channels"), "--out", folder.resolve("x.png"));
        add(all, "no samples", "--n", "0").out("sample", "x.npy", "--n", 0);
        add(all, "more samples than there are", "--n", "4294967296").out("sample", "x.npy", "--n", 4294967297L);
        add(all, "samples no number", "--n", "many").out("sample", "x.npy", "--n", "many");
        add(all, "sample with another seed", "--seed", "one").out("sample", "x.npy", "--seed", "one");
        add(all, "sample with data", "--data").out("sample", "x.npy", "--data", "digits:40");
        add(all, "sample an empty name", "MODEL", "empty").with("sample", "", "--out", folder.resolve("x.npy"));
        add(all, "evaluate an empty name", "MODEL", "empty").with("evaluate", "");
        add(all, "sample nowhere", "nowhere")
                .with("sample", folder.resolve("nowhere"), "--out", folder.resolve("x.npy"));
        add(all, "sample without config", "config.json")
                .with("sample", folder.resolve("no-config"), "--out", folder.resolve("x.npy"));
        add(all, "sample short weights", "model.safetensors")
                .with("sample", folder.resolve("short-model"), "--out", folder.resolve("x.npy"));
        add(all, "sample a header of 2^60 bytes", "1152921504606846976")
                .with("sample", folder.resolve("hostile-model"), "--out", folder.resolve("x.npy"));
        add(all, "sample from a damaged run", "checkpoint.safetensors")
                .with("sample", folder.resolve("short-checkpoint"), "--out", folder.resolve("x.npy"));
        add(all, "sample on no backend", "abacus").out("sample", "x.npy", "--backend", "abacus");
        add(all, "reconstruct more than there are", "--n", "6 test images").out("reconstruct", "x.npy", "--n", 7);
        add(all, "reconstruct nothing", "--n", "0").out("reconstruct", "x.npy", "--n", 0);
        add(all, "reconstruct with an unknown z", "median", "mean").out("reconstruct", "x.npy", "--z", "median");
        add(all, "reconstruct other data", "400", "784")
                .out("reconstruct", "x.npy", "--data", "idx:" + folder.resolve("small"));
        add(all, "reconstruct without knowing the data", "--data")
                .with("reconstruct", folder.resolve("no-checkpoint"), "--out", folder.resolve("x.npy"));
        add(all, "encode an unknown kind", "--what", "median").out("encode", "x.npy", "--what", "median");
        add(all, "encode no data", "cats").out("encode", "x.npy", "--data", "cats");
        add(all, "encode other data", "400", "784").out("encode", "x.npy", "--data", "idx:" + folder.resolve("small"));
        add(all, "score without draws", "--samples", "0").with("score", run, "--samples", 0);
        add(all, "score with too many draws", "--samples", "65536").with("score", run, "--samples", 65537);
        add(all, "score a negative number of rows", "--worst", "-1").with("score", run, "--worst", -1);
        add(all, "score other data", "400", "784").with("score", run, "--data", "idx:" + folder.resolve("small"));
        add(all, "one row to interpolate", "--rows", "'3'").out("interpolate", "x.npy", "--rows", "3");
        add(all, "three rows to interpolate", "--rows", "list of 3").out("interpolate", "x.npy", "--rows", "1,2,3");
        add(all, "a negative row", "--rows", "-1").out("interpolate", "x.npy", "--rows", "0,-1");
        add(all, "a row that is not there", "row 6", "0 to 5").out("interpolate", "x.npy", "--rows", "0,6");
        add(all, "a row beyond all numbers", "--rows", "0 to 5")
                .out("interpolate", "x.npy", "--rows", "0,18446744073709551615");
        add(all, "rows no numbers", "--rows", "a,b").out("interpolate", "x.npy", "--rows", "a,b");
        add(all, "rows and a seed", "--rows", "--seed").out("interpolate", "x.npy", "--rows", "0,1", "--seed", 1);
        add(all, "data without rows", "--data", "--rows").out("interpolate", "x.npy", "--data", "digits:40");
        add(all, "one step", "--steps", "1").out("interpolate", "x.npy", "--steps", 1);
        add(all, "too many steps", "--steps", "1001").out("interpolate", "x.npy", "--steps", 1001);
        add(all, "an unknown way", "--path", "zigzag").out("interpolate", "x.npy", "--path", "zigzag");
        add(all, "no dimensions", "--dims").out("traverse", "x.npy");
        add(all, "three dimensions", "--dims", "0,1,2").out("traverse", "x.npy", "--dims", "0,1,2");
        add(all, "a dimension twice", "--dims", "1,1").out("traverse", "x.npy", "--dims", "1,1");
        add(all, "a dimension that is not there", "--dims", "0 to 1").out("traverse", "x.npy", "--dims", 2);
        add(all, "a dimension beyond all numbers", "--dims", "0 to 1").out("traverse", "x.npy", "--dims", "4294967296");
        add(all, "a range of NaN", "--range", "NaN").out("traverse", "x.npy", "--dims", 0, "--range", "NaN,1");
        add(all, "a range beyond floats", "--range", "large")
                .out("traverse", "x.npy", "--dims", 0, "--range", "0,1e39");
        add(all, "a range of one number", "--range", "'3'").out("traverse", "x.npy", "--dims", 0, "--range", "3");
        add(all, "a range without extent", "--range", "extent")
                .out("traverse", "x.npy", "--dims", 0, "--range", "1,1.0");
        add(all, "data without a row", "--data", "--row").out("traverse", "x.npy", "--dims", 0, "--data", "digits:40");
        add(all, "an origin that is not there", "--row", "0 to 5").out("traverse", "x.npy", "--dims", 0, "--row", 6);
        add(all, "an unknown shell", "SHELL", "fish").with("completion", "fish");
        return all.stream();
    }

    @ParameterizedTest
    @MethodSource("wrongInputs")
    void isNamedInOneLine(Wrong wrong) throws IOException {
        Map<String, String> before = Cli.tree(folder);
        Cli.Result result = Cli.run(wrong.args().toArray());

        assertThat(result.status()).as("%s", result).isEqualTo(2);
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).as("%s", result).hasSize(1);
        String line = result.err().getFirst();
        assertThat(line).startsWith("elbo4j: ").contains(wrong.cause()).doesNotContain("Exception:", "\tat ");
        // Cause and remedy.
        assertThat(line).containsAnyOf(";", ". ");
        assertThat(Cli.tree(folder)).isEqualTo(before);
    }

    @Test
    void aStackTraceIsShownOnRequest() {
        Cli.Result result = Cli.run("train", "--lr", 0, "--out", folder.resolve("new"), "--stacktrace");
        assertThat(result.status()).isEqualTo(2);
        assertThat(result.err().getFirst()).startsWith("elbo4j: learning rate");
        assertThat(result.err()).anyMatch(line -> line.contains("IllegalArgumentException"));
        assertThat(result.err()).anyMatch(line -> line.startsWith("\tat io.github.elbo4j"));
    }

    /** Builds one case; the methods give its command. */
    private record Case(List<Wrong> all, String name, List<String> cause) {
        void with(Object... args) {
            all.add(new Wrong(name, List.of(args), cause));
        }

        void train(Object... options) {
            with(Cli.with(new Object[] {"train", "--out", folder.resolve("new"), "--data", "digits:20"}, options));
        }

        void data(String spec) {
            with("train", "--out", folder.resolve("new"), "--data", spec);
        }

        void out(String command, String file, Object... options) {
            with(Cli.with(new Object[] {command, run, "--out", folder.resolve(file)}, options));
        }

        void resume(Object... options) {
            with(Cli.with(new Object[] {"train", "--resume", run}, options));
        }
    }

    private static Case add(List<Wrong> all, String name, String... cause) {
        return new Case(all, name, List.of(cause));
    }

    private static void write(String name, byte[] content) throws IOException {
        Files.write(folder.resolve(name), content);
    }

    private static void copyOfRun(String name, String changed, Function<byte[], byte[]> change) throws IOException {
        Path copy = Files.createDirectories(folder.resolve(name));
        for (String file : List.of("checkpoint.safetensors", "model.safetensors", "config.json")) {
            byte[] content = Files.readAllBytes(run.resolve(file));
            Files.write(copy.resolve(file), file.equals(changed) ? change.apply(content) : content);
        }
    }

    private static byte[] idx(int rows, int height, int width) {
        ByteBuffer bytes = ByteBuffer.allocate(16 + rows * height * width);
        bytes.putInt(0x803).putInt(rows).putInt(height).putInt(width);
        for (int i = 16; i < bytes.capacity(); i++) {
            bytes.put(i, (byte) (i * 31));
        }
        return bytes.array();
    }

    private static byte[] gzip(byte[] content) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
            gzip.write(content);
        }
        return bytes.toByteArray();
    }

    private static String text(byte[] bytes) {
        return new String(bytes, UTF_8);
    }
}
