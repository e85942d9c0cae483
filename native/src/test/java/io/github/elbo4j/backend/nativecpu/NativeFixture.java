package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendProvider.Problem;
import io.github.elbo4j.backend.Backends;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/**
 * Backends for tests, on the instruction set that {@code -Delbo4j.test.isa} names, or the best. Where there is no library
 * a test is skipped with a line, or fails if {@code -Delbo4j.test.require} lists native.
 */
final class NativeFixture {
    private NativeFixture() {}

    /** {@return a backend with the default options} */
    static Backend open() {
        return open(Map.of());
    }

    /** {@return a backend with some options} */
    static Backend open(Map<String, String> options) {
        assumeAvailable();
        Map<String, String> all = new HashMap<>(options);
        String isa = System.getProperty("elbo4j.test.isa");
        if (isa != null && !options.containsKey("isa")) {
            if (isas().stream().noneMatch(each -> each.name().equals(isa))) {
                skip("this CPU has no " + isa);
            }
            all.put("isa", isa);
        }
        return Backends.open("native", all);
    }

    /** {@return the instruction sets that this CPU has, worst first} */
    static List<NativeIsas.Isa> isas() {
        assumeAvailable();
        return NativeProbe.result().isas().supported();
    }

    /** Skips the calling test where there is no library, or fails it if that is required. */
    static void assumeAvailable() {
        List<Problem> problems = NativeProbe.result().problems();
        if (!problems.isEmpty()) {
            lacking(problems.toString());
        }
    }

    /** Skips the calling test, or fails it if the native part is required. */
    static void lacking(String reason) {
        boolean required = Arrays.stream(
                        System.getProperty("elbo4j.test.require", "").split(",", -1))
                .map(String::strip)
                .anyMatch("native"::equals);
        if (required) {
            Assertions.fail(reason + " (elbo4j.test.require lists native)");
        }
        skip(reason);
    }

    /** Skips the calling test with a line. */
    static void skip(String reason) {
        System.out.println("skipped: " + reason);
        Assumptions.abort(reason);
    }
}
