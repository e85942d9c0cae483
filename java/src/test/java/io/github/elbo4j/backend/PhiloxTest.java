package io.github.elbo4j.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.elbo4j.backend.Noise.Purpose;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PhiloxTest {
    /** Known-answer vectors of Random123 (kat_vectors, philox4x32 10). */
    @Test
    void matchesThePublishedVectors() {
        assertThat(block(0, 0, 0, 0, 0)).containsExactly(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
        assertThat(block(-1, -1, -1, -1, -1)).containsExactly(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
        // Key words in order: a4093822, 299f31d0; the first is the low half of the seed.
        assertThat(block(0x299f31d0_a4093822L, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344))
                .containsExactly(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1);
    }

    private static int[] block(long key, int c0, int c1, int c2, int c3) {
        int[] out = new int[4];
        Philox.block(key, c0, c1, c2, c3, out);
        return out;
    }

    @Test
    void uniformsAreExactOddMultiplesWithinTheOpenInterval() {
        assertThat(Philox.uniform(0)).isEqualTo(0x1p-24);
        assertThat(Philox.uniform(-1)).isEqualTo(1 - 0x1p-24);
        assertThat(Philox.uniform(1 << 31)).isEqualTo(0.5 + 0x1p-24);
        assertThat(Philox.uniform(0x1FF)).as("the lower 9 bits do not count").isEqualTo(0x1p-24);
        for (int word = 0; word < 1 << 30; word += 12_345_677) {
            double u = Philox.uniform(word * 4);
            assertThat((double) (float) u).isEqualTo(u);
            assertThat(u * 0x1p24 % 2).isEqualTo(1);
        }
    }

    @Test
    void streamsKeepPurposesAndSamplesApart() {
        assertThat(Philox.stream(Purpose.CORRUPT, 0xFFFFFF)).isEqualTo(0x05FFFFFF);
        assertThat(Arrays.stream(Purpose.values()).map(Purpose::code)).containsExactly(0, 1, 2, 3, 4, 5);
        assertThatThrownBy(() -> Philox.stream(Purpose.INIT, -1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Philox.stream(Purpose.INIT, 1 << 24)).isInstanceOf(IllegalArgumentException.class);
    }

    /** Box and Muller (1958) from the block's own words, by java.lang.Math. */
    @Test
    void normalsAreTheTransformOfTheBlock() {
        double[] row = new double[7];
        Normals.row(99, 3, 2, Philox.stream(Purpose.EPSILON, 1), row);
        int[] words = block(99, 1, 3, 2, 1 << 24 | 1);
        double radius = Math.sqrt(-2 * Math.log(Philox.uniform(words[0])));
        double angle = 2 * Math.PI * Philox.uniform(words[1]);
        assertThat(row[4]).isCloseTo(radius * Math.cos(angle), within(1e-14));
        assertThat(row[5]).isCloseTo(radius * Math.sin(angle), within(1e-14));
        double second = Math.sqrt(-2 * Math.log(Philox.uniform(words[2])));
        assertThat(row[6]).isCloseTo(second * Math.cos(2 * Math.PI * Philox.uniform(words[3])), within(1e-14));
    }

    @Test
    void normalsHaveTheirMomentsAndDistribution() {
        int n = 200_000;
        double[] values = new double[n];
        Normals.row(5, 0, 0, Philox.stream(Purpose.SAMPLE, 0), values);
        double mean = Arrays.stream(values).average().orElseThrow();
        double variance = Arrays.stream(values).map(v -> v * v).average().orElseThrow();
        double fourth = Arrays.stream(values).map(v -> v * v * v * v).average().orElseThrow();
        // Five standard errors: 1, sqrt 2 and sqrt 96 over sqrt n.
        double error = 5 / Math.sqrt(n);
        assertThat(mean).isCloseTo(0, within(error));
        assertThat(variance).isCloseTo(1, within(Math.sqrt(2) * error));
        assertThat(fourth).isCloseTo(3, within(Math.sqrt(96) * error));
        assertThat(Arrays.stream(values).map(Math::abs).max().orElseThrow()).isLessThan(5.78);
        // Kolmogorov-Smirnov: the distance times sqrt n exceeds 1.95 once in a thousand.
        Arrays.sort(values);
        double distance = 0;
        for (int i = 0; i < n; i++) {
            distance = Math.max(distance, Math.abs((i + 0.5) / n - phi(values[i])));
        }
        assertThat(distance * Math.sqrt(n)).isLessThan(1.95);
    }

    /** Abramowitz and Stegun 26.2.17, within 7.5e-8. */
    private static double phi(double x) {
        double t = 1 / (1 + 0.2316419 * Math.abs(x));
        double tail = Math.exp(-x * x / 2)
                / Math.sqrt(2 * Math.PI)
                * t
                * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
        return x < 0 ? tail : 1 - tail;
    }

    @Test
    void shufflesArePermutations() {
        for (int n = 1; n <= 300; n++) {
            requirePermutation(n, n * 7L, 0);
        }
        requirePermutation(1000, 1, 3);
        requirePermutation(60_000, -1, 1L << 31);
    }

    private static void requirePermutation(int n, long seed, long epoch) {
        boolean[] seen = new boolean[n];
        for (int position = 0; position < n; position++) {
            int row = (int) Shuffle.row(seed, epoch, position, n);
            assertThat(seen[row]).as("row %d of %d twice", row, n).isFalse();
            seen[row] = true;
        }
    }

    /** Which row stands at each place, over many epochs: chi-square of 16 x 16 counts. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 77})
    void shufflesAreUniform(long seed) {
        int n = 16;
        int epochs = 4000;
        int[][] counts = new int[n][n];
        for (long epoch = 0; epoch < epochs; epoch++) {
            for (int position = 0; position < n; position++) {
                counts[position][(int) Shuffle.row(seed, epoch, position, n)]++;
            }
        }
        double expected = (double) epochs / n;
        double chiSquare = 0;
        for (int[] row : counts) {
            for (int count : row) {
                chiSquare += (count - expected) * (count - expected) / expected;
            }
        }
        // 225 degrees of freedom: mean 225, standard deviation 21; four of them up.
        assertThat(chiSquare).isLessThan(225 + 4 * 21.3);
    }

    @Test
    void shufflesReachRowsBeyond32BitsAndRefuseWhatIsNone() {
        long n = (1L << 40) + 12345;
        assertThat(Shuffle.row(3, 0, n - 1, n)).isBetween(0L, n - 1);
        assertThat(Shuffle.row(3, 0, 5, 1000)).isNotEqualTo(Shuffle.row(3, 1, 5, 1000));
        assertThatThrownBy(() -> Shuffle.row(1, 0, 5, 5)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Shuffle.row(1, 0, -1, 5)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Shuffle.row(1, 0, 0, 0)).isInstanceOf(IllegalArgumentException.class);
    }
}
