package io.github.elbo4j.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.files.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KitTest {
    @TempDir
    Path folder;

    @Test
    void aRowThatIsThereIsNotMeasuredAgain() throws IOException {
        assertThat(measure("a", row -> row.put("value", 1))).isZero();
        assertThat(measure("a", row -> row.put("value", 2))).isZero();
        assertThat(lines()).hasSize(1).first().asString().contains("\"value\":1", "\"commit\":\"unknown\"");
    }

    @Test
    void aFailureIsARowAndIsMeasuredAgain() throws IOException {
        assertThat(measure("a", row -> {
                    throw new IllegalStateException("no\nluck");
                }))
                .isEqualTo(1);
        assertThat(lines().getFirst()).contains("\"error\":\"java.lang.IllegalStateException: no luck\"");
        assertThat(measure("a", row -> row.put("value", 2))).isZero();
        assertThat(lines()).hasSize(2);
    }

    @Test
    void aSkippedRowIsMeasuredAgain() throws IOException {
        assertThat(measure("a", row -> row.put("skipped", "no tool"))).isZero();
        assertThat(measure("a", row -> row.put("value", 2))).isZero();
        assertThat(lines()).hasSize(2);
    }

    @Test
    void withoutTimeNoRowBegins() throws IOException {
        Kit kit = new Kit("steps", options("--limit", "0"));
        kit.row("a", null, "fp32", row -> row.put("value", 1));
        assertThat(kit.finish()).isEqualTo(3);
        assertThat(folder.resolve(Results.FILE)).doesNotExist();
    }

    @Test
    void whatIsNoNumberIsNoJsonNumber() throws IOException {
        measure("a", row -> row.put("value", Double.NaN));
        assertThat(lines().getFirst()).contains("\"value\":\"NaN\"");
    }

    @Test
    void aDamagedLineIsNamed() throws IOException {
        Files.writeString(folder.resolve(Results.FILE), "{}\n{\"key\":\n");
        assertThatThrownBy(() -> new Kit("steps", options()))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("line 2");
    }

    @Test
    void wrongOptionsAreNamed() {
        assertThatThrownBy(() -> options("--precisions", "fp8")).hasMessageContaining("fp8");
        assertThatThrownBy(() -> options("--speed", "1")).hasMessageContaining("--speed");
        assertThatThrownBy(() -> options("--home")).hasMessageContaining("--home");
    }

    private int measure(String name, Kit.Measurement measurement) throws IOException {
        Kit kit = new Kit("steps", options());
        kit.row(name, null, "fp32", measurement);
        return kit.finish();
    }

    private KitOptions options(String... more) {
        List<String> words = new java.util.ArrayList<>(
                List.of("--backend", "java", "--results", folder.toString(), "--home", folder.toString()));
        words.addAll(List.of(more));
        return KitOptions.parse(words);
    }

    private List<String> lines() throws IOException {
        return Files.readAllLines(folder.resolve(Results.FILE));
    }
}
