package io.github.elbo4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.SafetensorsFile;
import io.github.elbo4j.files.SafetensorsWriter;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.testkit.TestSeed;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged checkpoints are refused with a {@link FormatException}, or resumed when the damage is within their numbers. */
class CheckpointTest {
    private static final int FILE_MUTATIONS = 400;
    private static final int METADATA_MUTATIONS = 600;
    private static final ImageShape SHAPE = new ImageShape(1, 3, 1);
    private static final Dataset TRAIN =
            Dataset.ofBytes(new byte[] {0, 5, 9, 100, 120, (byte) 200, 3, 4, 5, 6, 7, 8, 90, 91, 92}, SHAPE);

    private static final List<String> JSON_PIECES = List.of(
            "-1",
            "0",
            "1e308",
            "1e999",
            "9223372036854775807",
            "99999999999999999999",
            "1048576",
            "null",
            "true",
            "\"\"",
            "\"x\"",
            "[]",
            "[1]",
            "{}",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "NaN",
            "\\u0000",
            "0.5",
            "-0.0",
            "2147483648");

    @TempDir
    Path root;

    private Path folder = Path.of("");
    private Backend backend = Runs.backend(1);

    @BeforeEach
    void train() throws IOException {
        folder = root.resolve("run");
        try (Vae vae = Vae.create(
                        backend,
                        VaeConfig.builder().input(SHAPE).hidden(2).latent(1).build(),
                        1);
                Trainer trainer = Trainer.create(
                        vae, TrainingConfig.builder().epochs(3).batch(2).build(), TRAIN, TRAIN)) {
            trainer.lookEvery(0);
            trainer.keepIn(RunFolder.create(folder, "five rows", TRAIN, TRAIN));
            int[] looks = {0};
            trainer.listen(new TrainingListener() {
                @Override
                public void onProgress(Progress progress) {
                    if (++looks[0] == 5) {
                        trainer.cancel();
                    }
                }
            });
            assertThat(trainer.run().steps()).isEqualTo(5);
        }
    }

    @AfterEach
    void close() {
        backend.close();
    }

    /** Goes as far as a user would; true if the run went on. */
    private boolean resumes() throws IOException {
        RunFolder.Resumable run = RunFolder.open(folder);
        try (Vae vae = run.restore(backend);
                Trainer trainer = run.trainer(vae, run.training(), "five rows", TRAIN, TRAIN)) {
            // Not run: what is on disk must be as it was.
            assertThat(trainer).isNotNull();
            return true;
        }
    }

    /** {@return whether the file was refused, which takes nothing but the documented exception and leaves no trace} */
    private boolean refused(byte[] checkpoint, String what) throws IOException {
        Files.write(folder.resolve(RunFolder.CHECKPOINT), checkpoint);
        Map<String, String> before = Runs.files(folder);
        long bytes = backend.info().bytesInUse();
        boolean refused = false;
        try {
            assertThat(resumes()).isTrue();
        } catch (FormatException e) {
            refused = true;
            assertThat(e.getMessage()).as(what).contains(";").doesNotContain("Exception");
        } catch (IOException | RuntimeException | Error e) {
            fail("%s: %s".formatted(what, e), e);
        }
        assertThat(Runs.files(folder)).as(what).isEqualTo(before);
        assertThat(backend.info().bytesInUse()).as(what).isEqualTo(bytes);
        return refused;
    }

    private byte[] intact() throws IOException {
        return Files.readAllBytes(folder.resolve(RunFolder.CHECKPOINT));
    }

    /** {@return the checkpoint with other metadata or tensors} */
    private byte[] rebuilt(Map<String, String> metadata, Map<String, MemorySegment> data) throws IOException {
        SafetensorsFile file = SafetensorsFile.read(folder.resolve(RunFolder.CHECKPOINT));
        SafetensorsWriter writer = new SafetensorsWriter();
        metadata.forEach(writer::metadata);
        for (String name : file.names()) {
            writer.add(name, file.type(name), file.shape(name), data.getOrDefault(name, file.data(name)));
        }
        Path other = root.resolve("rebuilt");
        writer.write(other);
        return Files.readAllBytes(other);
    }

    private Map<String, String> metadata() throws IOException {
        return new TreeMap<>(
                SafetensorsFile.read(folder.resolve(RunFolder.CHECKPOINT)).metadata());
    }

    @Test
    void theIntactOneResumesAndSoDoesItWhenWrittenAgain() throws IOException {
        assertThat(refused(intact(), "intact")).isFalse();
        assertThat(refused(rebuilt(metadata(), Map.of()), "rebuilt")).isFalse();
    }

    @Test
    void everyTruncationIsRefused() throws IOException {
        byte[] intact = intact();
        for (int length = 0; length < intact.length; length += 1 + intact.length / 150) {
            assertThat(refused(Arrays.copyOf(intact, length), "the first " + length + " bytes"))
                    .as("the first %d bytes", length)
                    .isTrue();
        }
    }

    @Test
    void randomDamageLeadsToNothingButAFormatException() throws IOException {
        Random random = TestSeed.random(CheckpointTest.class);
        byte[] intact = intact();
        int header = (int) MemorySegment.ofArray(intact).get(ValueLayout.JAVA_LONG_UNALIGNED, 0) + Long.BYTES;
        int refused = 0;
        for (int i = 0; i < FILE_MUTATIONS; i++) {
            byte[] damaged = intact.clone();
            int edits = 1 + random.nextInt(4);
            for (int e = 0; e < edits; e++) {
                // Mostly in the header, where the structure is.
                int at = random.nextInt(random.nextInt(4) == 0 ? damaged.length : header);
                damaged[at] =
                        (byte) (random.nextBoolean() ? random.nextInt(256) : damaged[at] ^ 1 << random.nextInt(8));
            }
            refused += refused(damaged, "mutation " + i) ? 1 : 0;
        }
        System.out.println(refused + " of " + FILE_MUTATIONS + " damaged checkpoints refused");
        assertThat(refused).isGreaterThan(FILE_MUTATIONS / 3);
    }

    @Test
    void editedMetadataLeadsToNothingButAFormatException() throws IOException {
        Random random = TestSeed.random(CheckpointTest.class);
        Map<String, String> intact = metadata();
        assertThat(intact).containsKeys("format", "model", "training", "data", "profile", "epoch_seconds", "history.1");
        List<String> keys = List.copyOf(intact.keySet());
        byte[] original = intact();
        int refused = 0;
        for (int i = 0; i < METADATA_MUTATIONS; i++) {
            Files.write(folder.resolve(RunFolder.CHECKPOINT), original);
            Map<String, String> edited = new LinkedHashMap<>(intact);
            String key = keys.get(random.nextInt(keys.size()));
            String text = edited.getOrDefault(key, "");
            String changed = edit(random, text);
            if (random.nextInt(20) == 0) {
                edited.remove(key);
            } else {
                edited.put(key, changed);
            }
            String what = "mutation " + i + ", '" + key + "': " + changed;
            refused += refused(rebuilt(edited, Map.of()), what) ? 1 : 0;
        }
        System.out.println(refused + " of " + METADATA_MUTATIONS + " edited checkpoints refused");
        assertThat(refused).isGreaterThan(METADATA_MUTATIONS / 3);
    }

    /** Replaces a number or a word, or edits some characters. */
    private static String edit(Random random, String text) {
        String piece = JSON_PIECES.get(random.nextInt(JSON_PIECES.size()));
        List<java.util.regex.MatchResult> tokens = java.util.regex.Pattern.compile("-?[0-9.]+|\"[^\"]*\"|\\[[^]]*]")
                .matcher(text)
                .results()
                .toList();
        if (!tokens.isEmpty() && random.nextInt(3) > 0) {
            var token = tokens.get(random.nextInt(tokens.size()));
            return text.substring(0, token.start()) + piece + text.substring(token.end());
        }
        int from = random.nextInt(text.length() + 1);
        int to = Math.min(text.length(), from + random.nextInt(4));
        return text.substring(0, from) + (random.nextBoolean() ? piece : "") + text.substring(to);
    }

    @Test
    void countersThatContradictEachOtherAreRefused() throws IOException {
        // Step 5 of runs with 3 steps an epoch: 1 epoch done, 4 rows of the next.
        long[] right = {5, 1, 4, 4};
        byte[] original = intact();
        assertThat(refused(rebuilt(metadata(), Map.of("state.counters", MemorySegment.ofArray(right))), "right"))
                .isFalse();
        for (long[] wrong : new long[][] {
            {-1, 1, 4, 4},
            {4, 1, 4, 4},
            {6, 1, 4, 4},
            {5, 0, 4, 4},
            {5, 2, 4, 4},
            {5, 1, 3, 3},
            {5, 1, 4, 2},
            {6, 1, 5, 5},
            {5, 1, -4, -4},
            {Long.MAX_VALUE, 1, 4, 4},
            {Long.MIN_VALUE, 1, 4, 4},
            {5, Long.MAX_VALUE, 4, 4},
            {5, 1, Long.MAX_VALUE, Long.MAX_VALUE}
        }) {
            Files.write(folder.resolve(RunFolder.CHECKPOINT), original);
            byte[] file = rebuilt(metadata(), Map.of("state.counters", MemorySegment.ofArray(wrong)));
            assertThat(refused(file, Arrays.toString(wrong)))
                    .as(Arrays.toString(wrong))
                    .isTrue();
        }
        for (double sum : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
            Files.write(folder.resolve(RunFolder.CHECKPOINT), original);
            byte[] file = rebuilt(metadata(), Map.of("state.sums", MemorySegment.ofArray(new double[] {sum, 1})));
            assertThat(refused(file, "sum " + sum)).isTrue();
        }
    }

    @Test
    void numbersThatNoRunHasWrittenAreRefusedByName() throws IOException {
        byte[] original = intact();
        for (String tensor : new String[] {"value.heads.bias", "moment0.heads.bias", "moment1.heads.bias"}) {
            for (float number : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, -1}) {
                Files.write(folder.resolve(RunFolder.CHECKPOINT), original);
                float[] numbers = {0, number};
                byte[] file = rebuilt(metadata(), Map.of(tensor, MemorySegment.ofArray(numbers)));
                boolean wrong = number != -1 || tensor.startsWith("moment1");
                assertThat(refused(file, tensor + " " + number))
                        .as(tensor + " " + number)
                        .isEqualTo(wrong);
            }
        }
    }

    @Test
    void aNumberOfRowsThatTheDataDoesNotHaveIsRefused() throws IOException {
        byte[] original = intact();
        // With six rows the counters would be as consistent as with five.
        for (String rows : new String[] {"6", "9223372036854775807"}) {
            Files.write(folder.resolve(RunFolder.CHECKPOINT), original);
            Map<String, String> metadata = metadata();
            metadata.compute("data", (key, text) -> String.valueOf(text).replace(":5,", ":" + rows + ","));
            assertThat(metadata.get("data")).contains(rows);
            assertThat(refused(rebuilt(metadata, Map.of()), rows)).as(rows).isTrue();
        }
    }

    @Test
    void aConfigurationThatClaimsAHugeModelIsRefusedBeforeAnythingIsAllocated() throws IOException {
        Map<String, String> metadata = metadata();
        String model = metadata.getOrDefault("model", "");
        String huge = model.replaceFirst("\"latent\":1", "\"latent\":1000000")
                .replaceFirst("\"encoder\":\\[2]", "\"encoder\":[1000000]");
        assertThat(huge).isNotEqualTo(model);
        metadata.put("model", huge);
        long peak = backend.info().bytesPeak();
        assertThat(refused(rebuilt(metadata, Map.of()), "huge")).isTrue();
        assertThat(backend.info().bytesPeak()).isEqualTo(peak);
    }

    @Test
    void aModelFileIsNoCheckpoint() throws IOException {
        Files.copy(
                folder.resolve("model.safetensors"),
                folder.resolve(RunFolder.CHECKPOINT),
                java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        assertThatThrownBy(() -> RunFolder.open(folder))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("not a checkpoint");
    }
}
