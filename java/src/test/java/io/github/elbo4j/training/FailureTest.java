package io.github.elbo4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.model.VaeGraph;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Numbers that are not finite, and folders that cannot be written: what is said, and what is still there afterwards. */
class FailureTest {
    private static final Dataset TRAIN = Runs.data(1, 61);
    private static final int STEPS_PER_EPOCH = 8;

    @TempDir
    Path root;

    private static VaeConfig model() {
        return VaeConfig.builder()
                .input(Runs.SHAPE)
                .hidden(7)
                .latent(3)
                .activation(Activation.RELU)
                .build();
    }

    /** Multiplies the weights at a step by a number so large that the next step overflows. */
    private static TrainingListener breakAt(Vae vae, long step) {
        return new TrainingListener() {
            @Override
            public void onProgress(Progress progress) {
                if (progress.step() == step) {
                    float[] weights = Runs.weights(vae);
                    for (int i = 0; i < weights.length; i++) {
                        weights[i] *= 1e30f;
                    }
                    vae.parameters().values().uploadFloats(weights);
                }
            }
        };
    }

    @Test
    void aLearningRateThatExplodesStopsAtTheFirstBadStepWithTheWeightsBeforeIt() throws IOException {
        for (Optimizer optimizer : new Optimizer[] {new Optimizer.Adam(1e30), new Optimizer.Sgd(1e25)}) {
            TrainingConfig training = Runs.training().optimizer(optimizer).build();
            try (Backend backend = Runs.backend(1);
                    Vae vae = Vae.create(backend, model(), 3);
                    Trainer trainer = Trainer.create(vae, training, TRAIN, null)) {
                NonFiniteException e = catchThrowableOfType(NonFiniteException.class, trainer::run);
                assertThat(e.step()).isPositive();
                assertThat(e)
                        .hasMessageContaining("step " + (e.step() + 1) + ":")
                        .hasMessageContaining("'" + e.tensor() + "' is not finite")
                        .hasMessageContaining("learning rate");
                float[] left = Runs.weights(vae);
                for (float weight : left) {
                    assertThat(weight).isFinite();
                }
                assertThat(left).isEqualTo(weightsAt(backend, training, e.step()));
                // It stays stopped: no later call goes on from there.
                assertThatThrownBy(trainer::run)
                        .isInstanceOf(NonFiniteException.class)
                        .hasMessage(e.getMessage());
                assertThat(Runs.weights(vae)).isEqualTo(left);
            }
        }
    }

    /** {@return the weights of a run that is cancelled after some steps} */
    private static float[] weightsAt(Backend backend, TrainingConfig training, long steps) throws IOException {
        try (Vae vae = Vae.create(backend, model(), 3);
                Trainer trainer = Trainer.create(vae, training, TRAIN, null)) {
            trainer.lookEvery(0);
            trainer.listen(new TrainingListener() {
                @Override
                public void onProgress(Progress progress) {
                    if (progress.step() == steps) {
                        trainer.cancel();
                    }
                }
            });
            assertThat(trainer.run().steps()).isEqualTo(steps);
            return Runs.weights(vae);
        }
    }

    @Test
    void aWeightThatIsNotANumberIsFoundAtItsFirstStep() throws IOException {
        for (String parameter : new String[] {"encoder.0.weight", "heads.bias", "decoder.0.bias", "logits.weight"}) {
            try (Backend backend = Runs.backend(1);
                    Vae vae = Vae.create(backend, Runs.model(), 3);
                    Trainer trainer = Trainer.create(vae, Runs.training().build(), TRAIN, null)) {
                float[] weights = Runs.weights(vae);
                weights[(int) vae.parameters().value(parameter).offset()] = Float.NaN;
                vae.parameters().values().uploadFloats(weights);
                NonFiniteException e = catchThrowableOfType(NonFiniteException.class, trainer::run);
                assertThat(e.step()).as(parameter).isZero();
                assertThat(e.tensor()).as(parameter).isEqualTo(VaeGraph.LOG_LIKELIHOOD);
                assertThat(Runs.weights(vae)).isEqualTo(weights);
            }
        }
    }

    @Test
    void aGradientThatIsNotFiniteIsNamedEvenWhereTheLossIs() throws IOException {
        // The parts of the loss are finite; this weight of the KL divergence is not in binary32.
        VaeConfig model = VaeConfig.builder()
                .input(Runs.SHAPE)
                .hidden(7)
                .latent(3)
                .activation(Activation.TANH)
                .beta(1e42)
                .build();
        try (Backend backend = Runs.backend(1);
                Vae vae = Vae.create(backend, model, 3);
                Trainer trainer = Trainer.create(vae, Runs.training().build(), TRAIN, null)) {
            float[] before = Runs.weights(vae);
            assertThatThrownBy(trainer::run)
                    .isInstanceOf(NonFiniteException.class)
                    .hasMessageContaining("step 1: 'gradient of encoder.0.weight'");
            assertThat(Runs.weights(vae)).isEqualTo(before);
        }
    }

    /** No step and no evaluation comes after it, so only the save can notice. */
    @Test
    void weightsThatTheLastStepMadeInfiniteAreNotSaved() throws IOException {
        Path folder = root.resolve("overflow");
        TrainingConfig training = Runs.training().epochs(1).build();
        try (Backend backend = Runs.backend(1);
                Vae vae = Vae.create(backend, model(), 3);
                Trainer trainer = Trainer.create(vae, training, TRAIN, null)) {
            trainer.keepIn(RunFolder.create(folder, "", TRAIN, null));
            trainer.listen(new TrainingListener() {
                @Override
                public void onProgress(Progress progress) {
                    if (progress.step() == STEPS_PER_EPOCH) {
                        float[] weights = Runs.weights(vae);
                        weights[(int) vae.parameters().value("logits.bias").offset()] = Float.POSITIVE_INFINITY;
                        vae.parameters().values().uploadFloats(weights);
                    }
                }
            });
            NonFiniteException e = catchThrowableOfType(NonFiniteException.class, trainer::run);
            assertThat(e.tensor()).isEqualTo("logits.bias");
            assertThat(e.step()).isEqualTo(STEPS_PER_EPOCH - 1);
            assertThat(folder).isEmptyDirectory();
        }
    }

    @Test
    void theCheckpointOfTheLastEpochOutlivesABadStepAndCanBeResumed() throws IOException {
        Path folder = root.resolve("run");
        TrainingConfig training = Runs.training().build();
        Map<String, String> saved = new TreeMap<>();
        try (Backend backend = Runs.backend(1);
                Vae vae = Vae.create(backend, model(), 3);
                Trainer trainer = Trainer.create(vae, training, TRAIN, null)) {
            trainer.lookEvery(0);
            trainer.keepIn(RunFolder.create(folder, "", TRAIN, null));
            trainer.listen(breakAt(vae, STEPS_PER_EPOCH + 3));
            trainer.listen(new TrainingListener() {
                @Override
                public void onCheckpoint(Path path, long step) {
                    assertThat(path).isEqualTo(folder);
                    assertThat(step).isEqualTo(STEPS_PER_EPOCH);
                    saved.putAll(Runs.files(path));
                }
            });
            NonFiniteException e = catchThrowableOfType(NonFiniteException.class, trainer::run);
            assertThat(e.step()).isEqualTo(STEPS_PER_EPOCH + 3);
        }
        assertThat(Runs.files(folder)).isEqualTo(saved);
        RunFolder.Resumable run = RunFolder.open(folder);
        assertThat(run.history()).hasSize(1);
        try (Backend backend = Runs.backend(1);
                Vae vae = run.restore(backend);
                Trainer trainer = run.trainer(vae, run.training(), "", TRAIN, null)) {
            assertThat(trainer.run().steps()).isEqualTo(3 * STEPS_PER_EPOCH);
            assertThat(Runs.weights(vae)).isEqualTo(Runs.weightsAfter(backend, model(), training, TRAIN));
        }
    }

    @Test
    void aListenerThatThrowsEndsTheRunWithTheLastCheckpointOnDisk() throws IOException {
        Path folder = root.resolve("run");
        try (Backend backend = Runs.backend(1);
                Vae vae = Vae.create(backend, model(), 3);
                Trainer trainer = Trainer.create(vae, Runs.training().build(), TRAIN, null)) {
            trainer.keepIn(RunFolder.create(folder, "", TRAIN, null));
            trainer.listen(new TrainingListener() {
                @Override
                public void onEpoch(EpochReport report) {
                    throw new UnsupportedOperationException("enough");
                }
            });
            assertThatThrownBy(trainer::run).hasMessage("enough");
        }
        assertThat(RunFolder.open(folder).history()).hasSize(1);
    }

    /** Runs with a folder that is spoilt after the first epoch; the second cannot be kept. */
    private Map<String, String> runWithFolderSpoilt(Path folder, Spoil spoil) throws IOException {
        Map<String, String> spoilt = new TreeMap<>();
        try (Backend backend = Runs.backend(1);
                Vae vae = Vae.create(backend, model(), 3);
                Trainer trainer = Trainer.create(vae, Runs.training().build(), TRAIN, null)) {
            trainer.keepIn(RunFolder.create(folder, "", TRAIN, null));
            trainer.listen(new TrainingListener() {
                @Override
                public void onEpoch(EpochReport report) {
                    try {
                        spoil.in(folder);
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                    if (Files.isDirectory(folder)) {
                        spoilt.putAll(Runs.files(folder));
                    }
                }
            });
            assertThatThrownBy(trainer::run).isInstanceOf(IOException.class).hasMessageContaining(folder.toString());
        }
        return spoilt;
    }

    @FunctionalInterface
    private interface Spoil {
        void in(Path folder) throws IOException;
    }

    @Test
    void aFolderThatIsMovedAwayEndsTheRunAndKeepsItsFiles() throws IOException {
        Path folder = root.resolve("run");
        Path away = root.resolve("away");
        runWithFolderSpoilt(folder, path -> Files.move(path, away));
        assertThat(folder).doesNotExist();
        assertThat(RunFolder.open(away).history()).hasSize(1);
    }

    @Test
    void aFileThatCannotBeReplacedEndsTheRunAndKeepsTheOthers() throws IOException {
        for (String name : new String[] {RunFolder.CHECKPOINT, RunFolder.HISTORY, "model.safetensors", "config.json"}) {
            Path folder = root.resolve("run " + name);
            // A folder under the name that the new file is written to stops even root.
            Map<String, String> spoilt = runWithFolderSpoilt(folder, path -> {
                Path blocked = Files.createDirectories(path.resolve("." + name + ".partial"));
                Files.writeString(blocked.resolve("x"), "in the way");
            });
            Map<String, String> after = Runs.files(folder);
            assertThat(after.keySet()).isEqualTo(spoilt.keySet());
            if (name.equals(RunFolder.CHECKPOINT)) {
                assertThat(after).isEqualTo(spoilt);
            }
            assertThat(RunFolder.open(folder).history()).hasSize(name.equals(RunFolder.CHECKPOINT) ? 1 : 2);

            // With the obstacle gone the run goes on, and ends as if nothing had been.
            Files.delete(folder.resolve("." + name + ".partial/x"));
            Files.delete(folder.resolve("." + name + ".partial"));
            RunFolder.Resumable run = RunFolder.open(folder);
            try (Backend backend = Runs.backend(1);
                    Vae vae = run.restore(backend);
                    Trainer trainer = run.trainer(vae, run.training(), "", TRAIN, null)) {
                trainer.run();
                assertThat(Runs.weights(vae))
                        .isEqualTo(Runs.weightsAfter(
                                backend, model(), Runs.training().build(), TRAIN));
            }
            assertThat(Runs.files(folder)).hasSize(4);
        }
    }
}
