package io.github.elbo4j.cli;

import com.sun.management.OperatingSystemMXBean;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendInfo;
import io.github.elbo4j.backend.BackendProvider.Problem;
import io.github.elbo4j.backend.BackendUnavailableException;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.data.Mnist;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code doctor}: what this machine has, which backends open on it, and what to do about those that do not. */
@Command(
        name = "doctor",
        description = {
            "Say what this machine has and which backends open on it.",
            "Names the reason and the remedy for every backend that does not open; the exit status is 1 if none does."
        },
        footer = {"elbo4j doctor", "elbo4j doctor --json"},
        sortOptions = false)
final class DoctorCommand extends Subcommand {
    private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

    private final Streams streams;

    @Option(names = "--json", description = "Print one JSON object instead of text.")
    private boolean json;

    DoctorCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        Map<String, @Nullable Object> report = new LinkedHashMap<>();
        report.put("event", "doctor");
        report.put("elbo4j", Version.number());
        report.put("java", Runtime.version() + ", " + System.getProperty("java.vendor", "unknown vendor"));
        report.put("java_home", System.getProperty("java.home", ""));
        report.put("system", property("os.name") + " " + property("os.version") + ", " + property("os.arch"));
        report.put("cpu", cpu());
        report.put("processors", Runtime.getRuntime().availableProcessors());
        report.put("memory", memory());
        report.put("mnist", mnist());
        List<@Nullable Object> backends = new ArrayList<>();
        for (Backends.Report each : Backends.report()) {
            backends.add(backend(each));
        }
        report.put("backends", backends);
        boolean opens;
        try (Backend best = Backends.best()) {
            BackendInfo info = best.info();
            report.put("best", info.name());
            report.put("best_opened", info.numericProfile() + " on " + info.device() + ", self-test passed");
            opens = true;
        } catch (BackendUnavailableException | IllegalArgumentException e) {
            report.put("best", null);
            report.put("best_opened", "none: " + Failures.oneLine(String.valueOf(e.getMessage())));
            opens = false;
        }
        if (json) {
            streams.json(report);
        } else {
            print(report);
        }
        return opens ? Failures.OK : Failures.FAILED;
    }

    private void print(Map<String, @Nullable Object> report) {
        report.forEach((key, value) -> {
            if (value instanceof List<?> backends) {
                backends.forEach(this::printBackend);
            } else if (!key.equals("event") && !key.equals("best")) {
                line(key.equals("best_opened") ? "best" : key.replace('_', ' '), String.valueOf(value));
            }
        });
    }

    private void printBackend(@Nullable Object entry) {
        if (!(entry instanceof Map<?, ?> backend) || !(backend.get("problems") instanceof List<?> problems)) {
            return;
        }
        line("backend", backend.get("name") + (problems.isEmpty() ? ": available" : ": not available"));
        for (Object problem : problems) {
            if (problem instanceof Map<?, ?> texts) {
                line("", "  problem: " + texts.get("reason"));
                line("", "  remedy: " + texts.get("remedy"));
            }
        }
        if (backend.get("findings") instanceof Map<?, ?> findings) {
            findings.forEach((name, found) -> line("", "  " + name + ": " + found));
        }
        if (backend.get("options") instanceof Map<?, ?> options) {
            options.forEach((name, values) -> line("", "  option " + name + ": " + values));
        }
    }

    private void line(String key, String value) {
        streams.out().println(String.format("%-11s %s", key, value));
    }

    private static Map<String, @Nullable Object> backend(Backends.Report report) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("name", report.name());
        json.put("rank", report.rank());
        json.put("available", report.available());
        List<@Nullable Object> problems = new ArrayList<>();
        for (Problem problem : report.problems()) {
            Map<String, @Nullable Object> texts = new LinkedHashMap<>();
            texts.put("reason", Failures.oneLine(problem.reason()));
            texts.put("remedy", Failures.oneLine(problem.remedy()));
            problems.add(texts);
        }
        json.put("problems", problems);
        json.put("findings", report.findings());
        // Sorted, so that two reports can be compared.
        json.put("options", new java.util.TreeMap<>(report.options()));
        return json;
    }

    private static String cpu() {
        try (Stream<String> lines = Files.lines(CPU_INFO)) {
            Optional<String> model = lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst();
            return model.orElse(property("os.arch"));
        } catch (IOException | java.io.UncheckedIOException e) {
            // Only Linux has the file.
            return property("os.arch");
        }
    }

    private static String memory() {
        long heap = Runtime.getRuntime().maxMemory();
        return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                ? gigabytes(system.getTotalMemorySize()) + ", " + gigabytes(system.getFreeMemorySize())
                        + " free; Java heap up to " + gigabytes(heap)
                : "Java heap up to " + gigabytes(heap);
    }

    private static String mnist() {
        try {
            return Mnist.locate()
                    .map(folder -> "in " + folder)
                    .orElse(
                            "not here; `--data mnist` downloads it, `--data mnist:DIR` reads the four files of a folder");
        } catch (IOException e) {
            return Failures.oneLine(String.valueOf(e.getMessage()));
        }
    }

    private static String gigabytes(long bytes) {
        return String.format(java.util.Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
    }

    private static String property(String key) {
        return System.getProperty(key, "unknown");
    }
}
