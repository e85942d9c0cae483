package io.github.elbo4j.backend.java;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Clamp;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.LinearKernels.Write;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Noise.Purpose;
import io.github.elbo4j.backend.Normals;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Philox;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Holds the reference in binary64 against plainest loops and closed forms, written from the formulas alone. */
class ReferenceOracleTest {
    private static final double CLOSE = 1e-12;

    private final OracleFixture fixture = new OracleFixture();

    @AfterEach
    void close() {
        fixture.close();
    }

    private static void assertClose(Tensor actual, double... expected) {
        assertThat(actual.downloadDoubles()).containsExactly(expected, within(CLOSE));
    }

    @Test
    void linearForwardIsTheDefinition() {
        double[] x = OracleFixture.numbers(5 * 7, 1);
        double[] w = OracleFixture.numbers(3 * 7, 2);
        double[] b = OracleFixture.numbers(3, 3);
        double[] expected = new double[15];
        for (int r = 0; r < 5; r++) {
            for (int o = 0; o < 3; o++) {
                expected[r * 3 + o] = b[o];
                for (int i = 6; i >= 0; i--) {
                    expected[r * 3 + o] += w[o * 7 + i] * x[r * 7 + i];
                }
            }
        }
        Tensor y = fixture.zeros(5, 3);
        fixture.backend
                .linear()
                .linearForward(
                        Rows.of(5),
                        fixture.tensor(x, 5, 7),
                        fixture.tensor(w, 3, 7),
                        fixture.tensor(b, 3),
                        Activation.IDENTITY,
                        y,
                        null);
        assertClose(y, expected);
    }

    @Test
    void linearBackwardIsTheDefinition() {
        double[] x = OracleFixture.numbers(70 * 4, 1);
        double[] g = OracleFixture.numbers(70 * 3, 2);
        double[] w = OracleFixture.numbers(3 * 4, 3);
        double[] dx = new double[70 * 4];
        double[] dw = new double[12];
        double[] db = new double[3];
        for (int o = 0; o < 3; o++) {
            for (int r = 69; r >= 0; r--) {
                db[o] += g[r * 3 + o];
                for (int i = 0; i < 4; i++) {
                    dw[o * 4 + i] += g[r * 3 + o] * x[r * 4 + i];
                    dx[r * 4 + i] += g[r * 3 + o] * w[o * 4 + i];
                }
            }
        }
        Tensor gs = fixture.tensor(g, 70, 3);
        Tensor xs = fixture.tensor(x, 70, 4);
        Tensor dws = fixture.zeros(3, 4);
        Tensor dbs = fixture.zeros(3);
        Tensor dxs = fixture.zeros(70, 4);
        fixture.backend.linear().linearBackwardWeights(Rows.of(70), xs, gs, dws, dbs, Write.ADD);
        fixture.backend
                .linear()
                .linearBackwardInput(
                        Rows.of(70), gs, fixture.tensor(w, 3, 4), Activation.IDENTITY, xs, dxs, Write.OVERWRITE);
        assertClose(dws, dw);
        assertClose(dbs, db);
        assertClose(dxs, dx);
    }

    @Test
    void klIsTheTextbookFormulaAndZeroAtThePrior() {
        double[] heads = OracleFixture.numbers(3 * 40, 4);
        double[] expected = new double[3];
        for (int r = 0; r < 3; r++) {
            for (int j = 0; j < 20; j++) {
                double mu = heads[r * 40 + j];
                double lv = heads[r * 40 + 20 + j];
                expected[r] += 0.5 * (mu * mu + Math.exp(lv) - 1 - lv);
            }
        }
        Tensor kl = fixture.zeros(3);
        fixture.backend.latent().gaussianKlForward(Rows.of(3), fixture.tensor(heads, 3, 40), Clamp.DEFAULT, kl);
        assertClose(kl, expected);
        fixture.backend.latent().gaussianKlForward(Rows.of(3), fixture.zeros(3, 40), Clamp.DEFAULT, kl);
        assertClose(kl, 0, 0, 0);
        // Near the prior 0.5 * (exp(lv) - 1 - lv) is lv^2 / 4, which the textbook form loses.
        Tensor tiny = fixture.zeros(3);
        fixture.backend
                .latent()
                .gaussianKlForward(
                        Rows.of(3),
                        fixture.tensor(new double[] {0, 1e-6, 0, -1e-6, 0, 1e-5}, 3, 2),
                        Clamp.DEFAULT,
                        tiny);
        double[] values = tiny.downloadDoubles();
        assertThat(values[0]).isCloseTo(0.25e-12, within(1e-17));
        assertThat(values[2]).isCloseTo(0.25e-10, within(1e-15));
    }

    @Test
    void theLogVarianceIsClamped() {
        Tensor kl = fixture.zeros(2);
        fixture.backend
                .latent()
                .gaussianKlForward(Rows.of(2), fixture.tensor(new double[] {0, 9, 0, -9}, 2, 2), new Clamp(-2, 1), kl);
        assertClose(kl, 0.5 * (Math.E - 1 - 1), 0.5 * (Math.exp(-2) - 1 + 2));
    }

    @Test
    void samplesAreMuPlusSigmaEpsilon() {
        double[] heads = OracleFixture.numbers(2 * 6, 5);
        Tensor z = fixture.zeros(6, 3);
        Noise noise = Noise.common(Purpose.SAMPLE);
        fixture.backend
                .latent()
                .reparameterizeForward(
                        new Rows(2, 3), fixture.tensor(heads, 2, 6), Clamp.DEFAULT, noise, fixture.state, z);
        double[] epsilon = new double[3];
        double[] expected = new double[18];
        for (int r = 0; r < 6; r++) {
            Normals.row(OracleFixture.SEED, 0, 0, Philox.stream(Purpose.SAMPLE, r % 3), epsilon);
            for (int j = 0; j < 3; j++) {
                double sigma = Math.sqrt(Math.exp(heads[r / 3 * 6 + 3 + j]));
                expected[r * 3 + j] = heads[r / 3 * 6 + j] + sigma * epsilon[j];
            }
        }
        assertClose(z, expected);
    }

    @Test
    void bernoulliIsTheTextbookFormula() {
        double[] logits = OracleFixture.numbers(4 * 33, 6);
        double[] target = OracleFixture.numbers(2 * 33, 7);
        double[] expected = new double[4];
        double[] gradient = new double[4 * 33];
        for (int i = 0; i < target.length; i++) {
            target[i] = Math.abs(target[i]);
        }
        for (int r = 0; r < 4; r++) {
            for (int j = 0; j < 33; j++) {
                double p = 1 / (1 + Math.exp(-logits[r * 33 + j]));
                double x = target[r / 2 * 33 + j];
                expected[r] += x * Math.log(p) + (1 - x) * Math.log(1 - p);
                gradient[r * 33 + j] = 0.7 / 2 * (p - x);
            }
        }
        Tensor ls = fixture.tensor(logits, 4, 33);
        Tensor xs = fixture.tensor(target, 2, 33);
        Tensor logLikelihood = fixture.zeros(4);
        Tensor dLogits = fixture.zeros(4, 33);
        fixture.backend.loss().bernoulliForward(new Rows(2, 2), ls, xs, logLikelihood);
        assertClose(logLikelihood, expected);
        fixture.backend
                .loss()
                .bernoulliForwardBackward(
                        new Rows(2, 2), ls, xs, Scalar.of(0.7), Reduction.MEAN, logLikelihood, dLogits);
        assertClose(logLikelihood, expected);
        assertClose(dLogits, gradient);
    }

    @Test
    void bernoulliOfLargeLogitsIsLinear() {
        Tensor logLikelihood = fixture.zeros(2);
        fixture.backend
                .loss()
                .bernoulliForward(
                        Rows.of(2),
                        fixture.tensor(new double[] {800, -800, 800, -800}, 2, 2),
                        fixture.tensor(new double[] {1, 0, 0, 0.5}, 2, 2),
                        logLikelihood);
        assertClose(logLikelihood, 0, -800 - 400);
    }

    @Test
    void bytesAreScaledAndDrawnByWholeNumbers() {
        Tensor data = fixture.work.tensor("u8", DType.U8, 2, 5);
        data.upload(MemorySegment.ofArray(new byte[] {0, 1, (byte) 128, (byte) 255, 51, 9, 9, 9, 9, 9}), 0);
        Tensor ids = fixture.work.tensor("ids", DType.I64, 3);
        ids.upload(MemorySegment.ofArray(new long[] {0, 5, 0}), 0);
        Tensor out = fixture.zeros(3, 5);
        var kernels = fixture.backend.data();
        kernels.gather(Rows.of(3), ids, data, Pixels.UNIT, Noise.off(), fixture.state, out);
        assertClose(out, 0, 1 / 255.0, 128 / 255.0, 1, 0.2, 0, 0, 0, 0, 0, 0, 1 / 255.0, 128 / 255.0, 1, 0.2);
        Noise noise = Noise.training(Purpose.BINARIZE);
        kernels.gather(Rows.of(3), ids, data, Pixels.BERNOULLI, noise, fixture.state, out);
        int[] block = new int[4];
        Philox.block(OracleFixture.SEED, 0, 2, 0, Philox.stream(Purpose.BINARIZE, 0), block);
        double[] drawn = out.downloadDoubles();
        assertThat(drawn[10]).isZero();
        assertThat(drawn[11]).isEqualTo(Integer.toUnsignedLong(block[1]) < (1L << 32) / 255.0 ? 1 : 0);
        assertThat(drawn[12]).isEqualTo(Integer.toUnsignedLong(block[2]) * 255.0 / (1L << 32) < 128 ? 1 : 0);
        assertThat(drawn[13]).isEqualTo(1);
    }

    @Test
    void bernoulliPixelsHaveTheirMean() {
        Tensor data = fixture.zeros(1, 4000);
        data.uploadDoubles(
                java.util.stream.DoubleStream.generate(() -> 0.3).limit(4000).toArray());
        Tensor ids = fixture.work.tensor("ids", DType.I64, 5);
        Tensor out = fixture.zeros(5, 4000);
        fixture.backend
                .data()
                .gather(Rows.of(5), ids, data, Pixels.BERNOULLI, Noise.training(Purpose.BINARIZE), fixture.state, out);
        double mean = java.util.Arrays.stream(out.downloadDoubles()).average().orElseThrow();
        assertThat(mean).isCloseTo(0.3, within(5 * Math.sqrt(0.21 / 20_000)));
    }

    /** Two steps in the form of the paper, with its bias-corrected moments. */
    @Test
    void adamIsThePaper() {
        Parameters parameters = fixture.work.parameters(List.of(Parameters.Spec.trained("w", "g", 2)), 2);
        int at = (int) parameters.value("w").offset();
        double[] values = new double[(int) parameters.values().size()];
        values[at] = 1;
        values[at + 1] = -2;
        parameters.values().uploadDoubles(values);
        double[] w = {1, -2};
        double[] m = new double[2];
        double[] v = new double[2];
        for (int t = 1; t <= 2; t++) {
            double[] gradients = new double[values.length];
            for (int i = 0; i < 2; i++) {
                double g = t == 1 ? 0.3 * (i + 1) : -0.1 * (i + 3);
                gradients[at + i] = g;
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.99 * v[i] + 0.01 * g * g;
                double corrected = m[i] / (1 - Math.pow(0.9, t));
                w[i] -= 0.05 * corrected / (Math.sqrt(v[i] / (1 - Math.pow(0.99, t))) + 1e-3);
            }
            parameters.gradients().uploadDoubles(gradients);
            fixture.backend
                    .optimizer()
                    .adam(
                            parameters,
                            "g",
                            fixture.state,
                            Scalar.of(0.05),
                            Scalar.of(1 - Math.pow(0.9, t)),
                            Scalar.of(1 - Math.pow(0.99, t)),
                            0.9,
                            0.99,
                            1e-3);
        }
        double[] updated = parameters.values().downloadDoubles();
        assertThat(updated[at]).isCloseTo(w[0], within(CLOSE));
        assertThat(updated[at + 1]).isCloseTo(w[1], within(CLOSE));
        fixture.backend.optimizer().sgd(parameters, "g", fixture.state, Scalar.of(2));
        assertThat(parameters.values().downloadDoubles()[at]).isCloseTo(w[0] + 2 * 0.3, within(CLOSE));
    }
}
