package io.github.elbo4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.SafetensorsFile;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.model.VaeFiles;
import io.github.elbo4j.testkit.TestSeed;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs that are stopped, at any step and as often as wanted, end with the bits of a run that was not. */
class ResumeTest {
    private static final String NAME = "made by a test";
    private static final Dataset TRAIN = Runs.data(1, 61);
    private static final Dataset TEST = Runs.data(2, 9);
    private static final int STEPS_PER_EPOCH = 8;

    @TempDir
    Path root;

    /** Runs to the end without a stop. */
    private TrainingResult straight(TrainingConfig training, Path folder) throws IOException {
        return first(1, training, folder, Long.MAX_VALUE);
    }

    /** Starts a run and cancels it after some steps. */
    private TrainingResult first(int threads, TrainingConfig training, Path folder, long stopAfter) throws IOException {
        try (Backend backend = Runs.backend(threads);
                Vae vae = Vae.create(backend, Runs.model(), 3);
                Trainer trainer = Trainer.create(vae, training, TRAIN, TEST)) {
            trainer.keepIn(RunFolder.create(folder, NAME, TRAIN, TEST));
            return runUntil(trainer, stopAfter);
        }
    }

    /** Resumes a run and cancels it after some more steps. */
    private TrainingResult next(int threads, Path folder, int epochs, long stopAfter) throws IOException {
        RunFolder.Resumable run = RunFolder.open(folder);
        assertThat(run.dataSpec()).isEqualTo(NAME);
        assertThat(run.profile()).isEqualTo("java-fp32");
        try (Backend backend = Runs.backend(threads);
                Vae vae = run.restore(backend);
                Trainer trainer = run.trainer(vae, run.training().withEpochs(epochs), NAME, TRAIN, TEST)) {
            return runUntil(trainer, stopAfter);
        }
    }

    private static TrainingResult runUntil(Trainer trainer, long stopAfter) throws IOException {
        trainer.lookEvery(0);
        long[] looks = {0};
        trainer.listen(new TrainingListener() {
            @Override
            public void onProgress(Progress progress) {
                looks[0]++;
                if (looks[0] >= stopAfter) {
                    trainer.cancel();
                }
            }
        });
        return trainer.run();
    }

    private static void assertSameRun(Path resumed, TrainingResult end, Path straight, TrainingResult expected)
            throws IOException {
        assertThat(end.cancelled()).isFalse();
        assertThat(end.steps()).isEqualTo(expected.steps());
        assertThat(Runs.losses(end.history())).isEqualTo(Runs.losses(expected.history()));
        Runs.assertSameBytes(resumed.resolve(VaeFiles.WEIGHTS), straight.resolve(VaeFiles.WEIGHTS), VaeFiles.WEIGHTS);
        Runs.assertSameBytes(resumed.resolve(VaeFiles.CONFIG), straight.resolve(VaeFiles.CONFIG), VaeFiles.CONFIG);
        SafetensorsFile one = SafetensorsFile.read(resumed.resolve(RunFolder.CHECKPOINT));
        SafetensorsFile other = SafetensorsFile.read(straight.resolve(RunFolder.CHECKPOINT));
        assertThat(one.names()).isEqualTo(other.names());
        for (String name : one.names()) {
            assertThat(one.data(name).toArray(ValueLayout.JAVA_BYTE))
                    .as(name)
                    .isEqualTo(other.data(name).toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Test
    void runsThatStopAtRandomStepsEndWithTheBitsOfOneThatDoesNot() throws IOException {
        Random random = TestSeed.random(ResumeTest.class);
        List<TrainingConfig> configs = List.of(
                Runs.training().build(),
                Runs.training()
                        .optimizer(new Optimizer.Sgd(0.01))
                        .reduction(Reduction.SUM)
                        .pixels(Pixels.BERNOULLI)
                        .build(),
                Runs.training().shuffle(false).batch(61).epochs(12).build());
        for (int c = 0; c < configs.size(); c++) {
            TrainingConfig training = configs.get(c);
            Path straight = root.resolve("straight" + c);
            TrainingResult expected = straight(training, straight);
            assertThat(expected.steps()).isEqualTo(c == 2 ? 12 : 3L * STEPS_PER_EPOCH);
            for (int i = 0; i < 2; i++) {
                Path folder = root.resolve("stopped" + c + "-" + i);
                int stops = 0;
                TrainingResult end = first(1 + random.nextInt(3), training, folder, 1 + random.nextInt(6));
                while (end.cancelled()) {
                    assertThat(stops++).isLessThan(40);
                    end = next(1 + random.nextInt(3), folder, training.epochs(), 1 + random.nextInt(6));
                }
                assertThat(stops).isPositive();
                assertSameRun(folder, end, straight, expected);
            }
        }
    }

    @Test
    void everyStepIsAPlaceToStopAt() throws IOException {
        TrainingConfig training = Runs.training().epochs(2).build();
        Path straight = root.resolve("straight");
        TrainingResult expected = straight(training, straight);
        for (int step = 1; step < 2 * STEPS_PER_EPOCH; step++) {
            Path folder = root.resolve("at" + step);
            TrainingResult stopped = first(1, training, folder, step);
            assertThat(stopped.cancelled()).isTrue();
            assertThat(stopped.steps()).isEqualTo(step);
            assertSameRun(folder, next(2, folder, 2, Long.MAX_VALUE), straight, expected);
        }
    }

    @Test
    void aRunCancelledBeforeItsFirstStepBeginsWhenResumed() throws IOException {
        TrainingConfig training = Runs.training().build();
        Path straight = root.resolve("straight");
        TrainingResult expected = straight(training, straight);
        Path folder = root.resolve("cancelled");
        try (Backend backend = Runs.backend(1);
                Vae vae = Vae.create(backend, Runs.model(), 3);
                Trainer trainer = Trainer.create(vae, training, TRAIN, TEST)) {
            trainer.keepIn(RunFolder.create(folder, NAME, TRAIN, TEST)).cancel();
            TrainingResult nothing = trainer.run();
            assertThat(nothing.steps()).isZero();
            assertThat(nothing.cancelled()).isTrue();
        }
        assertSameRun(folder, next(1, folder, 3, Long.MAX_VALUE), straight, expected);
    }

    @Test
    void aCancelFromAnotherThreadStopsAtAStepBorder() throws Exception {
        Path folder = root.resolve("cancelled");
        TrainingResult stopped;
        try (Backend backend = Runs.backend(2);
                Vae vae = Vae.create(backend, Runs.model(), 3);
                Trainer trainer =
                        Trainer.create(vae, Runs.training().epochs(100_000).build(), TRAIN, TEST)) {
            trainer.keepIn(RunFolder.create(folder, NAME, TRAIN, TEST));
            Thread other = Thread.ofPlatform().start(() -> {
                try {
                    Thread.sleep(50);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                trainer.cancel();
            });
            stopped = trainer.run();
            other.join();
        }
        assertThat(stopped.cancelled()).isTrue();
        int epochs = stopped.history().size() + 1;
        Path straight = root.resolve("straight");
        TrainingResult expected = straight(Runs.training().epochs(epochs).build(), straight);
        // The configurations differ in the epochs asked for, so only weights and losses are the same.
        TrainingResult end = next(1, folder, epochs, Long.MAX_VALUE);
        assertThat(Runs.losses(end.history())).isEqualTo(Runs.losses(expected.history()));
        Runs.assertSameBytes(folder.resolve(VaeFiles.WEIGHTS), straight.resolve(VaeFiles.WEIGHTS), "the weights");
    }

    @Test
    void aTrainerWhoseFolderFailedGoesOnWhenItIsRunAgain() throws IOException {
        TrainingConfig training = Runs.training().build();
        Path straight = root.resolve("straight");
        TrainingResult expected = straight(training, straight);
        Path folder = root.resolve("failed");
        try (Backend backend = Runs.backend(1);
                Vae vae = Vae.create(backend, Runs.model(), 3);
                Trainer trainer = Trainer.create(vae, training, TRAIN, TEST)) {
            trainer.keepIn(RunFolder.create(folder, NAME, TRAIN, TEST));
            Path blocked = Files.createDirectories(folder.resolve("." + RunFolder.CHECKPOINT + ".partial/x"));
            assertThatThrownBy(trainer::run).isInstanceOf(IOException.class);
            Files.delete(blocked);
            Files.delete(java.util.Objects.requireNonNull(blocked.getParent()));
            assertSameRun(folder, trainer.run(), straight, expected);
        }
    }

    @Test
    void theRunWithoutAFolderHasTheSameWeights() throws IOException {
        TrainingConfig training = Runs.training().build();
        Path straight = root.resolve("straight");
        straight(training, straight);
        try (Backend backend = Runs.backend(1);
                Vae kept = VaeFiles.load(backend, straight)) {
            assertThat(Runs.weights(kept)).isEqualTo(Runs.weightsAfter(backend, Runs.model(), training, TRAIN));
        }
    }

    @Test
    void aFinishedRunIsLeftAsItIsAndGoesOnWithMoreEpochs() throws IOException {
        Path straight = root.resolve("straight");
        TrainingResult expected = straight(Runs.training().epochs(5).build(), straight);
        Path folder = root.resolve("extended");
        TrainingResult three = straight(Runs.training().epochs(3).build(), folder);
        byte[] weights = Files.readAllBytes(folder.resolve(VaeFiles.WEIGHTS));

        TrainingResult again = next(1, folder, 3, Long.MAX_VALUE);
        assertThat(again).isEqualTo(three);
        assertThat(Files.readAllBytes(folder.resolve(VaeFiles.WEIGHTS))).isEqualTo(weights);

        assertSameRun(folder, next(1, folder, 5, Long.MAX_VALUE), straight, expected);
    }

    @Test
    void theOtherFilesAreWrittenAgainFromTheCheckpoint() throws IOException {
        TrainingConfig training = Runs.training().build();
        Path folder = root.resolve("run");
        straight(training, folder);
        var complete = Runs.files(folder);
        assertThat(complete.keySet())
                .containsExactlyInAnyOrder(RunFolder.CHECKPOINT, RunFolder.HISTORY, VaeFiles.CONFIG, VaeFiles.WEIGHTS);
        Files.delete(folder.resolve(VaeFiles.WEIGHTS));
        Files.writeString(folder.resolve(VaeFiles.CONFIG), "half a fi");
        Files.delete(folder.resolve(RunFolder.HISTORY));

        next(1, folder, 3, Long.MAX_VALUE);

        assertThat(Runs.files(folder)).isEqualTo(complete);
    }

    @Test
    void theHistoryTableHasALineAnEpoch() throws IOException {
        Path folder = root.resolve("run");
        TrainingResult result = straight(Runs.training().build(), folder);
        List<String> lines = Files.readAllLines(folder.resolve(RunFolder.HISTORY));
        assertThat(lines)
                .hasSize(4)
                .first()
                .isEqualTo("epoch,train_reconstruction,train_kl,train_loss,test_reconstruction,test_kl,test_loss,"
                        + "train_seconds,test_seconds");
        for (EpochReport epoch : result.history()) {
            String[] cells = lines.get(epoch.epoch()).split(",", -1);
            assertThat(cells).hasSize(9);
            assertThat(cells[0]).isEqualTo(Integer.toString(epoch.epoch()));
            assertThat(Double.parseDouble(cells[1])).isEqualTo(epoch.train().reconstruction());
            assertThat(Double.parseDouble(cells[2])).isEqualTo(epoch.train().kl());
            assertThat(Double.parseDouble(cells[3])).isEqualTo(epoch.train().loss());
            assertThat(epoch.test()).isNotNull();
            assertThat(cells[6])
                    .isEqualTo(Double.toString(
                            java.util.Objects.requireNonNull(epoch.test()).loss()));
        }
    }

    @Test
    void otherDataAndOtherConfigurationsAreRefusedAndNothingChanges() throws IOException {
        Path folder = root.resolve("run");
        first(1, Runs.training().build(), folder, 5);
        var before = Runs.files(folder);
        RunFolder.Resumable run = RunFolder.open(folder);
        TrainingConfig training = run.training();
        assertThat(training).isEqualTo(Runs.training().build());
        assertThat(run.model()).isEqualTo(Runs.model());
        assertThat(run.history()).isEmpty();
        try (Backend backend = Runs.backend(1);
                Vae vae = run.restore(backend)) {
            for (Dataset[] data : new Dataset[][] {
                {Runs.data(3, 61), TEST}, {TRAIN, Runs.data(3, 9)}, {TRAIN.slice(0, 60), TEST}, {TEST, TRAIN}
            }) {
                assertThatThrownBy(() -> run.trainer(vae, training, NAME, data[0], data[1]))
                        .isInstanceOf(FormatException.class)
                        .hasMessageContaining("other data")
                        .hasMessageContaining(folder.toString())
                        .hasMessageContaining("61 training rows");
            }
            assertThatThrownBy(() -> run.trainer(vae, training, NAME, TRAIN, null))
                    .isInstanceOf(FormatException.class);
            for (TrainingConfig.Builder other : List.of(
                    Runs.training().batch(9),
                    Runs.training().seed(6),
                    Runs.training().shuffle(false),
                    Runs.training().pixels(Pixels.BERNOULLI),
                    Runs.training().reduction(Reduction.SUM),
                    Runs.training().optimizer(new Optimizer.Adam(1e-4)),
                    Runs.training().optimizer(new Optimizer.Sgd(1e-3)))) {
                assertThatThrownBy(() -> run.trainer(vae, other.build(), NAME, TRAIN, TEST))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("keeps its configuration");
            }
            VaeConfig wider =
                    VaeConfig.builder().input(Runs.SHAPE).hidden(8).latent(3).build();
            try (Vae other = Vae.create(backend, wider, 1)) {
                assertThatThrownBy(() -> run.trainer(other, training, NAME, TRAIN, TEST))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("model");
            }
        }
        assertThat(Runs.files(folder)).isEqualTo(before);
    }

    @Test
    void aCheckpointOfTheOraclesPrecisionIsRefusedByTheOther() throws IOException {
        Path folder = root.resolve("run");
        try (Backend backend = Runs.backend64();
                Vae vae = Vae.create(backend, Runs.model(), 3);
                Trainer trainer = Trainer.create(vae, Runs.training().build(), TRAIN, null)) {
            trainer.keepIn(RunFolder.create(folder, NAME, TRAIN, null)).run();
        }
        RunFolder.Resumable run = RunFolder.open(folder);
        assertThat(run.profile()).isEqualTo("java-fp64");
        try (Backend backend = Runs.backend(1)) {
            assertThatThrownBy(() -> run.restore(backend))
                    .isInstanceOf(FormatException.class)
                    .hasMessageContaining("F64")
                    .hasMessageContaining("F32")
                    .hasMessageContaining(RunFolder.CHECKPOINT);
            assertThatThrownBy(() -> VaeFiles.load(backend, folder))
                    .isInstanceOf(FormatException.class)
                    .hasMessageContaining("F64");
            assertThat(backend.info().bytesInUse()).isZero();
        }
        try (Backend backend = Runs.backend64();
                Vae vae = run.restore(backend);
                Trainer trainer = run.trainer(vae, run.training().withEpochs(4), NAME, TRAIN, null)) {
            assertThat(trainer.run().steps()).isEqualTo(4L * STEPS_PER_EPOCH);
        }
    }

    @Test
    void aFolderWithARunIsNotTakenForANewOne() throws IOException {
        Path folder = root.resolve("run");
        straight(Runs.training().epochs(1).build(), folder);
        var before = Runs.files(folder);
        assertThatThrownBy(() -> RunFolder.create(folder, NAME, TRAIN, TEST))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("already holds")
                .hasMessageContaining("resume");
        assertThat(Runs.files(folder)).isEqualTo(before);
        assertThatThrownBy(() -> RunFolder.open(root))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining(RunFolder.CHECKPOINT);
    }

    @Test
    void aFolderThatCannotBeMadeIsRefusedAtOnce() throws IOException {
        Path file = Files.writeString(root.resolve("file"), "not a folder");
        for (Path folder : List.of(file, file.resolve("below"))) {
            assertThatThrownBy(() -> RunFolder.create(folder, NAME, TRAIN, TEST))
                    .isInstanceOf(FormatException.class)
                    .hasMessageContaining(folder.toString());
        }
        assertThat(Files.readString(file)).isEqualTo("not a folder");
    }
}
