package io.github.elbo4j.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NumbersTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    0            | 0
                    -0.0         | 0
                    106.5449     | 106.54
                    -3.5         | −3.50
                    0.25         | 0.2500
                    0.001        | 0.0010
                    0.00099      | 9.9e−4
                    1234.5       | 1,234.50
                    12345.67     | 12,345.7
                    123456.7     | 123,457
                    1e6          | 1e6
                    -1.2345e-300 | −1.23e−300
                    """)
    void lossesHaveAboutFiveDigits(double value, String text) {
        assertThat(Numbers.loss(value)).isEqualTo(text);
    }

    @Test
    void numbersAreTheSameInEveryLocale() {
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
            assertThat(Numbers.loss(1234.5)).isEqualTo("1,234.50");
            assertThat(Numbers.loss(1e9)).isEqualTo("1e9");
            assertThat(Numbers.count(10_000)).isEqualTo("10,000");
            assertThat(Axis.linear(1.5, 2.5, 5).ticks().getFirst().label()).isEqualTo("1.5");
            assertThat(Svg.number(-3.25)).isEqualTo("-3.2");
        } finally {
            Locale.setDefault(before);
        }
    }
}
