package io.github.elbo4j.benchmarks.cpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.files.AtomicFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Runs the CPU benchmarks and records what they find.
 *
 * <p>Exit status: 0 when everything asked for was measured, 1 when something failed, which the record tells, 2 for wrong
 * usage.
 */
public final class CpuBenchmarks {
    private CpuBenchmarks() {}

    /** Measures and exits with the status. */
    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT);
        CpuOptions options;
        try {
            options = CpuOptions.parse(List.of(args));
        } catch (IllegalArgumentException e) {
            System.err.println("benchmarks: " + e.getMessage() + "\nusage: benchmarks/run " + CpuOptions.USAGE);
            System.exit(2);
            return;
        }
        try {
            System.exit(run(options) ? 0 : 1);
        } catch (IOException e) {
            System.err.println("benchmarks: " + e.getMessage());
            System.exit(1);
        }
    }

    /** {@return whether nothing failed} */
    static boolean run(CpuOptions options) throws IOException {
        if (options.quick()) {
            // Its times mean nothing, so other runs of JMH may go on beside it.
            System.setProperty("jmh.ignoreLock", "true");
        }
        Records records = Records.open(options.results(), Facts.of(options.commit(), options.dirty()));
        List<Result> all = new ArrayList<>();
        List<Result> missing = new ArrayList<>();
        List<String> backends = new ArrayList<>();
        for (String backend : options.backends()) {
            String problem = problem(backend);
            if (problem.isEmpty()) {
                backends.add(backend);
            } else {
                missing.add(Result.without(Result.ERROR, "backends", "open", backend, "", problem));
            }
        }
        record(records, "backends", missing, all);
        if (options.has("machine")) {
            record(records, MachinePart.PART, MachinePart.run(options), all);
        }
        for (String suite : JmhPart.SUITES) {
            if (options.has(suite)) {
                record(records, suite, JmhPart.run(suite, options, backends), all);
            }
        }
        if (options.has("steps") || options.has("peers")) {
            record(records, StepsPart.PART, StepsPart.run(options, backends.contains(options.first())), all);
        }
        if (options.has("fidelity")) {
            record(records, FidelityPart.PART, FidelityPart.run(options, backends), all);
        }
        record(records, Targets.PART, Targets.of(records, options.first()), all);
        System.out.println(records.file());
        all.stream()
                .filter(Result::failed)
                .forEach(result -> System.err.println("benchmarks: " + result.op() + " of " + result.backend() + " "
                        + result.shape() + ": " + result.more().get(Result.ERROR)));
        return all.stream().noneMatch(Result::failed);
    }

    private static String problem(String backend) {
        try (Backend opened = Backends.open(backend)) {
            return opened.info().name().equals(backend)
                    ? ""
                    : "opened backend '" + opened.info().name() + "'";
        } catch (RuntimeException | LinkageError e) {
            return String.valueOf(e.getMessage());
        }
    }

    /** Files what a part found, so that a later failure loses nothing. */
    private static void record(Records records, String part, List<Result> found, List<Result> all) throws IOException {
        all.addAll(found);
        records.put(part, found);
        CsvFile.write(records);
        Optional<String> chart = StepChart.svg(records);
        if (chart.isPresent()) {
            Path file = records.file();
            String name = file.getFileName().toString().replace(".json", ".svg");
            AtomicFiles.writeString(file.resolveSibling(name), chart.get());
        }
    }
}
