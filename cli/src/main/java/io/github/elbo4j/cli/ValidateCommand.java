package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.validation.Validation;
import io.github.elbo4j.validation.ValidationReport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code validate}: every kernel of a backend against the reference in double precision. */
@Command(
        name = "validate",
        description = {
            "Check every kernel of a backend against the Java reference.",
            "Prints a line for each kernel; the exit status is 1 if one fails."
        },
        footer = {"elbo4j validate --backend cuda", "elbo4j validate --backend java --json"},
        sortOptions = false)
final class ValidateCommand extends Subcommand {
    private final Streams streams;

    @Mixin
    private final BackendOptions backends = new BackendOptions();

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Key of contents and random shapes (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--json", description = "Print one JSON object instead of a table.")
    private boolean json;

    ValidateCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        try (Backend backend = backends.open()) {
            ValidationReport report = Validation.run(backend, seed);
            if (json) {
                streams.json(event(report));
            } else {
                streams.out().print(report.table());
                streams.out().println(report.passed() ? "all kernels pass" : "FAILED: see the lines above");
            }
            return report.passed() ? Failures.OK : Failures.FAILED;
        }
    }

    private static Map<String, @Nullable Object> event(ValidationReport report) {
        Map<String, @Nullable Object> event = new LinkedHashMap<>();
        event.put("event", "validation");
        event.put("backend", report.profile());
        event.put("seed", report.seed());
        event.put("passed", report.passed());
        List<@Nullable Object> kernels = new ArrayList<>();
        for (ValidationReport.Row row : report.rows()) {
            Map<String, @Nullable Object> kernel = new LinkedHashMap<>();
            kernel.put("kernel", row.kernel());
            kernel.put("passed", row.passed());
            kernel.put("cases", row.cases());
            kernel.put("elements", row.elements());
            // JSON has no infinity, which is the share of a missing element.
            kernel.put("worst_share", Double.isFinite(row.worstShare()) ? row.worstShare() : null);
            kernel.put("failures", row.failures());
            kernels.add(kernel);
        }
        event.put("kernels", kernels);
        return event;
    }
}
