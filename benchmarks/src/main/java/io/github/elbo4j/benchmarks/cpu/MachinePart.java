package io.github.elbo4j.benchmarks.cpu;

import io.github.elbo4j.benchmarks.Child;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The limits of the machine: multiply-adds and bytes in a second, by a program of {@code benchmarks/machine} that is
 * compiled here and picks its instructions when it runs.
 */
final class MachinePart {
    static final String PART = "machine";

    /** Where the limits stand among the backends. */
    static final String MACHINE = "machine";

    private MachinePart() {}

    static List<Result> run(CpuOptions options) throws IOException {
        List<Result> results = new ArrayList<>();
        Path folder = Files.createTempDirectory("machine");
        Path program = folder.resolve("limits");
        try {
            String problem = compile(
                    options.repository()
                            .resolve("benchmarks/machine/limits.cpp")
                            .toString(),
                    program);
            if (problem != null) {
                for (String op : List.of("fma", "copy", "read")) {
                    results.add(Result.without(Result.SKIPPED, PART, op, MACHINE, "", problem));
                }
                return results;
            }
            Child.Outcome outcome = Child.run(
                    List.of(
                            program.toString(),
                            Long.toString(Workload.M1.encoderBytes()),
                            options.quick() ? "quick" : "full"),
                    Map.of(),
                    line -> results.add(result(line)));
            if (outcome.status() != 0) {
                results.add(Result.without(Result.ERROR, PART, "fma", MACHINE, "", outcome.tail()));
            }
            return results;
        } finally {
            Files.deleteIfExists(program);
            Files.delete(folder);
        }
    }

    /** {@return why there is no program, or null} */
    private static @Nullable String compile(String source, Path program) {
        try {
            Child.Outcome outcome = Child.run(
                    List.of("g++", "-std=c++17", "-O2", "-Wall", "-pthread", "-o", program.toString(), source),
                    Map.of(),
                    line -> {});
            return outcome.status() == 0 ? null : "g++ cannot compile the program: " + outcome.tail();
        } catch (IOException e) {
            return "there is no g++; install it to measure the machine";
        }
    }

    private static Result result(Map<String, @Nullable Object> line) {
        if (line.get("rates") instanceof List<?> rates) {
            double[] samples = rates.stream()
                    .mapToDouble(each -> ((Number) each).doubleValue())
                    .toArray();
            return Result.of(
                            PART,
                            String.valueOf(line.get("op")),
                            MACHINE,
                            "",
                            String.valueOf(line.get("shape")),
                            "rate",
                            String.valueOf(line.get("unit")),
                            Quantiles.of(samples))
                    .with("isa", String.valueOf(line.get("isa")));
        }
        throw new IllegalArgumentException("the program printed " + line);
    }
}
