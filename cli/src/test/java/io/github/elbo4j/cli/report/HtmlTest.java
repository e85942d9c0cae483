package io.github.elbo4j.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class HtmlTest {
    @Test
    void whatHasAMeaningInHtmlIsEscaped() {
        assertThat(Html.escape("<a href=\"x\" title='y'>&amp;</a>"))
                .isEqualTo("&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;&lt;/a&gt;");
    }

    @Test
    void lettersOfAnyScriptStay() {
        String text = "naïve 数字 שלום \u200F مرحبا 😀\n\t";
        assertThat(Html.escape(text)).isEqualTo(text);
    }

    @Test
    void whatAPageCannotHoldIsReplaced() {
        assertThat(Html.escape("a\0b\u001Bc\u007Fd\u0085e\uFFFEf\uFDD0"))
                .isEqualTo("a\uFFFDb\uFFFDc\uFFFDd\uFFFDe\uFFFDf\uFFFD");
        assertThat(Html.escape("\uD800x\uDC00\uD83D")).isEqualTo("\uFFFDx\uFFFD\uFFFD");
        assertThat(Html.escape(new StringBuilder().appendCodePoint(0x1FFFF).toString()))
                .isEqualTo("\uFFFD");
    }

    @Test
    void whatTurnsTheDirectionOfTheRestIsReplaced() {
        String turning = IntStream.concat(IntStream.rangeClosed(0x202A, 0x202E), IntStream.rangeClosed(0x2066, 0x2069))
                .mapToObj(Character::toString)
                .collect(Collectors.joining());
        assertThat(Html.escape(turning)).isEqualTo("\uFFFD".repeat(9));
    }

    @Test
    void longTextsAreCutBetweenCharacters() {
        assertThat(Html.escape("12345", 5)).isEqualTo("12345");
        assertThat(Html.escape("123456", 5)).isEqualTo("1234…");
        assertThat(Html.escape("😀😀😀😀", 3)).isEqualTo("😀😀…");
        // An escape is one character.
        assertThat(Html.escape("<<<<", 3)).isEqualTo("&lt;&lt;…");
    }
}
