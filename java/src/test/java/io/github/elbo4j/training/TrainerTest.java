package io.github.elbo4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DataKernels.Order;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.model.LatentMode;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.model.VaeGraph;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Update rules by hand, the meaning of beta and reduction, kinds of data, and who owns what. */
class TrainerTest {
    private static final Dataset DATA = Runs.data(1, 21);

    /** {@return the gradients of the first step on some data, with all rows in one batch} */
    private static double[] gradients(Vae vae, Dataset data, double klWeight, Reduction reduction) {
        try (Workspace workspace = vae.backend().workspace("gradients")) {
            StepState state = workspace.stepState(5, List.of(), 0, List.of(VaeGraph.LOG_LIKELIHOOD, VaeGraph.KL));
            var resident = ResidentData.upload(workspace, data);
            workspace
                    .record(state, Rows.of(data.rows()), step -> {
                        vae.graph()
                                .gradients(
                                        step,
                                        state,
                                        resident,
                                        Order.shuffled(data.rows()),
                                        Pixels.UNIT,
                                        Scalar.of(klWeight),
                                        reduction);
                        step.optimizer().advance(state);
                    })
                    .run(1);
            return vae.parameters().gradients().downloadDoubles();
        }
    }

    private static double[] train(Backend backend, VaeConfig model, TrainingConfig.Builder training)
            throws IOException {
        try (Vae vae = Vae.create(backend, model, 3);
                Trainer trainer = Trainer.create(vae, training.build(), DATA, null)) {
            trainer.run();
            return vae.parameters().values().downloadDoubles();
        }
    }

    @Test
    void twoStepsOfAdamAreThePublishedFormulas() throws IOException {
        double rate = 0.02;
        double beta1 = 0.8;
        double beta2 = 0.95;
        double epsilon = 1e-3;
        TrainingConfig training = Runs.training()
                .epochs(2)
                .batch(21)
                .optimizer(new Optimizer.Adam(rate, beta1, beta2, epsilon))
                .build();
        try (Backend backend = Runs.backend64();
                Vae vae = Vae.create(backend, Runs.model(), 3)) {
            double[] w = vae.parameters().values().downloadDoubles();
            double[] m = new double[w.length];
            double[] v = new double[w.length];
            List<double[]> seen = new ArrayList<>();
            try (Trainer trainer = Trainer.create(vae, training, DATA, null)) {
                trainer.lookEvery(0);
                trainer.listen(new TrainingListener() {
                    @Override
                    public void onProgress(Progress progress) {
                        seen.add(vae.parameters().gradients().downloadDoubles());
                        seen.add(vae.parameters().values().downloadDoubles());
                        seen.add(vae.parameters().moment(0).downloadDoubles());
                        seen.add(vae.parameters().moment(1).downloadDoubles());
                    }
                });
                trainer.run();
            }
            assertThat(seen).hasSize(8);
            for (int t = 1; t <= 2; t++) {
                double[] g = seen.get(4 * t - 4);
                for (int i = 0; i < w.length; i++) {
                    m[i] = beta1 * m[i] + (1 - beta1) * g[i];
                    v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
                    double first = m[i] / (1 - Math.pow(beta1, t));
                    double second = v[i] / (1 - Math.pow(beta2, t));
                    w[i] -= rate * first / (Math.sqrt(second) + epsilon);
                }
                assertThat(seen.get(4 * t - 3)).containsExactly(w, within(1e-15));
                assertThat(seen.get(4 * t - 2)).containsExactly(m, within(1e-15));
                assertThat(seen.get(4 * t - 1)).containsExactly(v, within(1e-15));
            }
        }
    }

    @Test
    void correctionsGoOnWhereOneScheduleEndsAndTheNextBegins() throws IOException {
        TrainingConfig training = Runs.training()
                .epochs(1)
                .batch(1)
                .optimizer(new Optimizer.Adam(1e-3, 0.9, 0.9999, 1e-8))
                .build();
        Set<Long> checked = new HashSet<>();
        try (Backend backend = Runs.backend64();
                Vae vae = Vae.create(backend, Runs.model(), 3);
                Trainer trainer = Trainer.create(vae, training, Runs.data(1, 4100), null)) {
            double[][] before = {vae.parameters().values().downloadDoubles()};
            trainer.lookEvery(0);
            trainer.listen(new TrainingListener() {
                @Override
                public void onProgress(Progress progress) {
                    long t = progress.step();
                    if (t < 4094) {
                        return;
                    }
                    double[] w = vae.parameters().values().downloadDoubles();
                    double[] m = vae.parameters().moment(0).downloadDoubles();
                    double[] v = vae.parameters().moment(1).downloadDoubles();
                    for (int i = 0; i < w.length && t > 4094; i++) {
                        double first = m[i] / (1 - Math.pow(0.9, (double) t));
                        double second = v[i] / (1 - Math.pow(0.9999, (double) t));
                        double update = 1e-3 * first / (Math.sqrt(second) + 1e-8);
                        assertThat(w[i]).as("step %d", t).isCloseTo(before[0][i] - update, within(1e-15));
                        checked.add(t);
                    }
                    before[0] = w;
                }
            });
            trainer.run();
        }
        assertThat(checked).containsExactlyInAnyOrder(4095L, 4096L, 4097L, 4098L, 4099L, 4100L);
    }

    @Test
    void aStepOfGradientDescentIsTheGradientTimesTheRate() throws IOException {
        try (Backend backend = Runs.backend64();
                Vae vae = Vae.create(backend, Runs.model(), 3)) {
            double[] w = vae.parameters().values().downloadDoubles();
            double[] g = gradients(vae, DATA, 1, Reduction.MEAN);
            TrainingConfig training = Runs.training()
                    .epochs(1)
                    .batch(21)
                    .optimizer(new Optimizer.Sgd(0.3))
                    .build();
            try (Trainer trainer = Trainer.create(vae, training, DATA, null)) {
                assertThat(trainer.run().steps()).isEqualTo(1);
            }
            for (int i = 0; i < w.length; i++) {
                w[i] -= 0.3 * g[i];
            }
            assertThat(g).isNotEqualTo(new double[g.length]);
            assertThat(vae.parameters().values().downloadDoubles()).containsExactly(w, within(1e-15));
        }
    }

    @Test
    void betaScalesTheGradientOfTheKlDivergenceAndNothingElse() throws IOException {
        try (Backend backend = Runs.backend64()) {
            double[] start;
            try (Vae vae = Vae.create(backend, Runs.model(), 3)) {
                start = vae.parameters().values().downloadDoubles();
            }
            // One step of descent shows the gradient: (start - end) / rate.
            double[][] gradients = new double[5][];
            double[] betas = {0, 1, 4, 0.25, 1000};
            for (int b = 0; b < betas.length; b++) {
                gradients[b] = train(
                        backend,
                        withBeta(betas[b]),
                        Runs.training().epochs(1).batch(21).optimizer(new Optimizer.Sgd(1e-3)));
                for (int i = 0; i < start.length; i++) {
                    gradients[b][i] = (start[i] - gradients[b][i]) / 1e-3;
                }
            }
            double largest = 0;
            for (int i = 0; i < start.length; i++) {
                double kl = gradients[1][i] - gradients[0][i];
                largest = Math.max(largest, Math.abs(kl));
                assertThat(gradients[2][i] - gradients[0][i]).isCloseTo(4 * kl, within(1e-10));
                assertThat(gradients[3][i] - gradients[0][i]).isCloseTo(0.25 * kl, within(1e-10));
                assertThat(gradients[4][i] - gradients[0][i]).isCloseTo(1000 * kl, within(1e-9));
            }
            assertThat(largest).isGreaterThan(0.01);
        }
    }

    private static VaeConfig withBeta(double beta) {
        return VaeConfig.builder()
                .input(Runs.SHAPE)
                .hidden(7, 5)
                .latent(3)
                .activation(Activation.TANH)
                .beta(beta)
                .build();
    }

    @Test
    void aLargerBetaTrainsASmallerKlDivergence() throws IOException {
        List<Double> kls = new ArrayList<>();
        try (Backend backend = Runs.backend64()) {
            for (double beta : new double[] {0, 0.2, 1, 50}) {
                try (Vae vae = Vae.create(backend, withBeta(beta), 3);
                        Trainer trainer = Trainer.create(
                                vae,
                                Runs.training()
                                        .epochs(150)
                                        .optimizer(new Optimizer.Adam(0.01))
                                        .build(),
                                DATA,
                                null)) {
                    EpochReport last = trainer.run().history().getLast();
                    kls.add(last.train().kl());
                    assertThat(last.train().loss())
                            .isEqualTo(last.train().reconstruction()
                                    + beta * last.train().kl());
                }
            }
        }
        assertThat(kls).isSortedAccordingTo((a, b) -> Double.compare(b, a));
        assertThat(kls.getLast()).isLessThan(0.01);
        assertThat(kls.getFirst()).isGreaterThan(5 * kls.get(2));
    }

    @Test
    void withoutALatentTheDecoderLearnsThePixelMeansAndTheLossIsTheirEntropy() throws IOException {
        try (Backend backend = Runs.backend64();
                Vae vae = Vae.create(backend, withBeta(100), 3);
                Trainer trainer = Trainer.create(
                        vae,
                        Runs.training()
                                .epochs(1500)
                                .batch(21)
                                .optimizer(new Optimizer.Adam(0.01))
                                .build(),
                        DATA,
                        null)) {
            trainer.run();
            double entropy = 0;
            for (int j = 0; j < DATA.columns(); j++) {
                double mean = 0;
                for (int row = 0; row < DATA.rows(); row++) {
                    mean += Byte.toUnsignedInt(DATA.values()
                                    .get(java.lang.foreign.ValueLayout.JAVA_BYTE, (long) row * DATA.columns() + j))
                            / 255.0
                            / DATA.rows();
                }
                entropy -= mean * Math.log(mean) + (1 - mean) * Math.log(1 - mean);
            }
            try (Evaluator evaluator = new Evaluator(vae, DATA, LatentMode.MEAN, Pixels.UNIT, 1, 8)) {
                assertThat(evaluator.evaluate().losses().reconstruction()).isCloseTo(entropy, within(0.02));
            }
        }
    }

    @Test
    void theSumOverABatchIsItsMeanTimesItsRows() throws IOException {
        // 20 of the 21 rows in two batches of 10: with equal batches the rate takes the factor up.
        Dataset data = DATA.slice(0, 20);
        try (Backend backend = Runs.backend64()) {
            List<double[]> ends = new ArrayList<>();
            for (Reduction reduction : Reduction.values()) {
                double rate = reduction == Reduction.SUM ? 0.01 : 0.1;
                TrainingConfig training = Runs.training()
                        .batch(10)
                        .reduction(reduction)
                        .optimizer(new Optimizer.Sgd(rate))
                        .build();
                try (Vae vae = Vae.create(backend, Runs.model(), 3);
                        Trainer trainer = Trainer.create(vae, training, data, null)) {
                    assertThat(trainer.run().steps()).isEqualTo(6);
                    ends.add(vae.parameters().values().downloadDoubles());
                }
            }
            assertThat(ends.get(0)).containsExactly(ends.get(1), within(1e-12));
        }
    }

    @Test
    void floatsThatEqualTheBytesGiveTheSameBits() throws IOException {
        for (Pixels pixels : List.of(Pixels.UNIT, Pixels.BERNOULLI)) {
            float[] unit = new float[(int) DATA.values().byteSize()];
            for (int i = 0; i < unit.length; i++) {
                unit[i] = Byte.toUnsignedInt(DATA.values().get(java.lang.foreign.ValueLayout.JAVA_BYTE, i)) / 255f;
            }
            TrainingConfig training = Runs.training().pixels(pixels).build();
            try (Backend backend = Runs.backend(2)) {
                assertThat(Runs.weightsAfter(backend, Runs.model(), training, Dataset.ofFloats(unit, DATA.shape())))
                        .as("%s", pixels)
                        .isEqualTo(Runs.weightsAfter(backend, Runs.model(), training, DATA));
            }
        }
    }

    @Test
    void valuesThatAreNoProbabilitiesAreRefusedAndNamed() {
        try (Backend backend = Runs.backend(1);
                Vae vae = Vae.create(backend, Runs.model(), 3)) {
            long before = backend.info().bytesInUse();
            for (float wrong : new float[] {-0.001f, 1.001f, 255, Float.NaN, Float.POSITIVE_INFINITY}) {
                float[] values = new float[3 * Runs.SHAPE.size()];
                values[Runs.SHAPE.size() + 2] = wrong;
                Dataset data = Dataset.ofFloats(values, Runs.SHAPE);
                for (int i = 0; i < 2; i++) {
                    Dataset train = i == 0 ? data : DATA;
                    Dataset test = i == 0 ? DATA : data;
                    assertThatThrownBy(() -> Trainer.create(vae, Runs.training().build(), train, test))
                            .isInstanceOf(IllegalArgumentException.class)
                            .hasMessageContaining("from 0 to 1")
                            .hasMessageContaining("row 1, column 2")
                            .hasMessageContaining(Float.toString(wrong));
                }
            }
            Dataset wide = Dataset.ofBytes(new byte[26], new ImageShape(1, 13, 1));
            assertThatThrownBy(() -> Trainer.create(vae, Runs.training().build(), wide, null))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("13 values")
                    .hasMessageContaining("12");
            assertThatThrownBy(() -> Trainer.create(vae, Runs.training().build(), DATA, wide))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("13 values");
            assertThat(backend.info().bytesInUse()).isEqualTo(before);
        }
    }

    @Test
    void everyRowOfAnEpochIsSeenOnceWhateverTheBatch() throws IOException {
        try (Backend backend = Runs.backend(1)) {
            for (int rows : new int[] {1, 2, 7, 8, 9, 21}) {
                Dataset data = DATA.slice(0, rows);
                for (int batch : new int[] {1, 4, 8, 1000, TrainingConfig.MAX_BATCH}) {
                    List<Progress> seen = new ArrayList<>();
                    List<EpochReport> epochs = new ArrayList<>();
                    try (Vae vae = Vae.create(backend, Runs.model(), 3);
                            Trainer trainer = Trainer.create(
                                    vae, Runs.training().batch(batch).build(), data, null)) {
                        trainer.lookEvery(0);
                        trainer.listen(new TrainingListener() {
                            @Override
                            public void onProgress(Progress progress) {
                                seen.add(progress);
                            }

                            @Override
                            public void onEpoch(EpochReport report) {
                                epochs.add(report);
                            }
                        });
                        TrainingResult result = trainer.run();
                        assertThat(result.steps()).isEqualTo(3L * Math.ceilDiv(rows, batch));
                        assertThat(result.history()).isEqualTo(epochs);
                    }
                    assertThat(seen).hasSize(3 * Math.ceilDiv(rows, batch));
                    for (int i = 0; i < seen.size(); i++) {
                        Progress progress = seen.get(i);
                        int within = i % Math.ceilDiv(rows, batch) + 1;
                        assertThat(progress.step()).isEqualTo(i + 1);
                        assertThat(progress.epoch()).isEqualTo(i / Math.ceilDiv(rows, batch) + 1);
                        assertThat(progress.epochs()).isEqualTo(3);
                        assertThat(progress.rows()).isEqualTo(Math.min((long) within * batch, rows));
                        assertThat(progress.rowsPerEpoch()).isEqualTo(rows);
                    }
                    assertThat(epochs)
                            .allSatisfy(epoch -> assertThat(epoch.test()).isNull());
                }
            }
        }
    }

    @Test
    void theTrainLossOfAnEpochIsTheMeanOverItsRowsNotOverItsBatches() throws IOException {
        // A rate too small to matter: the losses of the weights it starts with, on batches of 8, 8 and 5.
        TrainingConfig training = Runs.training()
                .epochs(1)
                .optimizer(new Optimizer.Sgd(1e-30))
                .shuffle(false)
                .build();
        try (Backend backend = Runs.backend64();
                Vae vae = Vae.create(backend, Runs.model(), 3);
                Trainer trainer = Trainer.create(vae, training, DATA, null);
                Evaluator evaluator = new Evaluator(vae, DATA, LatentMode.MEAN, Pixels.UNIT, 1, 4)) {
            EpochReport report = trainer.run().history().getFirst();
            // The KL divergence needs no sample, so both agree to rounding.
            assertThat(report.train().kl())
                    .isCloseTo(evaluator.evaluate().losses().kl(), within(1e-13));
        }
    }

    @Test
    void trainingLearns() throws IOException {
        try (Backend backend = Runs.backend(2);
                Vae vae = Vae.create(backend, Runs.model(), 3);
                Trainer trainer = Trainer.create(
                        vae,
                        Runs.training()
                                .epochs(60)
                                .optimizer(new Optimizer.Adam(0.01))
                                .build(),
                        Runs.data(1, 61),
                        Runs.data(2, 20))) {
            List<EpochReport> history = trainer.run().history();
            double first =
                    java.util.Objects.requireNonNull(history.getFirst().test()).loss();
            double last =
                    java.util.Objects.requireNonNull(history.getLast().test()).loss();
            assertThat(last).isLessThan(first - 1);
        }
    }

    @Test
    void everythingIsFreedWhateverTheOrderOfClosing() throws IOException {
        Backend backend = Runs.backend(1);
        for (int i = 0; i < 3; i++) {
            Vae vae = Vae.create(backend, Runs.model(), 3);
            Trainer trainer = Trainer.create(vae, Runs.training().build(), DATA, DATA);
            Evaluator evaluator = new Evaluator(vae, DATA, LatentMode.MEAN, Pixels.UNIT, 1, 4);
            trainer.run();
            FrozenModel frozen = FrozenModel.of(vae);
            InferenceSession session = frozen.session(4, 2);
            frozen.close();
            session.reconstruct(new float[24]);
            session.close();
            assertThat(backend.info().bytesInUse()).isPositive();
            if (i == 0) {
                trainer.close();
                evaluator.close();
            } else {
                evaluator.close();
                trainer.close();
            }
            trainer.close();
            evaluator.close();
            vae.close();
            vae.close();
            assertThat(backend.info().bytesInUse()).isZero();
        }
        Vae vae = Vae.create(backend, Runs.model(), 3);
        Trainer left = Trainer.create(vae, Runs.training().build(), DATA, DATA);
        backend.close();
        backend.close();
        assertThat(backend.info().bytesInUse()).isZero();
        assertThatThrownBy(left::run).isInstanceOf(IllegalStateException.class).hasMessageContaining("closed");
        assertThatThrownBy(() -> Vae.create(backend, Runs.model(), 3)).isInstanceOf(IllegalStateException.class);
        left.close();
        vae.close();
    }

    /** {@return the backend, whose workspaces of a name have no memory for one thing} */
    private static Backend without(Backend backend, String workspace, String method) {
        return wrapped(
                Backend.class,
                backend,
                (called, result) ->
                        result instanceof Workspace work && work.name().startsWith(workspace)
                                ? wrapped(Workspace.class, work, (inner, made) -> {
                                    if (inner.equals(method)) {
                                        throw new OutOfMemoryError("none for " + method);
                                    }
                                    return made instanceof Parameters parameters
                                            ? wrapped(Parameters.class, parameters, (last, part) -> {
                                                if (last.equals(method)) {
                                                    throw new OutOfMemoryError("none for " + method);
                                                }
                                                return part;
                                            })
                                            : made;
                                })
                                : result);
    }

    private static <T> T wrapped(Class<T> type, T real, BiFunction<String, @Nullable Object, @Nullable Object> change) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, (proxy, method, args) -> {
            try {
                return change.apply(method.getName(), method.invoke(real, args));
            } catch (InvocationTargetException e) {
                throw e.getTargetException();
            }
        }));
    }

    @ParameterizedTest
    @CsvSource({
        "model, parameters",
        "model, values",
        "model, moment",
        "training, stepState",
        "training, record",
        "evaluation, stepState",
        "evaluation, record"
    })
    void whatCannotBeMadeForLackOfMemoryLeavesNothingBehind(String workspace, String method) {
        try (Backend backend = Runs.backend(1)) {
            Backend scarce = without(backend, workspace, method);
            assertThatThrownBy(() -> {
                        try (Vae vae = Vae.create(scarce, Runs.model(), 3)) {
                            long before = backend.info().bytesInUse();
                            assertThatThrownBy(() ->
                                            Trainer.create(vae, Runs.training().build(), DATA, DATA))
                                    .isInstanceOf(OutOfMemoryError.class);
                            assertThat(backend.info().bytesInUse()).isEqualTo(before);
                            throw new OutOfMemoryError("as expected");
                        }
                    })
                    .isInstanceOf(OutOfMemoryError.class);
            assertThat(backend.info().bytesInUse()).isZero();
        }
    }

    @Test
    void aListenerMayAddAnother() throws IOException {
        try (Backend backend = Runs.backend(1);
                Vae vae = Vae.create(backend, Runs.model(), 3);
                Trainer trainer = Trainer.create(vae, Runs.training().build(), DATA, null)) {
            List<Integer> seen = new ArrayList<>();
            trainer.listen(new TrainingListener() {
                @Override
                public void onEpoch(EpochReport first) {
                    if (first.epoch() == 1) {
                        trainer.listen(new TrainingListener() {
                            @Override
                            public void onEpoch(EpochReport report) {
                                seen.add(report.epoch());
                            }
                        });
                    }
                }
            });
            assertThat(trainer.run().cancelled()).isFalse();
            assertThat(seen).containsExactly(2, 3);
        }
    }

    @Test
    void aModelStaysOpenWhileATrainerOrEvaluatorUsesIt() throws IOException {
        try (Backend backend = Runs.backend(1)) {
            Vae vae = Vae.create(backend, Runs.model(), 3);
            Trainer trainer = Trainer.create(vae, Runs.training().build(), DATA, DATA);
            assertThatThrownBy(vae::close)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("replay of another workspace");
            assertThat(trainer.run().steps()).isEqualTo(9);
            assertThat(Runs.weights(vae))
                    .isEqualTo(Runs.weightsAfter(
                            backend, Runs.model(), Runs.training().build(), DATA));
            trainer.close();

            Evaluator evaluator = new Evaluator(vae, DATA, LatentMode.MEAN, Pixels.UNIT, 1, 4);
            assertThatThrownBy(vae::close).isInstanceOf(IllegalStateException.class);
            assertThat(evaluator.evaluate().rows()).isEqualTo(21);
            evaluator.close();
            vae.close();
            assertThat(backend.info().bytesInUse()).isZero();
            assertThatThrownBy(() -> Trainer.create(vae, Runs.training().build(), DATA, null))
                    .isInstanceOf(IllegalStateException.class);
            assertThat(backend.info().bytesInUse()).isZero();
        }
    }
}
