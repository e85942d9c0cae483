package io.github.elbo4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.elbo4j.backend.DType;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class DigitsTest {
    private static final int PIXELS = 28 * 28;

    @Test
    void theFirstThousandAreTheSameOnEveryMachine() {
        assertThat(Digits.generate(1, 0, 1000).fingerprint())
                .isEqualTo("87b1152abbd2190342b382188dfaae7a37a64158184110e3db6ccde9593d8412");
    }

    @Test
    void anImageDependsOnItsNumberAlone() {
        Dataset whole = Digits.generate(7, 100, 50);
        assertThat(Digits.generate(7, 130, 20).fingerprint())
                .isEqualTo(whole.slice(30, 20).fingerprint());
        assertThat(Digits.generate(7, 149, 1).fingerprint())
                .isEqualTo(whole.slice(49, 1).fingerprint());
        assertThat(Digits.generate(8, 100, 50).fingerprint()).isNotEqualTo(whole.fingerprint());
        // Numbers that agree in their low 32 bits are different images.
        assertThat(Digits.generate(7, 100 + (1L << 32), 50).fingerprint()).isNotEqualTo(whole.fingerprint());
    }

    @Test
    void digitsLookLikeMnist() {
        Dataset set = Digits.generate(3, 0, 5000);
        assertThat(set.type()).isEqualTo(DType.U8);
        assertThat(set.shape()).isEqualTo(new ImageShape(28, 28, 1));
        long inked = 0;
        double ink = 0;
        double central = 0;
        int[] perLabel = new int[10];
        for (int row = 0; row < 5000; row++) {
            perLabel[set.label(row)]++;
            int brightest = 0;
            for (int pixel = 0; pixel < PIXELS; pixel++) {
                int value = pixel(set, row, pixel);
                int y = pixel / 28;
                int x = pixel % 28;
                brightest = Math.max(brightest, value);
                inked += value > 0 ? 1 : 0;
                ink += value;
                central += y >= 4 && y < 24 && x >= 4 && x < 24 ? value : 0;
            }
            assertThat(brightest).as("image %d", row).isEqualTo(255);
        }
        // MNIST: 19.1% of the pixels have ink, the mean is 13.1%.
        assertThat(inked / (5000.0 * PIXELS)).isBetween(0.17, 0.21);
        assertThat(ink / 255 / (5000.0 * PIXELS)).isBetween(0.11, 0.15);
        assertThat(central / ink).isBetween(0.95, 0.9999);
        // Uniform labels: 500 each, six standard deviations of 21.
        for (int count : perLabel) {
            assertThat(count).isBetween(370, 630);
        }
    }

    @Test
    void noInkTouchesTheBorder() {
        Dataset set = Digits.generate(4, 0, 5000);
        for (int row = 0; row < 5000; row++) {
            for (int i = 0; i < 28; i++) {
                int border = pixel(set, row, i)
                        + pixel(set, row, 27 * 28 + i)
                        + pixel(set, row, 28 * i)
                        + pixel(set, row, 28 * i + 27);
                assertThat(border).as("border of image %d at %d", row, i).isZero();
            }
        }
    }

    @Test
    void digitsCanBeToldApartAndVaryWithinAKind() {
        Dataset train = Digits.generate(1, 0, 4000);
        Dataset test = Digits.generate(2, 0, 400);
        int right = 0;
        int identical = 0;
        for (int i = 0; i < 400; i++) {
            long best = Long.MAX_VALUE;
            int label = -1;
            for (int j = 0; j < 4000; j++) {
                long distance = distance(test, i, train, j, best);
                if (distance < best) {
                    best = distance;
                    label = train.label(j);
                }
            }
            right += label == test.label(i) ? 1 : 0;
            identical += best == 0 ? 1 : 0;
        }
        assertThat(right).as("right of 400 by the nearest neighbour").isBetween(380, 400);
        assertThat(identical).isZero();
    }

    @Test
    void aSplitHasASixthAsManyTestImagesFromAnotherStream() {
        DataSplit split = Digits.split(60);
        assertThat(split.train().rows()).isEqualTo(60);
        assertThat(split.test().rows()).isEqualTo(10);
        assertThat(split.spec()).isEqualTo("digits:60");
        assertThat(split.test().fingerprint())
                .isNotEqualTo(split.train().slice(0, 10).fingerprint());
        assertThat(Digits.split(120).train().slice(0, 60).fingerprint())
                .isEqualTo(split.train().fingerprint());
        assertThat(Digits.split(1).test().rows()).isEqualTo(1);
    }

    @Test
    void numbersOutOfRangeAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Digits.generate(1, 0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> Digits.generate(1, -1, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> Digits.generate(1, Long.MAX_VALUE, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> Digits.split(0));
        assertThatIllegalArgumentException().isThrownBy(() -> Digits.split(1_000_001));
    }

    private static long distance(Dataset a, int row, Dataset b, int other, long enough) {
        long sum = 0;
        for (int pixel = 0; pixel < PIXELS && sum < enough; pixel++) {
            int difference = pixel(a, row, pixel) - pixel(b, other, pixel);
            sum += (long) difference * difference;
        }
        return sum;
    }

    private static int pixel(Dataset set, int row, int pixel) {
        return set.values().get(ValueLayout.JAVA_BYTE, (long) row * PIXELS + pixel) & 0xff;
    }
}
