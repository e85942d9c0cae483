package io.github.elbo4j.training;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.data.Digits;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.model.VaeFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The same bits from the same seed: on any number of threads, in any chunks, and for two runs on every machine. */
class DeterminismTest {
    private static final String GOLDEN_ADAM = "871179717750fb0d706f426d8058531db193e8a9b7a0f65c10cd17b66205a6ca";
    private static final String GOLDEN_SGD = "8bd655716112797dcd8c3100dc689840bf58f0931fbcb39e19c26fe3d0c45c9c";

    @TempDir
    Path root;

    private byte[] modelFile(int threads, long modelSeed, long seed) throws IOException {
        Path folder = Files.createTempDirectory(root, "model");
        try (Backend backend = Runs.backend(threads);
                Vae vae = Vae.create(backend, Runs.model(), modelSeed);
                Trainer trainer = Trainer.create(
                        vae,
                        Runs.training().seed(seed).pixels(Pixels.BERNOULLI).build(),
                        Runs.data(1, 61),
                        Runs.data(2, 9))) {
            trainer.run();
            VaeFiles.save(vae, folder);
        }
        return Files.readAllBytes(folder.resolve(VaeFiles.WEIGHTS));
    }

    @Test
    void equalSeedsGiveEqualFilesOnAnyNumberOfThreads() throws IOException {
        byte[] one = modelFile(1, 3, 5);
        assertThat(modelFile(1, 3, 5)).isEqualTo(one);
        assertThat(modelFile(2, 3, 5)).isEqualTo(one);
        assertThat(modelFile(3, 3, 5)).isEqualTo(one);
        assertThat(modelFile(1, 3, 6)).isNotEqualTo(one);
        assertThat(modelFile(1, 4, 5)).isNotEqualTo(one);
    }

    @Test
    void lossesOfTrainingWithASampledZAreReproducible() throws IOException {
        List<List<EpochReport>> histories = new ArrayList<>();
        for (int threads : new int[] {1, 1, 3}) {
            try (Backend backend = Runs.backend(threads);
                    Vae vae = Vae.create(backend, Runs.model(), 3);
                    Trainer trainer = Trainer.create(vae, Runs.training().build(), Runs.data(1, 61), Runs.data(2, 9))) {
                histories.add(trainer.run().history());
            }
        }
        assertThat(histories).allSatisfy(history -> {
            assertThat(history).hasSize(3);
            assertThat(Runs.losses(history)).isEqualTo(Runs.losses(histories.getFirst()));
        });
    }

    @Test
    void aRunOwesNothingToAnEarlierRunOfTheSameModel() throws IOException {
        Dataset data = Runs.data(1, 61);
        try (Backend backend = Runs.backend(1);
                Vae vae = Vae.create(backend, Runs.model(), 3);
                Vae other = Vae.create(backend, Runs.model(), 4)) {
            try (Trainer trainer = Trainer.create(vae, Runs.training().build(), data, null)) {
                trainer.run();
            }
            other.parameters().values().uploadFloats(Runs.weights(vae));
            for (Vae model : List.of(vae, other)) {
                try (Trainer trainer = Trainer.create(model, Runs.training().build(), data, null)) {
                    trainer.run();
                }
            }
            assertThat(Runs.weights(other)).isEqualTo(Runs.weights(vae));
        }
    }

    @Test
    void chunksOfStepsAndTheEndOfAScheduleLeaveNoTrace() throws IOException {
        // 5,003 steps: past the 4,096 for which the schedule is uploaded at a time.
        TrainingConfig training = Runs.training().epochs(1).batch(1).build();
        Dataset data = Runs.data(1, 5003);
        List<float[]> weights = new ArrayList<>();
        for (long nanos : new long[] {0, 10_000, 1_000_000, Long.MAX_VALUE / 5000}) {
            try (Backend backend = Runs.backend(1);
                    Vae vae = Vae.create(backend, Runs.model(), 3);
                    Trainer trainer = Trainer.create(vae, training, data, null)) {
                int[] looks = {0};
                trainer.lookEvery(nanos);
                trainer.listen(new TrainingListener() {
                    @Override
                    public void onProgress(Progress progress) {
                        looks[0]++;
                    }
                });
                assertThat(trainer.run().steps()).isEqualTo(5003);
                if (nanos == 0) {
                    assertThat(looks[0]).isEqualTo(5003);
                } else if (nanos == Long.MAX_VALUE / 5000) {
                    assertThat(looks[0]).isEqualTo(3);
                }
                weights.add(Runs.weights(vae));
            }
        }
        assertThat(weights).allSatisfy(values -> assertThat(values).isEqualTo(weights.getFirst()));
    }

    /** 580 digits, 784-64-8, two epochs of batch 50 and a rest of 30. */
    private static String hashOfRun(Activation activation, Optimizer optimizer, Pixels pixels) throws IOException {
        VaeConfig model =
                VaeConfig.builder().hidden(64).latent(8).activation(activation).build();
        TrainingConfig training = TrainingConfig.builder()
                .epochs(2)
                .batch(50)
                .optimizer(optimizer)
                .seed(1)
                .pixels(pixels)
                .build();
        try (Backend backend = Runs.backend(2)) {
            float[] weights = Runs.weightsAfter(
                    backend, model, training, Digits.split(600).train().slice(0, 580));
            ByteBuffer bytes = ByteBuffer.allocate(weights.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(weights);
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void assertGolden(String constant, String expected, String actual) {
        assertThat(actual)
                .as(
                        "bits of a short run, which are the same on every machine and may change only with the numerics or"
                                + " the drawn digits; after such a change, copy the hash found here into %s",
                        constant)
                .isEqualTo(expected);
    }

    @Test
    void aShortRunOfAdamHasTheGoldenBits() throws IOException {
        assertGolden("GOLDEN_ADAM", GOLDEN_ADAM, hashOfRun(Activation.RELU, new Optimizer.Adam(1e-3), Pixels.UNIT));
    }

    @Test
    void aShortRunOfSgdHasTheGoldenBits() throws IOException {
        assertGolden("GOLDEN_SGD", GOLDEN_SGD, hashOfRun(Activation.TANH, new Optimizer.Sgd(0.01), Pixels.BERNOULLI));
    }
}
