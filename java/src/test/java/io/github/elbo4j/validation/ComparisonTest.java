package io.github.elbo4j.validation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.elbo4j.backend.DType;
import org.junit.jupiter.api.Test;

class ComparisonTest {
    private static final double NAN = Double.NaN;
    private static final double INF = Double.POSITIVE_INFINITY;

    private static boolean matches(double actual, double expected) {
        return Comparison.within("x", new double[] {actual}, new double[] {expected}, new double[] {0.5})
                .passed();
    }

    @Test
    void everyKindOfNumberIsJudged() {
        assertThat(matches(1.5, 1)).isTrue();
        assertThat(matches(1.6, 1)).isFalse();
        assertThat(matches(NAN, NAN)).isTrue();
        assertThat(matches(NAN, 1)).isFalse();
        assertThat(matches(1, NAN)).isFalse();
        assertThat(matches(INF, INF)).isTrue();
        assertThat(matches(-INF, INF)).isFalse();
        assertThat(matches(INF, 1)).isFalse();
        assertThat(matches(INF, NAN)).isFalse();
    }

    @Test
    void theWorstElementIsNamed() {
        Comparison comparison = Comparison.within(
                "loss", new double[] {1, 2.2, 3.3, 4}, new double[] {1, 2, 3, 4}, new double[] {1, 0.1, 1, 1});
        assertThat(comparison.failed()).isEqualTo(1);
        assertThat(comparison.elements()).isEqualTo(4);
        assertThat(comparison.worstIndex()).isEqualTo(1);
        assertThat(comparison.worstError()).isCloseTo(0.2, within(1e-12));
        assertThat(comparison.describe()).contains("loss", "1 of 4", "at 1", "200.0%");
    }

    @Test
    void exactMeansEveryBit() {
        assertThat(Comparison.exact("z", new double[] {0.0}, new double[] {-0.0})
                        .passed())
                .isFalse();
        assertThat(Comparison.exact("z", new float[] {0f}, new float[] {-0f}).passed())
                .isFalse();
        assertThat(Comparison.exact("n", new double[] {NAN}, new double[] {NAN}).passed())
                .isTrue();
        assertThat(Comparison.exact("l", new long[] {1, 2}, new long[] {1, 3}).worstIndex())
                .isEqualTo(1);
        assertThatThrownBy(() -> Comparison.exact("l", new long[1], new long[2]))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void theRuleIsTwiceThePlainErrorAndAFloor() {
        double[] terms = {1, 4};
        double eps = Tolerance.epsilon(DType.F32);
        assertThat(Tolerance.worstRatio(new double[] {1 + 3 * eps, 4}, new double[] {1, 4}, terms, DType.F32))
                .isCloseTo(3, within(1e-9));
        assertThat(Tolerance.worstRatio(new double[] {NAN, 4}, new double[] {1, 4}, terms, DType.F32))
                .isEqualTo(INF);
        double[] tolerance = Tolerance.of(3, terms, new double[] {0, 5}, DType.F32);
        assertThat(tolerance[0]).isCloseTo(6 * eps, within(1e-15));
        assertThat(tolerance[1]).isCloseTo(29 * eps, within(1e-15));
        assertThat(Tolerance.of(0, terms, new double[0], DType.F32)[0]).isCloseTo(eps, within(1e-15));
        assertThat(Tolerance.cap(100)).isEqualTo(54);
        assertThatThrownBy(() -> Tolerance.epsilon(DType.U8)).isInstanceOf(IllegalArgumentException.class);
    }
}
