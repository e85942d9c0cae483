package io.github.elbo4j.backend.nativecpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.StepState.Snapshot;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.HostRows;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.inference.Score;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.testkit.TrainingRig;
import io.github.elbo4j.validation.KernelCase;
import io.github.elbo4j.validation.KernelCases;
import io.github.elbo4j.validation.KernelRun;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A result has the same bits on every instruction set, for every number of threads and in every batch. */
class NativeTierTest {
    private static final int WIDTH = 28 * 28;
    private static final int LATENT = 20;
    private static final int ROWS = 4096;

    /** What a training leaves. */
    private record Trained(Snapshot state, List<Double> values, List<Double> moment0, List<Double> moment1) {
        static Trained of(Map<String, String> options, Activation activation) {
            return of(new TrainingRig(NativeFixture.open(options), activation));
        }

        static Trained of(TrainingRig opened) {
            try (TrainingRig rig = opened) {
                return new Trained(
                        rig.run(TrainingRig.STEPS), boxed(rig.values()), boxed(rig.moment(0)), boxed(rig.moment(1)));
            }
        }

        private static List<Double> boxed(double[] values) {
            return Arrays.stream(values).boxed().toList();
        }

        void requireEqual(Trained other, Map<String, String> options) {
            assertThat(state).as("state with %s", options).isEqualTo(other.state);
            assertThat(values).as("values with %s", options).isEqualTo(other.values);
            assertThat(moment0).as("moment 0 with %s", options).isEqualTo(other.moment0);
            assertThat(moment1).as("moment 1 with %s", options).isEqualTo(other.moment1);
        }
    }

    private static List<Map<String, String>> ways() {
        List<Map<String, String>> ways = new ArrayList<>();
        for (NativeIsas.Isa isa : NativeFixture.isas()) {
            for (int threads = 1; threads <= 3; threads++) {
                ways.add(Map.of("isa", isa.name(), "threads", String.valueOf(threads)));
            }
        }
        return ways;
    }

    @ParameterizedTest
    @EnumSource
    void trainingHasTheSameBitsEveryWay(Activation activation) {
        List<Map<String, String>> ways = ways();
        Trained first = Trained.of(ways.getFirst(), activation);
        for (Map<String, String> options : ways) {
            Trained.of(options, activation).requireEqual(first, options);
        }
    }

    /** Products that are worth several threads; the other training has none. */
    @Test
    void largeTrainingHasTheSameBitsEveryWay() {
        Trained first = null;
        for (Map<String, String> options : ways()) {
            Trained trained = Trained.of(new TrainingRig(NativeFixture.open(options), Activation.RELU, 64, 512));
            first = first == null ? trained : first;
            trained.requireEqual(first, options);
        }
    }

    @Test
    void everyKernelHasTheSameBitsEveryWay() {
        List<KernelCase> cases = KernelCases.all(5);
        List<Map<String, double[]>> first = new ArrayList<>();
        for (Map<String, String> options : ways()) {
            try (Backend backend = NativeFixture.open(options)) {
                for (int i = 0; i < cases.size(); i++) {
                    Map<String, double[]> outputs =
                            KernelRun.eager(backend, cases.get(i)).outputs();
                    if (first.size() == i) {
                        first.add(outputs);
                    }
                    for (Map.Entry<String, double[]> each : first.get(i).entrySet()) {
                        assertThat(Arrays.equals(outputs.get(each.getKey()), each.getValue()))
                                .as("same bits of %s of %s with %s", each.getKey(), cases.get(i), options)
                                .isTrue();
                    }
                }
            }
        }
        assertThat(first).hasSizeGreaterThan(20);
    }

    /** Of every way the rows in batches of 1, 7 and all: one set of bits. */
    @Test
    void aRowsResultIsTheSameInEveryBatch() {
        float[] inputs = inputs();
        float[] encoded = null;
        float[] scored = null;
        for (Map<String, String> options : ways()) {
            try (Backend backend = NativeFixture.open(options);
                    Vae vae = Vae.create(backend, config(), 3);
                    FrozenModel model = FrozenModel.of(vae)) {
                for (int batch : new int[] {ROWS, 7, 1}) {
                    float[] heads = encode(model, inputs, batch);
                    float[] scores = score(model, inputs, batch);
                    encoded = encoded == null ? heads : encoded;
                    scored = scored == null ? scores : scored;
                    assertThat(Arrays.equals(heads, Arrays.copyOf(encoded, heads.length)))
                            .as("encode in batches of %s with %s", batch, options)
                            .isTrue();
                    assertThat(Arrays.equals(scores, Arrays.copyOf(scored, scores.length)))
                            .as("score in batches of %s with %s", batch, options)
                            .isTrue();
                }
            }
        }
    }

    private static VaeConfig config() {
        return VaeConfig.builder()
                .input(new ImageShape(28, 28, 1))
                .hidden(65)
                .latent(LATENT)
                .build();
    }

    private static float[] inputs() {
        Random random = new Random(11);
        float[] inputs = new float[ROWS * WIDTH];
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = random.nextInt(256) / 255f;
        }
        return inputs;
    }

    /** Rows to compare: all at once, and a few hundred in small batches. */
    private static int rows(int batch) {
        return batch == ROWS ? ROWS : 210;
    }

    private static float[] encode(FrozenModel model, float[] inputs, int batch) {
        float[] mu = new float[rows(batch) * LATENT];
        float[] logVar = new float[mu.length];
        try (InferenceSession session = model.session(batch)) {
            for (int row = 0; row < rows(batch); row += batch) {
                session.encode(
                        HostRows.of(inputs, (long) row * WIDTH, 0),
                        batch,
                        HostRows.of(mu, (long) row * LATENT, 0),
                        HostRows.of(logVar, (long) row * LATENT, 0));
            }
        }
        float[] heads = new float[2 * mu.length];
        for (int i = 0; i < mu.length; i++) {
            heads[2 * i] = mu[i];
            heads[2 * i + 1] = logVar[i];
        }
        return heads;
    }

    private static float[] score(FrozenModel model, float[] inputs, int batch) {
        float[] scores = new float[rows(batch) * Score.COLUMNS];
        try (InferenceSession session = model.session(batch, 3)) {
            for (int row = 0; row < rows(batch); row += batch) {
                session.score(
                        HostRows.of(inputs, (long) row * WIDTH, 0),
                        batch,
                        7,
                        HostRows.of(scores, (long) row * Score.COLUMNS, 0));
            }
        }
        return scores;
    }
}
