package io.github.elbo4j.benchmarks.cpu;

import io.github.elbo4j.files.AtomicFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The table of training steps in the README, made from the newest record.
 *
 * <p>Exit status: 0 when the README has it, 1 with {@code --check} when it differs, 2 when something is missing.
 */
public final class ReadmeTable {
    static final String BEGIN = "<!-- benchmarks: written by benchmarks/readme-table -->";
    static final String END = "<!-- benchmarks: end -->";

    private static final Map<String, String> TITLES = Map.of(
            "libtorch-bytedeco", "libtorch (bytedeco)",
            "libtorch-djl", "libtorch (DJL)",
            "deeplearning4j", "Deeplearning4j");

    private ReadmeTable() {}

    /** Writes the table, or with {@code --check} compares it. */
    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT);
        List<String> words = List.of(args);
        if (!words.isEmpty() && !words.equals(List.of("--check"))) {
            System.err.println("usage: benchmarks/readme-table [--check]");
            System.exit(2);
        }
        try {
            System.exit(run(Path.of("README.md"), Path.of("benchmarks/results"), !words.isEmpty()));
        } catch (IOException | IllegalArgumentException e) {
            System.err.println("readme-table: " + e.getMessage());
            System.exit(2);
        }
    }

    static int run(Path readme, Path results, boolean check) throws IOException {
        String before = Files.readString(readme);
        int begin = before.indexOf(BEGIN);
        int end = before.indexOf(END);
        if (begin < 0 || end < begin) {
            throw new IllegalArgumentException(
                    readme + " has no place for the table; add the lines " + BEGIN + " and " + END);
        }
        Optional<Records> newest = Records.newest(results, StepsPart.PART);
        if (newest.isEmpty()) {
            throw new IllegalArgumentException(
                    "no record under " + results + " has training steps; benchmarks/run measures them");
        }
        String table =
                table(newest.get(), results.relativize(newest.get().file()).toString());
        String after = before.substring(0, begin + BEGIN.length()) + "\n" + table + before.substring(end);
        if (after.equals(before)) {
            return 0;
        }
        if (check) {
            System.err.println("readme-table: the table of " + readme
                    + " is not that of the newest record; run benchmarks/readme-table");
            return 1;
        }
        AtomicFiles.writeString(readme, after);
        return 0;
    }

    /**
     * {@return the table of a record's steps}
     *
     * @param source the record's file below {@code benchmarks/results}
     */
    static String table(Records records, String source) {
        List<Result> steps = records.results().stream()
                .filter(result -> result.part().equals(StepsPart.PART)
                        && result.metric().equals(StepsPart.TIME)
                        && result.values() != null)
                .toList();
        List<String> names = new ArrayList<>();
        steps.forEach(result -> {
            if (!names.contains(result.backend())) {
                names.add(result.backend());
            }
        });
        StringBuilder text = new StringBuilder("| training step, ms |");
        names.forEach(name -> text.append(' ')
                .append(TITLES.getOrDefault(name, "`" + name + "`"))
                .append(" |"));
        text.append("\n|---|").append("---|".repeat(names.size())).append('\n');
        for (String shape : new TreeSet<>(steps.stream().map(Result::shape).toList())) {
            text.append("| ").append(StepChart.title(shape)).append(" |");
            for (String name : names) {
                text.append(' ').append(cell(records, name, shape)).append(" |");
            }
            text.append('\n');
        }
        Facts facts = records.facts();
        return text.append("\nMedians of interleaved rounds; in brackets, how many times faster ours was in the same")
                .append(
                        " round.\nOn full rows no pixel is zero: `native` leaves out zeros, the others' times are those above.\n")
                .append(facts.device())
                .append(", ")
                .append(facts.date(), 0, 10)
                .append(", commit ")
                .append(facts.commit(), 0, Math.min(7, facts.commit().length()))
                .append(facts.dirty() ? " with changes" : "")
                .append(", from [")
                .append(source.substring(source.lastIndexOf('/') + 1))
                .append("](benchmarks/results/")
                .append(source)
                .append(").\n")
                .toString();
    }

    private static String cell(Records records, String name, String shape) {
        String millis = records.find(StepsPart.STEP, "", name, shape, StepsPart.TIME)
                .map(time -> StepChart.label(time.p50() / 1e3))
                .orElse("");
        return records.results().stream()
                .filter(result -> result.part().equals(StepsPart.PART)
                        && result.shape().equals(shape)
                        && result.metric().equals("speedup-over-" + name))
                .findFirst()
                .map(Result::values)
                .map(ratio -> String.format(Locale.ROOT, "%s (%.1fx)", millis, ratio.p50())
                        .strip())
                .orElse(millis);
    }
}
