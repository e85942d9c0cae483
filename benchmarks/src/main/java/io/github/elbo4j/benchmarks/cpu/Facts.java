package io.github.elbo4j.benchmarks.cpu;

import io.github.elbo4j.backend.Backend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where and of what the results of a run are.
 *
 * @param device model of the CPU and number of cores
 * @param jdk version of the JVM
 * @param commit of the repository
 * @param dirty whether files differed from it
 * @param date when the run began, UTC
 * @param more further versions
 */
record Facts(String device, String jdk, String commit, boolean dirty, String date, Map<String, @Nullable Object> more) {
    private static final Path CPUINFO = Path.of("/proc/cpuinfo");

    static Facts of(String commit, boolean dirty) {
        Map<String, @Nullable Object> more = new LinkedHashMap<>();
        String version = Backend.class.getPackage().getImplementationVersion();
        more.put("elbo4j", version == null ? "unknown" : version);
        more.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        more.put("arch", System.getProperty("os.arch"));
        int cores = Runtime.getRuntime().availableProcessors();
        return new Facts(
                model() + ", " + cores + (cores == 1 ? " core" : " cores"),
                Runtime.version().toString(),
                commit,
                dirty,
                Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
                more);
    }

    private static String model() {
        return cpuInfo("model name").orElse(System.getProperty("os.arch"));
    }

    /** {@return what the system says that the first CPU can do; empty if it does not say} */
    static Set<String> cpuFlags() {
        return Set.copyOf(List.of(cpuInfo("flags").orElse("").split(" ")));
    }

    private static Optional<String> cpuInfo(String key) {
        try {
            List<String> lines = Files.exists(CPUINFO) ? Files.readAllLines(CPUINFO) : List.of();
            return lines.stream()
                    .filter(line -> line.startsWith(key))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** {@return the device as the name of a folder} */
    String folder() {
        return device.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    }

    /** {@return the name of the run's files without their endings} */
    String file() {
        return date.substring(0, 10) + "-" + commit.substring(0, Math.min(7, commit.length()));
    }

    Map<String, @Nullable Object> toJson() {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("device", device);
        json.put("jdk", jdk);
        json.put("commit", commit);
        json.put("dirty", dirty);
        json.put("date", date);
        json.putAll(more);
        return json;
    }

    static Facts fromJson(Map<?, ?> json) {
        Map<String, @Nullable Object> more = new LinkedHashMap<>();
        json.forEach((key, value) -> more.put((String) key, value));
        return new Facts(
                String.valueOf(more.remove("device")),
                String.valueOf(more.remove("jdk")),
                String.valueOf(more.remove("commit")),
                Boolean.TRUE.equals(more.remove("dirty")),
                String.valueOf(more.remove("date")),
                more);
    }
}
