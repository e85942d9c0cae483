package io.github.elbo4j.backend;

import java.util.Arrays;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Names of enum constants as people type them. */
public final class Labels {
    private Labels() {}

    /**
     * {@return the constant of a name, upper or lower case, with hyphens or underscores}
     *
     * @param type the enum
     * @param kind what is named, for the message
     * @param name what was typed
     * @param label name of a constant in lower case with hyphens
     * @throws IllegalArgumentException if there is none; the message lists the names
     */
    public static <E extends Enum<E>> E parse(Class<E> type, String kind, String name, Function<E, String> label) {
        String wanted = name.toLowerCase(Locale.ROOT).replace('_', '-');
        for (E constant : type.getEnumConstants()) {
            if (label.apply(constant).equals(wanted)) {
                return constant;
            }
        }
        String known = Arrays.stream(type.getEnumConstants()).map(label).collect(Collectors.joining(", "));
        throw new IllegalArgumentException("unknown " + kind + " '" + name + "'; known are " + known);
    }
}
