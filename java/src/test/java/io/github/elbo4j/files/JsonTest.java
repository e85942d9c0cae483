package io.github.elbo4j.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
    @TempDir
    Path folder;

    @Test
    void parsesEveryKindOfValue() throws FormatException {
        Object value = Json.parse(
                "test",
                " {\"s\":\"a\\u00e9\\n\",\"i\":-9223372036854775808,\"d\":1e-3,\"t\":true,\"n\":null,\"l\":[1,[]]} ");
        Map<String, @Nullable Object> expected = new LinkedHashMap<>();
        expected.put("s", "aé\n");
        expected.put("i", Long.MIN_VALUE);
        expected.put("d", 0.001);
        expected.put("t", true);
        expected.put("n", null);
        expected.put("l", List.of(1L, List.of()));
        assertThat(value).isEqualTo(expected);
        assertThat(JsonObject.parse("test", Json.write(value)).keys()).containsExactly("s", "i", "d", "t", "n", "l");
        assertThat(Json.parse("test", "null")).isNull();
        assertThat(Json.parse("test", "\"β\"".getBytes(StandardCharsets.UTF_8))).isEqualTo("β");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{",
                "[1,2",
                "[1,]",
                "{\"a\":1,}",
                "{a:1}",
                "{'a':1}",
                "{\"a\" 1}",
                "{\"a\":1}{}",
                "{} x",
                "nul",
                "NaN",
                "Infinity",
                "1e999",
                "-1e999",
                "9223372036854775808",
                "01",
                "+1",
                ".5",
                "1.",
                "\"a",
                "\"\t\"",
                "\"\\x\"",
                "\"\\ud800\"",
                "{\"\\udc00\":1}",
                "{\"a\":1,\"a\":2}",
                "{\"a\":1,\"\\u0061\":2}",
                "// c\n1",
                "/* c */1",
                "\uFEFF[x",
                "]",
                "[}"
            })
    void refusesWhatIsNotOneStrictValue(String text) {
        assertThatThrownBy(() -> Json.parse("some.json", text))
                .isInstanceOf(FormatException.class)
                .hasMessageStartingWith("some.json: ")
                .hasMessageContaining("; ");
    }

    @Test
    void refusesMoreThanItsLimits() throws FormatException {
        assertThat(Json.parse("t", "[".repeat(Json.MAX_DEPTH) + "]".repeat(Json.MAX_DEPTH)))
                .isNotNull();
        int deep = Json.MAX_DEPTH + 1;
        String tooDeep = "[".repeat(deep) + "]".repeat(deep);
        assertThatThrownBy(() -> Json.parse("t", tooDeep)).isInstanceOf(FormatException.class);
        assertThatThrownBy(() -> Json.parse("t", "{\"a\":".repeat(50_000))).isInstanceOf(FormatException.class);
        assertThatThrownBy(() -> Json.parse("t", " ".repeat(Json.MAX_LENGTH) + "1"))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("longer than");
        assertThatThrownBy(() -> Json.parse("t", new byte[Json.MAX_LENGTH + 1]))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("longer than");
        assertThatThrownBy(() -> Json.parse("t", "1".repeat(65))).isInstanceOf(FormatException.class);
        assertThatThrownBy(() -> Json.parse("t", "{\"" + "n".repeat(50_000) + "\":1}"))
                .isInstanceOf(FormatException.class);
        assertThat(Json.parse("t", '"' + "s".repeat(Json.MAX_LENGTH - 2) + '"')).isNotNull();
    }

    @Test
    void refusesBytesThatAreNotUtf8() {
        byte[][] bad = {
            {'"', (byte) 0xff, '"'},
            {'"', (byte) 0xc0, (byte) 0x80, '"'},
            {'"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"'}
        };
        for (byte[] bytes : bad) {
            assertThatThrownBy(() -> Json.parse("t", bytes))
                    .isInstanceOf(FormatException.class)
                    .hasMessageContaining("UTF-8");
        }
    }

    @Test
    void messagesShowPositionAndNoControlCharacters() {
        assertThatThrownBy(() -> Json.parse("t", "{\n  \"a\": x}"))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("line 2");
        assertThatThrownBy(() -> Json.parse("t", "{\"\\u001b[31m\\n\":1,\"\\u001b[31m\\n\":1}"))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("\\u001b[31m\\u000a")
                .hasMessageNotContaining("\u001b")
                .hasMessageNotContaining("\n");
    }

    @Test
    void writesCompactAndPretty() {
        Map<String, @Nullable Object> value = new LinkedHashMap<>();
        value.put("architecture", "mlp");
        value.put("hidden", List.of(400, 200L));
        value.put("empty", List.of());
        value.put("none", null);
        value.put("nested", Map.of("rows", List.of(List.of(1), Map.of())));
        assertThat(Json.write(value)).isEqualTo("""
                {"architecture":"mlp","hidden":[400,200],"empty":[],"none":null,"nested":{"rows":[[1],{}]}}""");
        assertThat(Json.writePretty(value)).isEqualTo("""
                {
                  "architecture": "mlp",
                  "hidden": [400, 200],
                  "empty": [],
                  "none": null,
                  "nested": {
                    "rows": [
                      [1],
                      {}
                    ]
                  }
                }
                """);
    }

    @Test
    void writesNumbersWithTheFewestDigits() throws FormatException {
        assertThat(Json.write(List.of(0.1, 0.1f, 1e-3, 1e23, -0.0, Double.MIN_VALUE, 3.0)))
                .isEqualTo("[0.1,0.1,0.001,1.0E23,-0.0,4.9E-324,3.0]");
        for (double number : new double[] {0.1, Math.PI, Double.MIN_VALUE, Double.MAX_VALUE, -0.0, 1e300}) {
            assertThat(Json.parse("t", Json.write(number))).isEqualTo(number);
        }
    }

    @Test
    void writesEscapes() throws FormatException {
        String text = "\"\\/\b\f\n\r\t\u0000\u001f\u007fβ\uD83D\uDE00\u2028";
        assertThat(Json.write(text)).isEqualTo("\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\u007fβ\uD83D\uDE00\u2028\"");
        assertThat(Json.parse("t", Json.write(text))).isEqualTo(text);
    }

    @Test
    void refusesToWriteWhatJsonHasNot() {
        List<Object> cycle = new ArrayList<>();
        cycle.add(cycle);
        for (Object bad : Arrays.asList(
                Double.NaN,
                Double.POSITIVE_INFINITY,
                Float.NEGATIVE_INFINITY,
                new Object(),
                new int[1],
                'c',
                Map.of(1, 2),
                "\uD800",
                Map.of("\uDC00", 1),
                cycle)) {
            assertThatThrownBy(() -> Json.write(bad)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void readsFiles() throws IOException {
        Path file = Files.writeString(folder.resolve("a.json"), "{\"a\":1}");
        assertThat(Json.read(file)).isEqualTo(Map.of("a", 1L));
        assertThatThrownBy(() -> Json.read(folder.resolve("missing")))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("does not exist");
        assertThatThrownBy(() -> Json.read(folder))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("folder");
        Files.write(file, new byte[Json.MAX_LENGTH + 1]);
        assertThatThrownBy(() -> Json.read(file))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("bytes, more than");
    }

    @Test
    void objectsGiveTypedValues() throws FormatException {
        JsonObject object = JsonObject.parse("c.json", """
                {"s": "x", "i": 7, "d": 0.5, "f": false, "l": [1, 2], "o": {"k": 1}}""");
        assertThat(object.source()).isEqualTo("c.json");
        assertThat(object.keys()).containsExactly("s", "i", "d", "f", "l", "o");
        assertThat(object.string("s")).isEqualTo("x");
        assertThat(object.integer("i", 7, 7)).isEqualTo(7);
        assertThat(object.number("i")).isEqualTo(7.0);
        assertThat(object.number("d")).isEqualTo(0.5);
        assertThat(object.flag("f")).isFalse();
        assertThat(object.list("l")).containsExactly(1L, 2L);
        assertThat(object.integers("l", 1, 2)).containsExactly(1, 2);
        assertThat(object.object("o").integer("k", 0, 9)).isEqualTo(1);
        assertThat(object.optionalString("s")).contains("x");
        assertThat(object.optionalInteger("i", 0, 9)).hasValue(7);
        assertThat(object.optionalNumber("d")).hasValue(0.5);
        assertThat(object.optionalFlag("f")).contains(false);
        assertThat(object.optionalObject("o")).isPresent();
        assertThat(object.optionalString("x")).isEmpty();
        assertThat(object.optionalInteger("x", 0, 9)).isEmpty();
        assertThat(object.optionalNumber("x")).isEmpty();
        assertThat(object.optionalFlag("x")).isEmpty();
        assertThat(object.optionalObject("x")).isEmpty();
        object.rejectUnknown(Set.of("s", "i", "d", "f", "l", "o", "more"));
    }

    @Test
    void objectsNameSourceKeyAndRemedy() throws FormatException {
        JsonObject object = JsonObject.parse("c.json", """
                {"s": "x", "i": 7, "e": 1e3, "n": null, "l": [1, "a"], "o": {"k": [5]}}""");
        refused(() -> object.string("missing"), "c.json: has no key \"missing\"; add it; its value must be a string");
        refused(() -> object.string("i"), "c.json: key \"i\" is 7; it must be a string");
        refused(() -> object.string("n"), "c.json: key \"n\" is null; it must be a string");
        refused(() -> object.optionalString("n"), "c.json: key \"n\" is null; it must be a string");
        refused(() -> object.integer("e", 0, 9), "c.json: key \"e\" is 1000.0; it must be an integer from 0 to 9");
        refused(() -> object.integer("i", 8, 9), "c.json: key \"i\" is 7; it must be an integer from 8 to 9");
        refused(() -> object.integer("i", 0, 6), "c.json: key \"i\" is 7; it must be an integer from 0 to 6");
        refused(() -> object.number("s"), "c.json: key \"s\" is the string \"x\"; it must be a number");
        refused(() -> object.flag("o"), "c.json: key \"o\" is an object; it must be true or false");
        refused(() -> object.list("o"), "c.json: key \"o\" is an object; it must be an array");
        refused(() -> object.object("l"), "c.json: key \"l\" is an array; it must be an object");
        refused(
                () -> object.integers("l", 0, 9),
                "c.json: key \"l[1]\" is the string \"a\"; it must be an integer from 0 to 9");
        refused(
                () -> object.object("o").integers("k", 0, 4),
                "c.json: key \"o.k[0]\" is 5; it must be an integer from 0 to 4");
        refused(
                () -> object.object("o").rejectUnknown(Set.of("b", "a")),
                "c.json: has the unknown key \"o.k\"; remove it or use one of a, b");
        refused(
                () -> JsonObject.parse("c.json", "[1]"),
                "c.json: is an array, not a JSON object; write it as {\"key\": value, ...}");
    }

    private static void refused(ThrowingCallable call, String message) {
        assertThatThrownBy(call).isInstanceOf(FormatException.class).hasMessage(message);
    }
}
