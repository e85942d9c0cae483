package io.github.elbo4j.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.files.FormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
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

    @Test
    void everySessionHasItsLatencyAndTheReportShowsIt() throws IOException {
        Kit kit = new Kit("latency", options("--quick"));
        new LatencyPart().run(kit);
        assertThat(kit.finish()).isZero();
        List<Map<String, @Nullable Object>> rows = kit.results().of("latency");
        assertThat(rows)
                .filteredOn(row -> row.containsKey("open_us"))
                .hasSize(3)
                .allSatisfy(row -> {
                    assertThat(Results.number(row, "open_us").orElseThrow()).isPositive();
                    assertThat(Results.number(row, "session_bytes").orElseThrow())
                            .isPositive();
                });
        // Three operations on both kinds of pictures for each of three sizes, then three operations by eight threads.
        assertThat(rows)
                .filteredOn(row -> row.containsKey("p50_us"))
                .hasSize(21)
                .allSatisfy(row -> {
                    double least = Results.number(row, "min_us").orElseThrow();
                    assertThat(least).isPositive();
                    assertThat(Results.number(row, "p50_us").orElseThrow()).isGreaterThanOrEqualTo(least);
                    // Nothing is faster than the fastest calls of all threads would be.
                    double most = Results.number(row, "batch").orElseThrow()
                            * Results.number(row, "threads").orElseThrow()
                            / least
                            * 1e6;
                    assertThat(Results.number(row, "rows_per_second").orElseThrow())
                            .isPositive()
                            .isLessThanOrEqualTo(most * (1 + 1e-9));
                });
        new ReportPart().run(kit);
        assertThat(Files.readAllLines(folder.resolve(ReportPart.FILE)))
                .contains("## Latency of sessions", "## Opening a session")
                .anyMatch(line -> line.startsWith("| java | fp32 | score | 1 | 8 | u8-native |"));
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
