package io.github.elbo4j.backend.java;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.elbo4j.backend.Activation;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Golden values by 60-digit decimal arithmetic: Phi(x) = (1 + erf(x / sqrt 2)) / 2 from erf's Maclaurin series. */
class JavaMathTest {
    @ParameterizedTest
    @CsvSource({
        "-6, 9.86587645037698e-10",
        "-3.75, 8.841728520080387e-05",
        "-3.5, 0.00023262907903552504",
        "-1, 0.15865525393145705",
        "-0.125, 0.4502617751698871",
        "0, 0.5",
        "0.5, 0.6914624612740131",
        "1, 0.8413447460685429",
        "2.25, 0.9877755273449553",
        "3.5, 0.9997673709209645",
        "3.75, 0.9999115827147992",
        "6, 0.9999999990134123"
    })
    void theDistributionFunctionIsExact(double x, double expected) {
        // exp(-x^2 / 2) alone has a condition of x^2 = 36: 1e-14, relative.
        assertThat(JavaMath.normalCdf(x)).isCloseTo(expected, Percentage.withPercentage(1e-12));
        assertThat(JavaMath.normalCdf((float) x)).isEqualTo((float) expected);
    }

    @Test
    void theTailsHaveTheirLimits() {
        assertThat(JavaMath.normalCdf(40.0)).isEqualTo(1);
        assertThat(JavaMath.normalCdf(-40.0)).isZero();
        assertThat(JavaMath.normalCdf(Double.POSITIVE_INFINITY)).isEqualTo(1);
        assertThat(JavaMath.normalCdf(Double.NEGATIVE_INFINITY)).isZero();
        assertThat(JavaMath.normalCdf(Double.NaN)).isNaN();
        // Density by its definition.
        assertThat(JavaMath.normalPdf(1.5)).isCloseTo(Math.exp(-1.125) / Math.sqrt(2 * Math.PI), within(1e-16));
    }

    /** expm1; a Phi(a); a / (1 + exp(-a)); tanh; 1 / (1 + exp(-a)); log(1 + exp(a)), as decimals. */
    @ParameterizedTest
    @CsvSource({
        "-2, -0.8646647167633873, -0.04550026389635842, -0.23840584404423512, -0.9640275800758169, 0.11920292202211756, 0.1269280110429725",
        "-0.5, -0.3934693402873666, -0.15426876936299344, -0.18877033439907273, -0.46211715726000974, 0.37754066879814546, 0.4740769841801067",
        "0.75, 0.75, 0.5800294857173488, 0.5093840243815447, 0.6351489523872873, 0.679178699175393, 1.1368710061148999",
        "3, 3, 2.99595030590511, 2.8577223804672998, 0.9950547536867305, 0.9525741268224333, 3.048587351573742"
    })
    void activationsMatchGoldenValues(
            double a, double elu, double gelu, double silu, double tanh, double sigmoid, double softplus) {
        assertValue(Activation.ELU, a, elu);
        assertValue(Activation.GELU, a, gelu);
        assertValue(Activation.SILU, a, silu);
        assertValue(Activation.TANH, a, tanh);
        assertValue(Activation.SIGMOID, a, sigmoid);
        assertValue(Activation.SOFTPLUS, a, softplus);
        assertValue(Activation.IDENTITY, a, a);
        assertValue(Activation.RELU, a, Math.max(0, a));
        assertValue(Activation.LEAKY_RELU, a, a > 0 ? a : a / 100);
    }

    private static void assertValue(Activation f, double a, double expected) {
        assertThat(JavaActivationsF64.value(f, a))
                .as("%s(%s)", f, a)
                .isCloseTo(expected, within(1e-15 * (1 + Math.abs(expected))));
    }

    @Test
    void activationsKeepNaN() {
        for (Activation f : Activation.values()) {
            assertThat(JavaActivations.value(f, Float.NaN)).as(f.label()).isNaN();
            assertThat(JavaActivationsF64.value(f, Double.NaN)).as(f.label()).isNaN();
        }
    }
}
