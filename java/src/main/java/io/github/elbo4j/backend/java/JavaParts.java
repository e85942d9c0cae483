package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.engine.Workers;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Working memory that each part of a range has for itself, made with the range, so that running it makes nothing. */
final class JavaParts<T> {
    private final List<T> made = new ArrayList<>();

    /**
     * Memory for every part.
     *
     * @param parts what {@link Workers#parts} says of the range
     * @param maker gives the memory of one
     */
    JavaParts(int parts, Supplier<T> maker) {
        for (int part = 0; part < parts; part++) {
            made.add(maker.get());
        }
    }

    /** {@return the memory of a part; used by the thread that has the part} */
    T of(int part) {
        return made.get(part);
    }
}
