package io.github.elbo4j.backend.nativecpu;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The instruction sets that the library was built for.
 *
 * @param all worst first
 */
record NativeIsas(List<Isa> all) {
    /** The environment variable that names the best one to be used where no option does. */
    static final String CAP_VARIABLE = "ELBO4J_MAX_ISA";

    /**
     * One of them.
     *
     * @param number by which the library knows it
     * @param name in options and findings
     * @param supported whether this CPU has it
     */
    record Isa(int number, String name, boolean supported) {}

    /** {@return those of the library of this process, which must be loaded} */
    static NativeIsas ofLibrary() {
        return new NativeIsas(IntStream.range(0, NativeLibrary.isaCount())
                .mapToObj(isa -> new Isa(isa, NativeLibrary.isaName(isa), NativeLibrary.isaSupported(isa)))
                .toList());
    }

    /** {@return those that this CPU has, worst first} */
    List<Isa> supported() {
        return all.stream().filter(Isa::supported).toList();
    }

    /** {@return the names of those that this CPU has, in words} */
    String names() {
        return supported().stream().map(Isa::name).collect(Collectors.joining(", "));
    }

    /**
     * {@return the best that this CPU has}
     *
     * @param cap value of {@link #CAP_VARIABLE}: none better is taken; null for no such limit
     * @throws IllegalArgumentException if the cap names none that this CPU has; the message lists them
     */
    Isa best(@Nullable String cap) {
        return cap == null ? supported().getLast() : of(CAP_VARIABLE, cap);
    }

    /**
     * {@return the one of a name}
     *
     * @param what what has this value, for errors
     * @throws IllegalArgumentException if this CPU has none of that name; the message lists those it has
     */
    Isa of(String what, String name) {
        for (Isa isa : all) {
            if (isa.name().equals(name)) {
                if (isa.supported()) {
                    return isa;
                }
                throw new IllegalArgumentException(
                        what + " '" + name + "' is not supported by this CPU, which has " + names());
            }
        }
        throw new IllegalArgumentException(what + " '" + name + "' is unknown; this CPU has " + names());
    }
}
