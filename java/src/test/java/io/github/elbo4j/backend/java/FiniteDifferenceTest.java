package io.github.elbo4j.backend.java;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.LatentKernels.Clamp;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.LinearKernels.Write;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Noise.Purpose;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.Tensor;
import java.util.function.DoubleSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Every backward kernel of the binary64 reference against central differences of the forward kernels. */
class FiniteDifferenceTest {
    private static final double STEP = 1e-5;
    private static final double RELATIVE = 1e-6;

    private final OracleFixture fixture = new OracleFixture();

    @AfterEach
    void close() {
        fixture.close();
    }

    /** Moves each element of {@code at} both ways and holds the slope of {@code loss} against {@code gradient}. */
    private static void assertGradient(Tensor at, DoubleSupplier loss, double[] gradient) {
        double[] values = at.downloadDoubles();
        double scale = 0;
        for (double g : gradient) {
            scale = Math.max(scale, Math.abs(g));
        }
        for (int i = 0; i < values.length; i++) {
            double middle = values[i];
            values[i] = middle + STEP;
            at.uploadDoubles(values);
            double up = loss.getAsDouble();
            values[i] = middle - STEP;
            at.uploadDoubles(values);
            double down = loss.getAsDouble();
            values[i] = middle;
            at.uploadDoubles(values);
            assertThat(gradient[i]).as("element %d", i).isCloseTo((up - down) / (2 * STEP), within(RELATIVE * scale));
        }
    }

    private static double dot(Tensor values, double[] weights) {
        double[] all = values.downloadDoubles();
        double sum = 0;
        for (int i = 0; i < all.length; i++) {
            sum += all[i] * weights[i];
        }
        return sum;
    }

    /** x -> a1 = x W1 + b1 -> h = f(a1) -> y = h W2 + b2, loss = sum of c y. */
    @ParameterizedTest
    @EnumSource
    void denseLayers(Activation f) {
        Rows rows = Rows.of(3);
        Tensor x = fixture.tensor(OracleFixture.numbers(3 * 4, 1), 3, 4);
        Tensor w1 = fixture.tensor(OracleFixture.numbers(5 * 4, 2), 5, 4);
        Tensor b1 = fixture.tensor(OracleFixture.numbers(5, 3), 5);
        Tensor w2 = fixture.tensor(OracleFixture.numbers(2 * 5, 4), 2, 5);
        Tensor b2 = fixture.tensor(OracleFixture.numbers(2, 5), 2);
        Tensor h = fixture.zeros(3, 5);
        Tensor pre = fixture.zeros(3, 5);
        Tensor y = fixture.zeros(3, 2);
        double[] c = OracleFixture.numbers(6, 6);
        var linear = fixture.backend.linear();
        DoubleSupplier loss = () -> {
            linear.linearForward(rows, x, w1, b1, f, h, f.needsInput() ? pre : null);
            linear.linearForward(rows, h, w2, b2, Activation.IDENTITY, y, null);
            return dot(y, c);
        };
        assertThat(loss.getAsDouble()).isFinite();
        Tensor g2 = fixture.tensor(c, 3, 2);
        Tensor dw2 = fixture.zeros(2, 5);
        Tensor db2 = fixture.zeros(2);
        Tensor g1 = fixture.zeros(3, 5);
        Tensor dw1 = fixture.zeros(5, 4);
        Tensor db1 = fixture.zeros(5);
        Tensor dx = fixture.zeros(3, 4);
        linear.linearBackwardWeights(rows, h, g2, dw2, db2, Write.OVERWRITE);
        linear.linearBackwardInput(rows, g2, w2, f, f.needsInput() ? pre : h, g1, Write.OVERWRITE);
        linear.linearBackwardWeights(rows, x, g1, dw1, db1, Write.OVERWRITE);
        linear.linearBackwardInput(rows, g1, w1, Activation.IDENTITY, x, dx, Write.OVERWRITE);
        assertGradient(w2, loss, dw2.downloadDoubles());
        assertGradient(b2, loss, db2.downloadDoubles());
        assertGradient(w1, loss, dw1.downloadDoubles());
        assertGradient(b1, loss, db1.downloadDoubles());
        assertGradient(x, loss, dx.downloadDoubles());
    }

    /** loss = (sum of c z + w sum of KL), for the mean divided by the rows as the KL weight is. */
    @ParameterizedTest
    @CsvSource({"1, SUM", "1, MEAN", "3, SUM", "3, MEAN"})
    void theLatent(int fold, Reduction reduction) {
        int n = 4;
        int d = 3;
        Rows rows = new Rows(n, fold);
        Tensor heads = fixture.tensor(OracleFixture.numbers(n * 2 * d, 8), n, 2L * d);
        Tensor z = fixture.zeros((long) n * fold, d);
        Tensor kl = fixture.zeros(n);
        Noise noise = Noise.training(Purpose.EPSILON);
        double[] c = OracleFixture.numbers(n * fold * d, 9);
        double klWeight = 0.6;
        double perRow = klWeight / (reduction == Reduction.MEAN ? n : 1);
        var latent = fixture.backend.latent();
        DoubleSupplier loss = () -> {
            latent.reparameterizeForward(rows, heads, Clamp.DEFAULT, noise, fixture.state, z);
            latent.gaussianKlForward(Rows.of(n), heads, Clamp.DEFAULT, kl);
            return dot(z, c) + perRow * dot(kl, new double[] {1, 1, 1, 1});
        };
        Tensor gradient = fixture.zeros(n, 2L * d);
        latent.reparameterizeBackward(
                rows,
                heads,
                Clamp.DEFAULT,
                noise,
                fixture.state,
                fixture.tensor(c, (long) n * fold, d),
                Scalar.of(klWeight),
                reduction,
                gradient);
        assertGradient(heads, loss, gradient.downloadDoubles());
    }

    /** Outside the range a gradient passes only where a descent step leads back into it. */
    @Test
    void theClampLetsGradientsLeadBackOnly() {
        Tensor heads = fixture.tensor(new double[] {0, 5, 0, 5, 0, -5, 0, -5}, 4, 2);
        Tensor gradient = fixture.zeros(4, 2);
        Noise noise = Noise.common(Purpose.EPSILON);
        Tensor epsilon = fixture.zeros(4, 1);
        fixture.backend
                .latent()
                .reparameterizeForward(Rows.of(4), fixture.zeros(4, 2), Clamp.DEFAULT, noise, fixture.state, epsilon);
        double sign = Math.signum(epsilon.downloadDoubles()[0]);
        // dlogVar has the sign of dz * epsilon, the KL weight being zero.
        Tensor dz = fixture.tensor(new double[] {sign, -sign, sign, -sign}, 4, 1);
        fixture.backend
                .latent()
                .reparameterizeBackward(
                        Rows.of(4),
                        heads,
                        new Clamp(-1, 1),
                        noise,
                        fixture.state,
                        dz,
                        Scalar.of(0),
                        Reduction.SUM,
                        gradient);
        double[] all = gradient.downloadDoubles();
        assertThat(all[1]).as("too large, and descent makes it smaller").isPositive();
        assertThat(all[3]).as("too large, and descent makes it larger").isZero();
        assertThat(all[5]).as("too small, and descent makes it smaller").isZero();
        assertThat(all[7]).as("too small, and descent makes it larger").isNegative();
    }

    @ParameterizedTest
    @CsvSource({"1, SUM", "2, MEAN"})
    void theBernoulliLikelihood(int fold, Reduction reduction) {
        int n = 2;
        int d = 18;
        Rows rows = new Rows(n, fold);
        Tensor logits = fixture.tensor(OracleFixture.numbers(n * fold * d, 1), (long) n * fold, d);
        double[] target = OracleFixture.numbers(n * d, 2);
        for (int i = 0; i < target.length; i++) {
            target[i] = Math.abs(target[i]);
        }
        Tensor x = fixture.tensor(target, n, d);
        Tensor logLikelihood = fixture.zeros((long) n * fold);
        double[] perRow = new double[n * fold];
        java.util.Arrays.fill(perRow, -1.4 / (reduction == Reduction.MEAN ? n : 1));
        DoubleSupplier loss = () -> {
            fixture.backend.loss().bernoulliForward(rows, logits, x, logLikelihood);
            return dot(logLikelihood, perRow);
        };
        Tensor gradient = fixture.zeros((long) n * fold, d);
        fixture.backend
                .loss()
                .bernoulliForwardBackward(rows, logits, x, Scalar.of(1.4), reduction, logLikelihood, gradient);
        assertGradient(logits, loss, gradient.downloadDoubles());
    }
}
