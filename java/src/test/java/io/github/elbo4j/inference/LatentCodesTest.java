package io.github.elbo4j.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Normals;
import io.github.elbo4j.backend.Philox;
import io.github.elbo4j.inference.LatentCodes.Interpolation;
import java.util.Arrays;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LatentCodesTest {
    private static final float MAX = Float.MAX_VALUE;

    @Test
    void samplesOfThePriorAreTheNormalsOfTheirNumbers() {
        float[] codes = LatentCodes.prior(-7, 5, 3, 6);
        assertThat(codes).hasSize(18);
        double[] row = new double[6];
        for (int i = 0; i < 3; i++) {
            Normals.row(-7, 5 + i, 0, Philox.stream(Noise.Purpose.SAMPLE, 0), row);
            for (int d = 0; d < 6; d++) {
                assertThat(codes[i * 6 + d]).isEqualTo((float) row[d]);
            }
        }
    }

    @Test
    void samplesAreTheSameInWhateverPartsTheyAreDrawn() {
        float[] whole = LatentCodes.prior(3, 0, 10, 5);
        assertThat(LatentCodes.prior(3, 0, 4, 5)).isEqualTo(Arrays.copyOf(whole, 20));
        assertThat(LatentCodes.prior(3, 4, 6, 5)).isEqualTo(Arrays.copyOfRange(whole, 20, 50));
        assertThat(LatentCodes.prior(4, 0, 10, 5)).isNotEqualTo(whole);
        // The last number of all.
        assertThat(LatentCodes.prior(3, (1L << 32) - 1, 1, 5)).isNotEqualTo(Arrays.copyOf(whole, 5));
    }

    @Test
    void samplesHaveMeanZeroAndVarianceOne() {
        float[] codes = LatentCodes.prior(11, 0, 20_000, 4);
        double sum = 0;
        double squares = 0;
        for (float each : codes) {
            sum += each;
            squares += (double) each * each;
        }
        // Four standard errors of 80,000 samples.
        assertThat(sum / codes.length).isCloseTo(0, within(4 / Math.sqrt(80_000)));
        assertThat(squares / codes.length).isCloseTo(1, within(4 * Math.sqrt(2 / 80_000.0)));
    }

    @Test
    void theLineIsDividedEvenly() {
        float[] a = {0, 8, -1};
        float[] b = {4, 0, -1};
        assertThat(LatentCodes.interpolate(a, b, 5, Interpolation.LINEAR))
                .containsExactly(0, 8, -1, 1, 6, -1, 2, 4, -1, 3, 2, -1, 4, 0, -1);
        assertThat(LatentCodes.interpolate(a, b, 2, Interpolation.LINEAR)).containsExactly(0, 8, -1, 4, 0, -1);
    }

    @Test
    void theArcTurnsEvenlyAndKeepsTheLength() {
        float[] codes = LatentCodes.interpolate(new float[] {2, 0}, new float[] {0, 2}, 4, Interpolation.SPHERICAL);
        for (int i = 0; i < 4; i++) {
            double angle = Math.PI / 2 * i / 3;
            assertThat(codes[2 * i]).isCloseTo((float) (2 * Math.cos(angle)), within(1e-6f));
            assertThat(codes[2 * i + 1]).isCloseTo((float) (2 * Math.sin(angle)), within(1e-6f));
        }
    }

    @Test
    void theArcOfTwoLengthsWeighsThemByTheSine() {
        // An angle of 60 degrees; in the middle both weights are sin 30 / sin 60 = 1 / sqrt 3.
        float half = (float) (Math.sqrt(3) / 2);
        float[] codes =
                LatentCodes.interpolate(new float[] {3, 0}, new float[] {0.5f, half}, 3, Interpolation.SPHERICAL);
        assertThat(codes[2]).isCloseTo((float) (3.5 / Math.sqrt(3)), within(1e-6f));
        assertThat(codes[3]).isCloseTo(0.5f, within(1e-6f));
    }

    @Test
    void codesWithoutAnArcAreJoinedByTheLine() {
        float[] a = {1, 2, -2};
        for (float[] b : new float[][] {{2, 4, -4}, {-1, -2, 2}, {-3, -6, 6}, {0, 0, 0}, {1, 2, -2}, {1, 2, -2.001f}}) {
            assertThat(LatentCodes.interpolate(a, b, 5, Interpolation.SPHERICAL))
                    .isEqualTo(LatentCodes.interpolate(a, b, 5, Interpolation.LINEAR));
            assertThat(LatentCodes.interpolate(b, a, 5, Interpolation.SPHERICAL))
                    .isEqualTo(LatentCodes.interpolate(b, a, 5, Interpolation.LINEAR));
        }
        // Two degrees are an arc: cos 2 is 0.99939.
        float[] b = {(float) Math.cos(Math.toRadians(2)), (float) Math.sin(Math.toRadians(2))};
        assertThat(LatentCodes.interpolate(new float[] {1, 0}, b, 3, Interpolation.SPHERICAL))
                .isNotEqualTo(LatentCodes.interpolate(new float[] {1, 0}, b, 3, Interpolation.LINEAR));
    }

    @ParameterizedTest
    @EnumSource(Interpolation.class)
    void bothEndsAreKeptToTheBit(Interpolation interpolation) {
        float[] a = LatentCodes.prior(1, 0, 1, 20);
        float[] b = LatentCodes.prior(1, 1, 1, 20);
        float[] codes = LatentCodes.interpolate(a, b, 9, interpolation);
        assertThat(Arrays.copyOf(codes, 20)).isEqualTo(a);
        assertThat(Arrays.copyOfRange(codes, 160, 180)).isEqualTo(b);
        // Backwards it is the same way.
        float[] back = LatentCodes.interpolate(b, a, 9, interpolation);
        for (int i = 0; i < 9; i++) {
            for (int d = 0; d < 20; d++) {
                assertThat(back[(8 - i) * 20 + d]).isCloseTo(codes[i * 20 + d], within(1e-6f));
            }
        }
    }

    @Test
    void theLargestCodesOverflowNowhere() {
        for (Interpolation interpolation : Interpolation.values()) {
            float[] codes = LatentCodes.interpolate(new float[] {MAX, 0}, new float[] {MAX, 1}, 5, interpolation);
            assertThat(codes[4]).isEqualTo(MAX);
        }
        assertThat(LatentCodes.traverse(new float[] {0}, 0, -MAX, MAX, 3)).containsExactly(-MAX, 0, MAX);
    }

    @Test
    void aTraversalChangesOneDimensionInEqualSteps() {
        assertThat(LatentCodes.traverse(new float[] {7, 8, 9}, 1, -3, 3, 4))
                .containsExactly(7, -3, 9, 7, -1, 9, 7, 1, 9, 7, 3, 9);
        assertThat(LatentCodes.traverse(new float[] {7}, 0, 1, -1, 3)).containsExactly(1, 0, -1);
    }

    @Test
    void aGridHasTheFirstDimensionDownAndTheSecondAcross() {
        assertThat(LatentCodes.traverse(new float[] {7, 8, 9}, 2, 0, -1, 1, 2))
                .containsExactly(-1, 8, -1, /**/ 1, 8, -1, /**/ -1, 8, 1, /**/ 1, 8, 1);
        assertThat(LatentCodes.traverse(new float[] {7, 8, 9}, 2, 0, -1, 1, 3)).hasSize(27);
    }

    @Test
    void theCallersArraysStayAsTheyAre() {
        float[] a = {1, 2};
        float[] b = {3, 4};
        LatentCodes.interpolate(a, b, 4, Interpolation.SPHERICAL);
        LatentCodes.traverse(a, 0, -1, 1, 4);
        LatentCodes.traverse(b, 0, 1, -1, 1, 4);
        assertThat(a).containsExactly(1, 2);
        assertThat(b).containsExactly(3, 4);
    }

    @Test
    void refusesWhatIsOutOfRange() {
        float[] code = {1, 2};
        refused("0 codes", () -> LatentCodes.prior(1, 0, 0, 2));
        refused("of 0 dimensions", () -> LatentCodes.prior(1, 0, 2, 0));
        refused("firstRow -1", () -> LatentCodes.prior(1, -1, 1, 2));
        refused("firstRow 4294967295", () -> LatentCodes.prior(1, (1L << 32) - 1, 2, 2));
        refused("too many", () -> LatentCodes.prior(1, 0, 1 << 20, 1 << 20));
        refused("2 and 1 dimensions", () -> line(code, new float[] {1}, 3));
        refused("a: a code has", () -> line(new float[0], code, 3));
        refused("b: NaN in dimension 1", () -> line(code, new float[] {1, Float.NaN}, 3));
        refused("a: Infinity", () -> line(new float[] {Float.POSITIVE_INFINITY, 0}, code, 3));
        refused("steps 1", () -> line(code, code, 1));
        refused("too many", () -> line(code, code, Integer.MAX_VALUE));
        refused("dimension 2", () -> LatentCodes.traverse(code, 2, -1, 1, 3));
        refused("dimension -1", () -> LatentCodes.traverse(code, -1, -1, 1, 3));
        refused("dimension 2", () -> LatentCodes.traverse(code, 0, 2, -1, 1, 3));
        refused("dimension 1 twice", () -> LatentCodes.traverse(code, 1, 1, -1, 1, 3));
        refused("from NaN", () -> LatentCodes.traverse(code, 0, Float.NaN, 1, 3));
        refused("to Infinity", () -> LatentCodes.traverse(code, 0, 1, Float.POSITIVE_INFINITY, 3));
        refused("steps 0", () -> LatentCodes.traverse(code, 0, -1, 1, 0));
        refused("too many", () -> LatentCodes.traverse(code, 0, 1, -1, 1, 1 << 16));
        refused("too many", () -> LatentCodes.traverse(code, 0, 1, -1, 1, Integer.MAX_VALUE));
        refused("origin: NaN", () -> LatentCodes.traverse(new float[] {Float.NaN}, 0, -1, 1, 3));
    }

    private static float[] line(float[] a, float[] b, int steps) {
        return LatentCodes.interpolate(a, b, steps, Interpolation.LINEAR);
    }

    private static void refused(String named, ThrowingCallable call) {
        assertThatIllegalArgumentException().isThrownBy(call).withMessageContaining(named);
    }
}
