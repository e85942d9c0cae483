package io.github.elbo4j.benchmarks.cpu;

import io.github.elbo4j.files.AtomicFiles;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The results of a day and commit on a device: one JSON file, replaced as a whole after every part, so that a run that is
 * stopped leaves what it found.
 */
final class Records {
    static final long SCHEMA = 1;

    private static final Pattern NAME = Pattern.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9a-f]{7}\\.json");

    private final Path file;
    private final Facts facts;
    private final List<Result> results;

    private Records(Path file, Facts facts, List<Result> results) {
        this.file = file;
        this.facts = facts;
        this.results = results;
    }

    /**
     * {@return the file of a run, with what other parts of the same day and commit have found}
     *
     * @param folder of all devices
     * @throws IOException if the file exists and cannot be read
     */
    static Records open(Path folder, Facts facts) throws IOException {
        Path file = folder.resolve(facts.folder()).resolve(facts.file() + ".json");
        return new Records(file, facts, Files.exists(file) ? read(file).results : new ArrayList<>());
    }

    /** {@return a file's content} */
    static Records read(Path file) throws IOException {
        if (Json.read(file) instanceof Map<?, ?> json
                && json.get("schema") instanceof Number schema
                && schema.longValue() == SCHEMA
                && json.get("run") instanceof Map<?, ?> run
                && json.get("results") instanceof List<?> list) {
            List<Result> results = new ArrayList<>();
            for (Object each : list) {
                if (each instanceof Map<?, ?> result) {
                    results.add(Result.fromJson(result));
                }
            }
            return new Records(file, Facts.fromJson(run), results);
        }
        throw new FormatException(file.toString(), "is no record of benchmarks of schema " + SCHEMA, "delete it");
    }

    /** {@return the newest record of all devices that has numbers of a part, if there is one} */
    static Optional<Records> newest(Path folder, String part) throws IOException {
        if (!Files.isDirectory(folder)) {
            return Optional.empty();
        }
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder, 2)) {
            files = all.filter(
                            file -> NAME.matcher(file.getFileName().toString()).matches())
                    .toList();
        }
        List<Records> records = new ArrayList<>();
        for (Path file : files) {
            Records each = read(file);
            if (each.results.stream().anyMatch(result -> result.part().equals(part) && result.values() != null)) {
                records.add(each);
            }
        }
        return records.stream()
                .max(Comparator.comparing((Records each) -> each.facts.date())
                        .thenComparing(each -> each.file.toString()));
    }

    Facts facts() {
        return facts;
    }

    Path file() {
        return file;
    }

    List<Result> results() {
        return List.copyOf(results);
    }

    /** {@return the first result with numbers that is of this operation} */
    Optional<Quantiles> find(String op, String direction, String backend, String shape, String metric) {
        return results.stream()
                .filter(result -> result.is(op, direction, backend, shape, metric))
                .flatMap(result -> Stream.ofNullable(result.values()))
                .findFirst();
    }

    /** Replaces the results of a part and writes the file. */
    void put(String part, List<Result> found) throws IOException {
        results.removeIf(result -> result.part().equals(part));
        found.forEach(result -> results.add(result.with("date", facts.date())));
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("schema", SCHEMA);
        json.put("run", facts.toJson());
        List<@Nullable Object> list = new ArrayList<>();
        results.forEach(result -> list.add(result.toJson()));
        json.put("results", list);
        Files.createDirectories(file.toAbsolutePath().getParent());
        AtomicFiles.writeString(file, Json.writePretty(json));
    }
}
