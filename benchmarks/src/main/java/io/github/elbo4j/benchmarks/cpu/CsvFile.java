package io.github.elbo4j.benchmarks.cpu;

import io.github.elbo4j.files.AtomicFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** All runs on a device in one table, a line for each result; the runs of a day and commit replace each other. */
final class CsvFile {
    static final String NAME = "results.csv";

    static final List<String> COLUMNS = List.of(
            "op",
            "backend",
            "direction",
            "shape",
            "metric",
            "unit",
            "p20",
            "p50",
            "p80",
            "device",
            "driver",
            "cuda",
            "jdk",
            "commit",
            "dirty",
            "date");

    private CsvFile() {}

    /** Writes the table of a record's folder. */
    static void write(Records records) throws IOException {
        Path file = records.file().resolveSibling(NAME);
        String header = String.join(",", COLUMNS);
        List<String> lines = new ArrayList<>(List.of(header));
        String end = ending(records.facts());
        if (Files.exists(file)) {
            Files.readAllLines(file).stream()
                    .skip(1)
                    .filter(line -> !sameRun(line, records.facts()))
                    .forEach(lines::add);
        }
        for (Result result : records.results()) {
            Quantiles values = result.values();
            if (values != null) {
                lines.add(List.of(
                                        result.op(),
                                        result.backend(),
                                        result.direction(),
                                        result.shape(),
                                        result.metric(),
                                        result.unit(),
                                        number(values.p20()),
                                        number(values.p50()),
                                        number(values.p80()))
                                .stream()
                                .map(CsvFile::cell)
                                .collect(Collectors.joining(","))
                        + end
                        + cell(String.valueOf(result.more()
                                .getOrDefault("date", records.facts().date()))));
            }
        }
        AtomicFiles.writeString(file, String.join("\n", lines) + "\n");
    }

    /** {@return the columns from the device to the flag; a CPU has neither driver nor CUDA} */
    private static String ending(Facts facts) {
        return "," + cell(facts.device()) + ",,," + cell(facts.jdk()) + "," + cell(facts.commit()) + "," + facts.dirty()
                + ",";
    }

    private static boolean sameRun(String line, Facts facts) {
        int date = line.lastIndexOf(',');
        return line.contains("," + cell(facts.commit()) + ",")
                && line.substring(date + 1).startsWith(facts.date().substring(0, 10));
    }

    private static String number(double value) {
        return String.format(java.util.Locale.ROOT, "%.6g", value);
    }

    static String cell(String text) {
        return text.matches("[^\",\n\r]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
    }
}
