package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendException;
import io.github.elbo4j.backend.BackendProvider.Problem;
import io.github.elbo4j.backend.Backends;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Runs in a JVM of its own and prints what it sees, a property a line. */
final class Probe {
    private Probe() {}

    /** Asks the provider, opens the backend, and the best one. */
    public static void main(String[] arguments) throws IOException {
        print("module", String.valueOf(Probe.class.getModule().getName()));
        NativeProvider provider = new NativeProvider();
        List<Problem> problems = provider.problems();
        print("kept", String.valueOf(problems == new NativeProvider().problems()));
        print("problems", String.valueOf(problems.size()));
        for (Problem problem : problems) {
            print("reason", problem.reason());
            print("remedy", problem.remedy());
        }
        provider.findings().forEach((name, value) -> print("finding." + name.replace(' ', '.'), value));
        try (Backend backend = Backends.open("native", Map.of())) {
            print("open", backend.info().device());
        } catch (BackendException e) {
            print("open", e.getClass().getSimpleName() + ": " + e.getMessage());
        }
        try (Backend best = Backends.best()) {
            print("best", best.info().name());
        }
        print("left", left());
    }

    private static String left() throws IOException {
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        if (!Files.isDirectory(temporary)) {
            return "";
        }
        try (Stream<Path> files = Files.list(temporary)) {
            return files.map(each -> String.valueOf(each.getFileName()))
                    .filter(name -> !name.startsWith("hsperfdata"))
                    .sorted()
                    .collect(Collectors.joining(" "));
        }
    }

    private static void print(String name, String value) {
        System.out.println("probe." + name + "=" + value.replace('\n', ' '));
    }
}
