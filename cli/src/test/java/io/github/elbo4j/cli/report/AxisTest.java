package io.github.elbo4j.cli.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AxisTest {
    private static List<String> labels(Axis axis) {
        return axis.ticks().stream().map(Axis.Tick::label).toList();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    102     | 141     | 110 120 130 140
                    0       | 1       | 0 0.5 1.0
                    0       | 5       | 0 2 4
                    -3.2    | 3.1     | −2 0 2
                    17      | 25.6    | 18 20 22 24
                    0.0012  | 0.0019  | 0.0012 0.0014 0.0016 0.0018
                    1e-5    | 3e-5    | 1e−5 1.5e−5 2e−5 2.5e−5 3e−5
                    0       | 3e7     | 0 1e7 2e7 3e7
                    999000  | 999900  | 999,000 999,200 999,400 999,600 999,800
                    -1e300  | 1e300   | −1e300 −5e299 0 5e299 1e300
                    100     | 100     | 96 98 100 102 104
                    0       | 0       | −1.0 −0.5 0 0.5 1.0
                    100000  | 100000.000001 | 96,000 98,000 100,000 102,000 104,000
                    """)
    void ticksAreRoundNumbersInsideTheAxis(double least, double greatest, String expected) {
        assertThat(labels(Axis.linear(least, greatest, 5))).containsExactly(expected.split(" "));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    1 | 1      | 1
                    1 | 2      | 1 2
                    1 | 10     | 2 4 6 8 10
                    1 | 20     | 5 10 15 20
                    7 | 9      | 7 8 9
                    1 | 100000 | 20,000 40,000 60,000 80,000 100,000
                    1 | 2147483647 | 5e8 1e9 1.5e9 2e9
                    """)
    void epochsAreWholeNumbers(int first, int last, String expected) {
        assertThat(labels(Axis.ofIntegers(first, last, 5))).containsExactly(expected.split(" "));
    }

    @Test
    void anAxisOfIntegersEndsWithThem() {
        Axis axis = Axis.ofIntegers(3, 13, 5);
        assertThat(axis.position(3)).isZero();
        assertThat(axis.position(13)).isOne();
        assertThat(axis.position(8)).isEqualTo(0.5);
        assertThat(Axis.ofIntegers(4, 4, 5).position(4)).isEqualTo(0.5);
    }

    @Test
    void positivesFarApartStandByMagnitude() {
        Axis axis = Axis.around(1e-30, 1e30, 5);
        assertThat(axis.logarithmic()).isTrue();
        assertThat(labels(axis)).containsExactly("1e−26", "1e−13", "1", "1e13", "1e26");
        assertThat(axis.position(1)).isCloseTo(0.5, within(1e-12));
        assertThat(axis.position(1e-30)).isCloseTo(0.04 / 1.08, within(1e-12));
        assertThat(labels(Axis.around(0.5, 20_000, 5))).containsExactly("1", "10", "100", "1,000", "10,000");
        assertThat(labels(Axis.around(0.0008, 9, 5))).containsExactly("0.001", "0.01", "0.1", "1", "10");
        assertThat(Axis.around(1, 9_999, 5).logarithmic()).isFalse();
        assertThat(Axis.around(0, 1e30, 5).logarithmic()).isFalse();
        assertThat(Axis.around(-1, 1e30, 5).logarithmic()).isFalse();
    }

    @Test
    void aWidenedAxisKeepsItsMiddle() {
        Axis axis = Axis.linear(1, 3, 5);
        Axis wide = axis.widenedTo(10, 5);
        assertThat(wide.span()).isCloseTo(10, within(1e-12));
        assertThat(wide.position(2)).isCloseTo(0.5, within(1e-12));
        assertThat(labels(wide)).containsExactly("−2", "0", "2", "4", "6");
        assertThat(axis.widenedTo(1, 5).span()).isEqualTo(axis.span());
    }

    @Test
    void anyNumbersGiveFewTicksInOrderAndPositionsInside() {
        Random random = new Random(11);
        for (int i = 0; i < 3000; i++) {
            double a = any(random);
            double b = random.nextInt(4) == 0 ? a * (1 + random.nextGaussian() * 1e-7) : any(random);
            double least = Math.min(a, b);
            double greatest = Math.max(a, b);
            for (Axis axis : List.of(Axis.around(least, greatest, 5), Axis.linear(least, greatest, 5))) {
                String what = least + " to " + greatest + ": " + labels(axis);
                assertThat(axis.position(least)).as(what).isBetween(0.0, 1.0);
                assertThat(axis.position(greatest)).as(what).isBetween(axis.position(least), 1.0);
                assertThat(axis.ticks()).as(what).hasSizeBetween(2, 6);
                assertThat(labels(axis)).as(what).doesNotHaveDuplicates().allMatch(label -> label.length() < 15);
                assertThat(axis.ticks().stream().map(Axis.Tick::position))
                        .as(what)
                        .isSorted()
                        .allMatch(position -> position > -1e-6 && position < 1 + 1e-6);
            }
        }
    }

    private static double any(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextInt(-3, 4);
            case 1 -> random.nextGaussian() * 100;
            case 2 -> Math.pow(10, random.nextDouble(-320, 300));
            default -> -Math.pow(10, random.nextDouble(-320, 300));
        };
    }
}
