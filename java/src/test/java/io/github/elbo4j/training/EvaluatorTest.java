package io.github.elbo4j.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Clamp;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Normals;
import io.github.elbo4j.backend.Philox;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.model.LatentMode;
import io.github.elbo4j.model.Losses;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.testkit.TestSeed;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Losses of models with known weights against closed forms and a plain forward pass written here. */
class EvaluatorTest {
    private static void set(Vae vae, String parameter, double... values) {
        var view = vae.parameters().value(parameter);
        assertThat(view.size()).isEqualTo(values.length);
        view.tensor().upload(MemorySegment.ofArray(values), view.offset());
    }

    private static double[] get(Vae vae, String parameter) {
        var view = vae.parameters().value(parameter);
        double[] all = vae.parameters().values().downloadDoubles();
        return java.util.Arrays.copyOfRange(all, (int) view.offset(), (int) (view.offset() + view.size()));
    }

    private static Losses evaluate(Vae vae, Dataset data, LatentMode mode, Pixels pixels, long seed, int batch) {
        try (Evaluator evaluator = new Evaluator(vae, data, mode, pixels, seed, batch)) {
            Evaluation evaluation = evaluator.evaluate();
            assertThat(evaluation.mode()).isEqualTo(mode);
            assertThat(evaluation.rows()).isEqualTo(data.rows());
            return evaluation.losses();
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.5, 1, 4})
    void aModelOfKnownWeightsHasTheLossesComputedByHand(double beta) {
        ImageShape pair = new ImageShape(1, 2, 1);
        VaeConfig config = VaeConfig.builder()
                .input(pair)
                .hidden(1)
                .latent(1)
                .activation(Activation.TANH)
                .beta(beta)
                .build();
        try (Backend backend = Runs.backend64();
                Vae vae = Vae.create(backend, config, 1)) {
            set(vae, "encoder.0.weight", 0.5, -1.5);
            set(vae, "encoder.0.bias", 0.25);
            set(vae, "heads.weight", 2, -0.75);
            set(vae, "heads.bias", -0.5, 0.1);
            set(vae, "decoder.0.weight", 1.25);
            set(vae, "decoder.0.bias", -0.3);
            set(vae, "logits.weight", 3, -2);
            set(vae, "logits.bias", 0.4, 0.6);
            Dataset data = Dataset.ofFloats(new float[] {0.25f, 1}, pair);

            double h = Math.tanh(0.5 * 0.25 - 1.5 + 0.25);
            double mu = 2 * h - 0.5;
            double variance = Math.exp(-0.75 * h + 0.1);
            double kl = 0.5 * (mu * mu + variance - 1 - Math.log(variance));
            double g = Math.tanh(1.25 * mu - 0.3);
            double p0 = 1 / (1 + Math.exp(-(3 * g + 0.4)));
            double p1 = 1 / (1 + Math.exp(-(-2 * g + 0.6)));
            double reconstruction = -0.25 * Math.log(p0) - 0.75 * Math.log(1 - p0) - Math.log(p1);

            Losses losses = evaluate(vae, data, LatentMode.MEAN, Pixels.UNIT, 1, 4);
            assertThat(losses.kl()).isCloseTo(kl, within(1e-14));
            assertThat(losses.reconstruction()).isCloseTo(reconstruction, within(1e-14));
            assertThat(losses.loss()).isEqualTo(losses.reconstruction() + beta * losses.kl());
            assertThat(losses.loss()).isCloseTo(reconstruction + beta * kl, within(1e-13));
        }
    }

    @Test
    void aPosteriorThatIgnoresItsInputHasTheKlOfTwoGaussiansAndTheCrossEntropyOfItsBiases() {
        VaeConfig config =
                VaeConfig.builder().input(Runs.SHAPE).hidden(4).latent(2).build();
        try (Backend backend = Runs.backend64();
                Vae vae = Vae.create(backend, config, 1)) {
            vae.parameters()
                    .values()
                    .uploadDoubles(new double[(int) vae.parameters().values().size()]);
            Dataset data = Dataset.ofFloats(halves(5 * Runs.SHAPE.size()), Runs.SHAPE);
            Losses zero = evaluate(vae, data, LatentMode.SAMPLED, Pixels.UNIT, 1, 2);
            assertThat(zero.kl()).isEqualTo(0);
            assertThat(zero.reconstruction()).isCloseTo(Runs.SHAPE.size() * Math.log(2), within(1e-13));

            // N((1, -2), diag(4, 1/4)) against N(0, I): half of 1 + 4 - 1 - log 4, and half of 4 + 1/4 - 1 + log 4.
            set(vae, "heads.bias", 1, -2, Math.log(4), -Math.log(4));
            double[] bias = new double[Runs.SHAPE.size()];
            java.util.Arrays.fill(bias, Math.log(0.9 / 0.1));
            set(vae, "logits.bias", bias);
            Losses known = evaluate(vae, data, LatentMode.SAMPLED, Pixels.UNIT, 1, 2);
            assertThat(known.kl()).isCloseTo(0.5 * (1 + 4 - 1 + 4 + 0.25 - 1), within(1e-14));
            assertThat(known.reconstruction())
                    .isCloseTo(-Runs.SHAPE.size() * 0.5 * (Math.log(0.9) + Math.log(0.1)), within(1e-13));
        }
    }

    private static float[] halves(int count) {
        float[] values = new float[count];
        java.util.Arrays.fill(values, 0.5f);
        return values;
    }

    @Test
    void theLogVarianceIsClampedToItsRange() {
        VaeConfig config = VaeConfig.builder()
                .input(Runs.SHAPE)
                .hidden(2)
                .latent(1)
                .logVarClamp(new Clamp(-3, 2))
                .build();
        try (Backend backend = Runs.backend64();
                Vae vae = Vae.create(backend, config, 1)) {
            vae.parameters()
                    .values()
                    .uploadDoubles(new double[(int) vae.parameters().values().size()]);
            Dataset data = Runs.data(1, 2);
            set(vae, "heads.bias", 0, 1000);
            assertThat(evaluate(vae, data, LatentMode.SAMPLED, Pixels.UNIT, 1, 2)
                            .kl())
                    .isCloseTo(0.5 * (Math.exp(2) - 1 - 2), within(1e-14));
            set(vae, "heads.bias", 0, -1000);
            assertThat(evaluate(vae, data, LatentMode.SAMPLED, Pixels.UNIT, 1, 2)
                            .kl())
                    .isCloseTo(0.5 * (Math.exp(-3) - 1 + 3), within(1e-14));
        }
    }

    @ParameterizedTest
    @EnumSource(LatentMode.class)
    void randomModelsHaveTheLossesOfAPlainForwardPass(LatentMode mode) {
        Random random = TestSeed.random(EvaluatorTest.class);
        for (Pixels pixels : List.of(Pixels.UNIT, Pixels.BERNOULLI)) {
            for (int i = 0; i < 5; i++) {
                VaeConfig config = VaeConfig.builder()
                        .input(Runs.SHAPE)
                        .hidden(random.ints(1 + random.nextInt(3), 1, 10).toArray())
                        .decoder(random.ints(1 + random.nextInt(3), 1, 10).toArray())
                        .latent(1 + random.nextInt(6))
                        .activation(Activation.TANH)
                        .beta(random.nextDouble() * 3)
                        .build();
                long seed = random.nextLong();
                Dataset data = Runs.data(seed, 1 + random.nextInt(9));
                try (Backend backend = Runs.backend64();
                        Vae vae = Vae.create(backend, config, seed)) {
                    Losses expected = plain(vae, data, mode, pixels, seed);
                    Losses found = evaluate(vae, data, mode, pixels, seed, 4);
                    assertThat(found.reconstruction()).isCloseTo(expected.reconstruction(), within(1e-12));
                    assertThat(found.kl()).isCloseTo(expected.kl(), within(1e-12));
                    assertThat(found.loss()).isCloseTo(expected.loss(), within(1e-12));
                }
            }
        }
    }

    /** The whole evaluation again, in loops that share nothing with the library but its random numbers. */
    private static Losses plain(Vae vae, Dataset data, LatentMode mode, Pixels pixels, long seed) {
        VaeConfig config = vae.config();
        double reconstruction = 0;
        double kl = 0;
        for (int row = 0; row < data.rows(); row++) {
            double[] x = new double[data.columns()];
            for (int j = 0; j < x.length; j++) {
                int q = Byte.toUnsignedInt(
                        data.values().get(java.lang.foreign.ValueLayout.JAVA_BYTE, (long) row * x.length + j));
                x[j] = pixels == Pixels.UNIT ? q / 255.0 : bernoulli(seed, row, j, q);
            }
            double[] a = x;
            for (int i = 0; i < config.encoder().size(); i++) {
                a = tanh(affine(vae, "encoder." + i, a));
            }
            double[] heads = affine(vae, "heads", a);
            double[] z = new double[config.latent()];
            double[] epsilon = new double[z.length];
            if (mode == LatentMode.SAMPLED) {
                Normals.row(seed, row, 0, Philox.stream(Noise.Purpose.EPSILON, 0), epsilon);
            }
            for (int j = 0; j < z.length; j++) {
                double logVar = heads[z.length + j];
                z[j] = heads[j] + Math.exp(logVar / 2) * epsilon[j];
                kl += 0.5 * (heads[j] * heads[j] + Math.exp(logVar) - 1 - logVar);
            }
            a = z;
            for (int i = 0; i < config.decoder().size(); i++) {
                a = tanh(affine(vae, "decoder." + i, a));
            }
            double[] logits = affine(vae, "logits", a);
            for (int j = 0; j < x.length; j++) {
                double p = 1 / (1 + Math.exp(-logits[j]));
                reconstruction -= x[j] * Math.log(p) + (1 - x[j]) * Math.log(1 - p);
            }
        }
        reconstruction /= data.rows();
        kl /= data.rows();
        return new Losses(reconstruction, kl, reconstruction + config.beta() * kl);
    }

    private static double bernoulli(long seed, int row, int column, int q) {
        int[] block = new int[4];
        Philox.block(seed, column / 4, row, 0, Philox.stream(Noise.Purpose.BINARIZE, 0), block);
        return (Integer.toUnsignedLong(block[column % 4]) * 255) >>> 32 < q ? 1 : 0;
    }

    private static double[] affine(Vae vae, String layer, double[] x) {
        double[] y = get(vae, layer + ".bias");
        double[] w = get(vae, layer + ".weight");
        for (int i = 0; i < y.length; i++) {
            for (int j = 0; j < x.length; j++) {
                y[i] += w[i * x.length + j] * x[j];
            }
        }
        return y;
    }

    private static double[] tanh(double[] a) {
        return java.util.Arrays.stream(a).map(Math::tanh).toArray();
    }

    @Test
    void theResultDependsOnNeitherBatchNorThreadsNorTheCall() {
        Dataset data = Runs.data(2, 23);
        for (LatentMode mode : LatentMode.values()) {
            for (Pixels pixels : List.of(Pixels.UNIT, Pixels.BERNOULLI)) {
                List<Losses> all = new ArrayList<>();
                for (int threads : new int[] {1, 2, 3}) {
                    try (Backend backend = Runs.backend(threads);
                            Vae vae = Vae.create(backend, Runs.model(), 4)) {
                        for (int batch : new int[] {1, 3, 7, 22, 23, 1000}) {
                            all.add(evaluate(vae, data, mode, pixels, 9, batch));
                        }
                        try (Evaluator again = new Evaluator(vae, data, mode, pixels, 9, 7)) {
                            all.add(again.evaluate().losses());
                            all.add(again.evaluate().losses());
                        }
                    }
                }
                assertThat(all).as("%s %s", mode, pixels).containsOnly(all.getFirst());
            }
        }
    }

    @Test
    void anotherSeedSamplesOtherNumbersButLeavesTheMeanAlone() {
        Dataset data = Runs.data(2, 23);
        try (Backend backend = Runs.backend(1);
                Vae vae = Vae.create(backend, Runs.model(), 4)) {
            assertThat(evaluate(vae, data, LatentMode.SAMPLED, Pixels.UNIT, 1, 8))
                    .isNotEqualTo(evaluate(vae, data, LatentMode.SAMPLED, Pixels.UNIT, 2, 8));
            assertThat(evaluate(vae, data, LatentMode.MEAN, Pixels.UNIT, 1, 8))
                    .isEqualTo(evaluate(vae, data, LatentMode.MEAN, Pixels.UNIT, 2, 8));
            assertThat(evaluate(vae, data, LatentMode.MEAN, Pixels.BERNOULLI, 1, 8))
                    .isNotEqualTo(evaluate(vae, data, LatentMode.MEAN, Pixels.BERNOULLI, 2, 8));
        }
    }

    @Test
    void evaluationChangesNothingAndSeesThePresentWeights() {
        Dataset data = Runs.data(2, 23);
        try (Backend backend = Runs.backend(1);
                Vae vae = Vae.create(backend, Runs.model(), 4);
                Evaluator evaluator = new Evaluator(vae, data, LatentMode.SAMPLED, Pixels.UNIT, 1, 8)) {
            float[] before = Runs.weights(vae);
            Losses first = evaluator.evaluate().losses();
            assertThat(Runs.weights(vae)).isEqualTo(before);
            float[] doubled = before.clone();
            for (int i = 0; i < doubled.length; i++) {
                doubled[i] *= 2;
            }
            vae.parameters().values().uploadFloats(doubled);
            assertThat(evaluator.evaluate().losses()).isNotEqualTo(first);
            vae.parameters().values().uploadFloats(before);
            assertThat(evaluator.evaluate().losses()).isEqualTo(first);
        }
    }

    @Test
    void aNumberThatIsNotFiniteIsNamedAndTheEvaluatorStaysUsable() {
        Dataset data = Runs.data(2, 23);
        try (Backend backend = Runs.backend(1);
                Vae vae = Vae.create(backend, Runs.model(), 4);
                Evaluator evaluator = new Evaluator(vae, data, LatentMode.SAMPLED, Pixels.UNIT, 1, 8)) {
            Losses right = evaluator.evaluate().losses();
            float[] weights = Runs.weights(vae);
            float[] broken = weights.clone();
            broken[(int) vae.parameters().value("logits.bias").offset()] = Float.NaN;
            vae.parameters().values().uploadFloats(broken);
            assertThatThrownBy(evaluator::evaluate)
                    .isInstanceOf(NonFiniteException.class)
                    .hasMessageContainingAll("evaluation", "step 1: 'logLikelihood'", "weights")
                    .hasMessageNotContaining("before this step");
            vae.parameters().values().uploadFloats(weights);
            assertThat(evaluator.evaluate().losses()).isEqualTo(right);
        }
    }

    @Test
    void wrongArgumentsAreNamed() {
        try (Backend backend = Runs.backend(1);
                Vae vae = Vae.create(backend, Runs.model(), 4)) {
            long before = backend.info().bytesInUse();
            Dataset data = Runs.data(1, 4);
            assertThatThrownBy(() -> evaluate(vae, data, LatentMode.MEAN, Pixels.UNIT, 1, 0))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("batch 0");
            assertThatThrownBy(() -> evaluate(vae, data, LatentMode.MEAN, Pixels.AS_IS, 1, 2))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("AS_IS");
            Dataset narrow = Dataset.ofBytes(new byte[6], new ImageShape(2, 3, 1));
            assertThatThrownBy(() -> evaluate(vae, narrow, LatentMode.MEAN, Pixels.UNIT, 1, 2))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("6 values")
                    .hasMessageContaining("12");
            assertThat(backend.info().bytesInUse()).isEqualTo(before);
        }
    }
}
