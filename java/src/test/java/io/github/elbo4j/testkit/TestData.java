package io.github.elbo4j.testkit;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * Where tests find real data: the folder that the system property, or else the variable, {@code ELBO4J_DATA} names; when
 * neither is set, {@code ../shared/data} beside the checkout.
 *
 * <p>A test whose data is absent is skipped with a line that says so, unless the system property
 * {@code elbo4j.test.require} lists {@code data}: then it fails.
 */
public final class TestData {
    /** Name of the property and of the variable. */
    public static final String VARIABLE = "ELBO4J_DATA";

    /** Name of the property that lists, separated by commas, what may not be skipped. */
    public static final String REQUIRE = "elbo4j.test.require";

    private TestData() {}

    /**
     * {@return a folder of the test data; the calling test is skipped, or fails, when there is none}
     *
     * @param name name of the folder, {@code mnist} for one
     */
    public static Path folder(String name) {
        String configured = System.getProperty(VARIABLE, System.getenv(VARIABLE));
        Optional<Path> folder = find(configured, Path.of("").toAbsolutePath(), name);
        if (folder.isPresent()) {
            return folder.get();
        }
        String line = "no test data '" + name + "': "
                + (configured == null ? "../shared/data does not have it" : configured + " does not have it")
                + "; set " + VARIABLE + " to the folder that does";
        if (required("data")) {
            return Assertions.fail(line + " (" + REQUIRE + " lists data)");
        }
        System.out.println("skipped: " + line);
        return Assumptions.abort(line);
    }

    /** {@return whether a part of the tests may not be skipped} */
    public static boolean required(String part) {
        return lists(System.getProperty(REQUIRE, ""), part);
    }

    static boolean lists(String required, String part) {
        return Arrays.stream(required.split(",")).map(String::strip).anyMatch(part::equals);
    }

    static Optional<Path> find(@Nullable String configured, Path workingDirectory, String name) {
        // Tests run in a module's folder under Maven, in the root of the checkout elsewhere.
        List<Path> places = configured != null && !configured.isBlank()
                ? List.of(workingDirectory.resolve(configured))
                : List.of(
                        workingDirectory.resolve("../shared/data").normalize(),
                        workingDirectory.resolve("../../shared/data").normalize());
        return places.stream()
                .map(place -> place.resolve(name))
                .filter(Files::isDirectory)
                .findFirst();
    }
}
