package io.github.elbo4j.benchmarks;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One run of one part: which rows are still missing, how much time is left, and where rows go. */
final class Kit {
    private final String part;
    private final KitOptions options;
    private final Results results;
    private final Machine machine;
    private final Map<String, String> backendOptions;
    private final Map<String, String> findings;
    private final long deadline;
    private boolean failed;
    private boolean outOfTime;

    Kit(String part, KitOptions options) throws IOException {
        this.part = part;
        this.options = options;
        this.results = Results.open(options.results());
        this.machine = Machine.of(options.home());
        Optional<Backends.Report> report = report(options.backend());
        this.backendOptions = report.map(Backends.Report::options).orElse(Map.of());
        this.findings = report.map(Backends.Report::findings).orElse(Map.of());
        this.deadline = System.nanoTime() + options.limit().toNanos();
    }

    /** Measures one row. */
    @FunctionalInterface
    interface Measurement {
        /** Fills the row. */
        void into(Row row) throws Exception;
    }

    KitOptions options() {
        return options;
    }

    boolean quick() {
        return options.quick();
    }

    Results results() {
        return results;
    }

    /** {@return the precisions asked for that the backend has; a backend that names none has fp32} */
    List<String> precisions() {
        String known = backendOptions.getOrDefault("precision", "fp32");
        return options.precisions().stream().filter(known::contains).toList();
    }

    /** {@return whether the backend takes an option} */
    boolean takes(String option) {
        return backendOptions.containsKey(option);
    }

    private static Optional<Backends.Report> report(String backend) {
        return Backends.report().stream()
                .filter(report -> report.name().equals(backend))
                .findFirst();
    }

    /**
     * {@return the backend in a precision}
     *
     * @param more further options
     */
    Backend open(String precision, Map<String, String> more) {
        Map<String, String> all = new HashMap<>(more);
        if (takes("precision")) {
            all.put("precision", precision);
        }
        return Backends.open(options.backend(), all);
    }

    /** {@return whether a row is to be measured: not there yet, and time left} */
    boolean wanted(String name) {
        if (results.has(key(name), machine.commit())) {
            return false;
        }
        if (System.nanoTime() > deadline) {
            outOfTime = true;
            return false;
        }
        return true;
    }

    /** Measures a row if it is {@link #wanted}; a failure becomes a row with the field {@code error}. */
    void row(String name, @Nullable Backend backend, String precision, Measurement measurement) throws IOException {
        if (!wanted(name)) {
            return;
        }
        Row row = new Row();
        try {
            measurement.into(row);
        } catch (Exception | LinkageError e) {
            row.put("error", e.toString().replaceAll("\\s+", " "));
        }
        write(name, backend, precision, row);
    }

    /** Appends a row. */
    void write(String name, @Nullable Backend backend, String precision, Row measured) throws IOException {
        Map<String, @Nullable Object> row = new LinkedHashMap<>();
        row.put("part", part);
        row.put("key", key(name));
        row.put("name", name);
        row.put("backend", options.backend());
        row.put("precision", precision);
        if (quick()) {
            row.put("quick", true);
        }
        row.putAll(measured.values());
        row.put(
                "profile",
                Optional.ofNullable(backend).map(b -> b.info().numericProfile()).orElse("none"));
        row.put(
                "device",
                Optional.ofNullable(backend).map(b -> b.info().device()).orElse("none"));
        row.putAll(machine.facts());
        row.put("findings", new LinkedHashMap<>(findings));
        row.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        if (row.containsKey("error")) {
            failed = true;
        }
        results.append(row);
        System.out.println(part + " " + name + " " + summary(measured));
    }

    /** Notes that a part stopped for want of time. */
    void stop() {
        outOfTime = true;
    }

    /** {@return seconds until no further row is begun, at least 0} */
    long secondsLeft() {
        return Math.max(0, (deadline - System.nanoTime()) / 1_000_000_000);
    }

    /** {@return the names of the part's rows that need no measuring again} */
    List<String> doneNames() {
        return results.of(part).stream()
                .filter(row -> results.has(String.valueOf(row.get("key")), machine.commit()))
                .filter(row -> row.containsKey("quick") == quick())
                .map(row -> String.valueOf(row.get("name")))
                .toList();
    }

    /** {@return the exit status} */
    int finish() {
        if (outOfTime) {
            System.out.println(part + ": out of time; run it again for the rows that are missing");
        }
        return failed ? 1 : outOfTime ? 3 : 0;
    }

    private String key(String name) {
        return part + "/" + options.backend() + "/" + name + (quick() ? "/quick" : "");
    }

    private static String summary(Row row) {
        StringBuilder text = new StringBuilder();
        row.values().forEach((key, value) -> {
            if (!(value instanceof String string) || string.length() < 200) {
                text.append(key).append('=').append(value).append(' ');
            }
        });
        return text.toString().strip();
    }
}
