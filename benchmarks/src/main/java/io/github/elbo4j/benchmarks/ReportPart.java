package io.github.elbo4j.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The results as Markdown, with every failure and skip in it. */
final class ReportPart implements Part {
    static final String FILE = "results.md";

    /** By how much the loss of a peer may differ from ours before the row counts as other work. */
    private static final double SAME_LOSS = 0.02;

    private static final List<String> PARTS =
            List.of("smoke", "contract", "kernels", "steps", "latency", "mnist", "sanitize", "peers");

    @Override
    public void run(Kit kit) throws IOException {
        StringBuilder text = new StringBuilder("# GPU kit\n\n");
        text.append(
                "`results.jsonl` beside this file holds every row with device, driver, versions, commit and date.\n");
        List<Map<String, @Nullable Object>> all = new ArrayList<>();
        PARTS.forEach(part -> all.addAll(kit.results().of(part)));
        if (!all.isEmpty()) {
            Map<String, @Nullable Object> last = all.getLast();
            text.append("\nGPU ")
                    .append(last.get("gpu"))
                    .append(", driver ")
                    .append(last.get("driver"))
                    .append(", commit ")
                    .append(last.get("commit"))
                    .append("\n");
        }
        smoke(kit.results(), text);
        kernels(kit.results(), text);
        steps(kit.results(), text);
        latency(kit.results(), text);
        table(
                text,
                "MNIST",
                kit.results().of("mnist").stream()
                        .filter(row -> row.containsKey("epochs"))
                        .toList(),
                List.of("backend", "precision", "test_loss", "published_test_loss", "train_seconds", "seconds"));
        table(
                text,
                "Contract",
                kit.results().of("contract"),
                List.of("backend", "found", "passed", "failed", "aborted", "skipped_tests", "seconds"));
        table(text, "Sanitizer", kit.results().of("sanitize"), List.of("name", "status", "skipped", "error"));
        troubles(all, text);
        Files.writeString(kit.options().results().resolve(FILE), text);
        System.out.println(text);
    }

    private static void smoke(Results results, StringBuilder text) {
        table(
                text,
                "Smoke",
                results.of("smoke").stream()
                        .filter(row -> !row.containsKey("doctor"))
                        .toList(),
                List.of("backend", "name", "device", "seconds", "relative_error", "alone_us", "in_a_row_us"));
    }

    private static void kernels(Results results, StringBuilder text) {
        List<Map<String, @Nullable Object>> rows = results.of("kernels");
        table(
                text,
                "Kernels bound by memory",
                rows.stream()
                        .filter(row -> row.containsKey("bytes_per_element"))
                        .toList(),
                List.of(
                        "backend",
                        "precision",
                        "kernel",
                        "elements",
                        "bytes_per_element",
                        "call_us",
                        "call_us_p10",
                        "call_us_p90",
                        "gb_per_s",
                        "copy_gb_per_s",
                        "share_of_copy"));
        table(
                text,
                "Products and calls once a step",
                rows.stream()
                        .filter(row -> row.containsKey("kernel") && !row.containsKey("bytes_per_element"))
                        .toList(),
                List.of("backend", "precision", "kernel", "call_us", "call_us_p10", "call_us_p90", "tflops"));
        table(
                text,
                "Copies on the device",
                rows.stream().filter(row -> row.containsKey("copy_bytes")).toList(),
                List.of("copy_bytes", "copy_us", "gb_per_s"));
    }

    private static void steps(Results results, StringBuilder text) {
        List<Map<String, @Nullable Object>> rows = new ArrayList<>();
        Map<String, Double> ours = new HashMap<>();
        for (Map<String, @Nullable Object> row : results.of("steps")) {
            if (row.containsKey("step_us")) {
                rows.add(row);
                Results.number(row, "loss_91_to_100").ifPresent(loss -> ours.put(work(row), loss));
            }
        }
        for (Map<String, @Nullable Object> row : results.of("peers")) {
            if (row.containsKey("step_us")) {
                Double our = ours.get(work(row));
                Results.number(row, "loss_91_to_100").ifPresent(theirs -> {
                    if (our != null) {
                        double off = (theirs - our) / our;
                        row.put("loss_off", off);
                        // Written so that a loss that is not a number differs.
                        row.put("same_work", Math.abs(off) <= SAME_LOSS ? "yes" : "**no**");
                    }
                });
                row.put("backend", row.get("framework"));
                rows.add(row);
            }
        }
        table(
                text,
                "Training steps",
                rows,
                List.of(
                        "backend",
                        "name",
                        "step_us",
                        "step_us_p10",
                        "step_us_p90",
                        "rows_per_second",
                        "tflops",
                        "loss_first",
                        "loss_91_to_100",
                        "loss_off",
                        "same_work"));
    }

    private static void latency(Results results, StringBuilder text) {
        List<Map<String, @Nullable Object>> rows = results.of("latency");
        table(
                text,
                "Latency of sessions",
                rows.stream().filter(row -> row.containsKey("p50_us")).toList(),
                List.of(
                        "backend",
                        "precision",
                        "operation",
                        "batch",
                        "threads",
                        "pictures",
                        "calls",
                        "min_us",
                        "p50_us",
                        "p99_us",
                        "p999_us",
                        "rows_per_second"));
        table(
                text,
                "Opening a session",
                rows.stream().filter(row -> row.containsKey("open_us")).toList(),
                List.of("backend", "precision", "batch", "open_us", "open_us_p10", "open_us_p90", "session_bytes"));
    }

    /** {@return what must be equal for two losses to be compared} */
    private static String work(Map<String, @Nullable Object> row) {
        return row.get("batch") + "/" + row.get("hidden") + "/" + row.get("precision") + "/" + row.get("quick");
    }

    private static void troubles(List<Map<String, @Nullable Object>> all, StringBuilder text) {
        text.append("\n## Failed and skipped\n\n");
        int count = 0;
        for (Map<String, @Nullable Object> row : all) {
            for (String kind : List.of("error", "skipped")) {
                if (row.get(kind) != null) {
                    text.append("- ")
                            .append(row.get("key"))
                            .append(": ")
                            .append(kind)
                            .append(": ")
                            .append(row.get(kind))
                            .append('\n');
                    count++;
                }
            }
        }
        if (count == 0) {
            text.append("None.\n");
        }
    }

    private static void table(
            StringBuilder text, String title, List<Map<String, @Nullable Object>> rows, List<String> columns) {
        if (rows.isEmpty()) {
            return;
        }
        List<String> used = columns.stream()
                .filter(column -> rows.stream().anyMatch(row -> row.get(column) != null))
                .toList();
        text.append("\n## ")
                .append(title)
                .append("\n\n| ")
                .append(String.join(" | ", used))
                .append(" |\n|");
        used.forEach(column -> text.append("---|"));
        text.append('\n');
        for (Map<String, @Nullable Object> row : rows) {
            text.append("| ");
            text.append(String.join(
                    " | ", used.stream().map(column -> cell(row.get(column))).toList()));
            text.append(" |\n");
        }
    }

    private static String cell(@Nullable Object value) {
        if (value == null) {
            return "";
        }
        if (value instanceof Double number) {
            return Math.abs(number) >= 1e6 || (number != 0 && Math.abs(number) < 1e-3)
                    ? String.format("%.3g", number)
                    : String.format("%.3f", number);
        }
        return value.toString().replace("|", "\\|");
    }
}
