package io.github.elbo4j.benchmarks;

import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The file of all rows: one JSON object a line, appended and never rewritten; the last row of a key counts. */
final class Results {
    static final String FILE = "results.jsonl";

    private final Path file;
    private final Map<String, Map<String, @Nullable Object>> rows = new LinkedHashMap<>();

    private Results(Path file) {
        this.file = file;
    }

    /** {@return the rows of a folder, made if it does not exist} */
    static Results open(Path folder) throws IOException {
        Files.createDirectories(folder);
        Results results = new Results(folder.resolve(FILE));
        if (Files.exists(results.file)) {
            List<String> lines = Files.readAllLines(results.file);
            for (int i = 0; i < lines.size(); i++) {
                results.note(parse(results.file + " line " + (i + 1), lines.get(i)));
            }
        }
        return results;
    }

    static Map<String, @Nullable Object> parse(String source, String line) throws FormatException {
        if (Json.parse(source, line) instanceof Map<?, ?> map) {
            Map<String, @Nullable Object> row = new LinkedHashMap<>();
            map.forEach((key, value) -> row.put((String) key, value));
            return row;
        }
        throw new FormatException(source, "is no JSON object", "delete the line");
    }

    private void note(Map<String, @Nullable Object> row) {
        rows.put(String.valueOf(row.get("key")), row);
    }

    /** {@return whether a key has a row of this commit that was neither failed nor skipped} */
    boolean has(String key, String commit) {
        Map<String, @Nullable Object> row = rows.get(key);
        return row != null
                && !row.containsKey("error")
                && !row.containsKey("skipped")
                && commit.equals(row.get("commit"));
    }

    void append(Map<String, @Nullable Object> row) throws IOException {
        note(row);
        Files.writeString(file, Json.write(row) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    /** {@return the last row of each key of a part} */
    List<Map<String, @Nullable Object>> of(String part) {
        List<Map<String, @Nullable Object>> found = new ArrayList<>();
        for (Map<String, @Nullable Object> row : rows.values()) {
            if (part.equals(row.get("part"))) {
                found.add(row);
            }
        }
        return found;
    }

    /** {@return a number of a row} */
    static Optional<Double> number(Map<String, @Nullable Object> row, String key) {
        return row.get(key) instanceof Number number ? Optional.of(number.doubleValue()) : Optional.empty();
    }
}
