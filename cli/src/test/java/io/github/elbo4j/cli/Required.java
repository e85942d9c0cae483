package io.github.elbo4j.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** What tests need and a machine may lack: absent, it is skipped, unless {@code -Delbo4j.test.require} lists it. */
public final class Required {
    private static final String PROPERTY = "elbo4j.test.require";

    private Required() {}

    /**
     * Skips the calling test, or fails it if the part is required.
     *
     * @param part name of what is missing
     * @param line what is missing and how to get it
     */
    public static void missing(String part, String line) {
        if (Arrays.stream(System.getProperty(PROPERTY, "").split(",", -1))
                .map(String::strip)
                .anyMatch(part::equals)) {
            Assertions.fail(line + " (" + PROPERTY + " lists " + part + ")");
        }
        skip(line);
    }

    /** Skips the calling test with a line that says why. */
    static void skip(String line) {
        System.out.println("skipped: " + line);
        Assumptions.abort(line);
    }

    /** {@return the folder of real data, as the library's own tests find it} */
    static Path data(String name) {
        String configured = System.getProperty("ELBO4J_DATA", System.getenv("ELBO4J_DATA"));
        List<Path> places = configured != null
                ? List.of(Path.of(configured, name))
                : List.of(Path.of("../shared/data", name), Path.of("../../shared/data", name));
        return places.stream().filter(Files::isDirectory).findFirst().orElseGet(() -> {
            missing("data", "no test data '" + name + "'; set ELBO4J_DATA to the folder that has it");
            throw new IllegalStateException("unreachable");
        });
    }
}
