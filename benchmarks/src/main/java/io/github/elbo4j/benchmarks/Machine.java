package io.github.elbo4j.benchmarks;

import io.github.elbo4j.backend.Backend;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** What every row says about where it comes from. */
final class Machine {
    private static final List<String> PACKED = List.of("commit", "dirty", "packed", "jcuda", "nvcc");

    private final Map<String, @Nullable Object> facts = new LinkedHashMap<>();

    private Machine() {}

    /**
     * {@return the facts of this machine and of a kit}
     *
     * @param home folder with {@code kit.properties}; without that file the commit is unknown
     */
    static Machine of(Path home) throws IOException {
        Machine machine = new Machine();
        Properties kit = new Properties();
        Path file = home.resolve("kit.properties");
        if (Files.exists(file)) {
            try (Reader reader = Files.newBufferedReader(file)) {
                kit.load(reader);
            }
        }
        machine.facts.put("gpu", gpu("name"));
        machine.facts.put("driver", gpu("driver_version"));
        PACKED.forEach(name -> machine.facts.put(name, kit.getProperty(name, "unknown")));
        String version = Backend.class.getPackage().getImplementationVersion();
        machine.facts.put("elbo4j", version == null ? "unknown" : version);
        machine.facts.put("java", Runtime.version().toString());
        machine.facts.put("system", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        return machine;
    }

    Map<String, @Nullable Object> facts() {
        return facts;
    }

    String commit() {
        return String.valueOf(facts.get("commit"));
    }

    private static String gpu(String query) {
        try {
            Process process = new ProcessBuilder("nvidia-smi", "--query-gpu=" + query, "--format=csv,noheader")
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            process.getOutputStream().close();
            String answer = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8)
                    .strip();
            return process.waitFor() == 0 && !answer.isEmpty()
                    ? answer.lines().findFirst().orElse("none")
                    : "none";
        } catch (IOException e) {
            return "none";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "none";
        }
    }
}
