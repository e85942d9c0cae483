package io.github.elbo4j.cli;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Compares the options of a resume with what the run has; an option that was not given agrees with everything. */
final class GivenOptions {
    private GivenOptions() {}

    /**
     * Refuses another value than the run's.
     *
     * @param option its name
     * @param given what was asked for; null if nothing was
     * @param has what the run has
     */
    static void requireSame(String option, @Nullable Object given, Object has) {
        if (given != null && !Objects.equals(given, has)) {
            throw new InputException(option + " " + text(given) + " contradicts the run, which has " + text(has)
                    + "; leave the option out, or train a new run with --out");
        }
    }

    private static String text(Object value) {
        // Widths as they are typed.
        return value instanceof java.util.List<?> list
                ? String.join(",", list.stream().map(String::valueOf).toList())
                : value.toString();
    }
}
