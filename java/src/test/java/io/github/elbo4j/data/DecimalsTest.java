package io.github.elbo4j.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.testkit.TestSeed;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DecimalsTest {
    private static float parse(String text) {
        // Surrounded, so that a look beyond the ends shows.
        char[] chars = ("9" + text + "9").toCharArray();
        return Decimals.parse(chars, 1, chars.length - 1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0",
                "-0",
                "+0",
                "1",
                "-1",
                "+1",
                "007",
                "0.25",
                ".5",
                "5.",
                "-.5",
                "1e3",
                "1E3",
                "1e+3",
                "1e-3",
                "1.5e-3",
                "9999999",
                "99999999",
                "0.9999999",
                "0.0000001",
                "0.00000001",
                "16777217",
                "16777217.0000001",
                "1e-46",
                "1e-400",
                "3.4028235e38",
                "1e38",
                "1.17549435E-38",
                "0.1",
                "0.3333333",
                "1234567e-10",
                "1e00000000003",
                "0.000000000000000000000000000000000000000000001401298464324817"
            })
    void numbersAreThoseOfJava(String text) {
        assertThat(parse(text)).isEqualTo(Float.parseFloat(text));
        assertThat(Float.floatToRawIntBits(parse(text))).isEqualTo(Float.floatToRawIntBits(Float.parseFloat(text)));
    }

    @Test
    void randomNumbersAreThoseOfJava() {
        Random random = TestSeed.random(DecimalsTest.class);
        for (int i = 0; i < 200_000; i++) {
            String text = switch (i % 4) {
                case 0 -> Integer.toString(random.nextInt(20_000_000) - 10_000_000);
                case 1 -> random.nextInt(1000) + "." + random.nextInt(100_000);
                case 2 -> Float.toString(Float.intBitsToFloat(random.nextInt()));
                default -> Double.toString(random.nextGaussian());
            };
            float expected = Float.parseFloat(text);
            if (Float.isFinite(expected) && Float.floatToRawIntBits(parse(text)) != Float.floatToRawIntBits(expected)) {
                throw new AssertionError(text + " was read as " + parse(text));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "+",
                "-",
                ".",
                "-.",
                "e3",
                "1e",
                "1e+",
                "1e3.5",
                "1f",
                "1F",
                "1d",
                "1.5D",
                "0x1p3",
                "0x10",
                "NaN",
                "nan",
                "Infinity",
                "-Infinity",
                "inf",
                "1,5",
                "1 2",
                " 1",
                "1 ",
                "--1",
                "+-1",
                "1.2.3",
                "1e3e3",
                "1_000",
                "\u0661",
                "1\0",
                "1e3f",
                "true",
                "1/2"
            })
    void whatIsNoNumberIsNaN(String text) {
        assertThat(parse(text)).isNaN();
    }

    @ParameterizedTest
    @ValueSource(strings = {"1e39", "-1e39", "3.5e38", "1e99999999999"})
    void whatIsTooLargeIsInfinite(String text) {
        assertThat(parse(text)).isInfinite();
        assertThat(parse("9".repeat(60_000))).isInfinite();
    }
}
