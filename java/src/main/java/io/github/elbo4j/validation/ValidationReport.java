package io.github.elbo4j.validation;

import java.util.List;
import java.util.Locale;

/**
 * What {@link Validation#run} found.
 *
 * @param profile numeric profile of the backend
 * @param seed seed of the contents and random shapes
 * @param rows one a kernel
 */
public record ValidationReport(String profile, long seed, List<Row> rows) {
    /**
     * One kernel.
     *
     * @param kernel its name
     * @param cases shapes and settings it ran in
     * @param elements elements compared
     * @param worstShare largest error in parts of its tolerance
     * @param where the comparison of the largest share, in words
     * @param failures comparisons and rules that failed, in words; the first ten
     */
    public record Row(String kernel, int cases, long elements, double worstShare, String where, List<String> failures) {
        /** Keeps its own copy. */
        public Row {
            failures = List.copyOf(failures);
        }

        /** {@return whether nothing failed} */
        public boolean passed() {
            return failures.isEmpty();
        }
    }

    /** Keeps its own copy. */
    public ValidationReport {
        rows = List.copyOf(rows);
    }

    /** {@return whether every kernel passed} */
    public boolean passed() {
        return rows.stream().allMatch(Row::passed);
    }

    /** {@return a table in plain text, then the failures} */
    public String table() {
        StringBuilder text = new StringBuilder();
        text.append(String.format(Locale.ROOT, "backend %s against java-fp64, seed %d%n", profile, seed));
        text.append(String.format(
                Locale.ROOT,
                "%-26s %6s %10s %9s  %-6s %s%n",
                "kernel",
                "cases",
                "elements",
                "tolerance",
                "result",
                "worst"));
        for (Row row : rows) {
            text.append(String.format(
                    Locale.ROOT,
                    "%-26s %6d %10d %8.1f%%  %-6s %s%n",
                    row.kernel(),
                    row.cases(),
                    row.elements(),
                    100 * row.worstShare(),
                    row.passed() ? "ok" : "FAILED",
                    row.where()));
        }
        for (Row row : rows) {
            row.failures().forEach(failure -> text.append(failure).append(System.lineSeparator()));
        }
        return text.toString();
    }
}
