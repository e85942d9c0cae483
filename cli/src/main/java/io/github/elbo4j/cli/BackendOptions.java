package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which backend computes. */
final class BackendOptions {
    /** The name that lets the library choose. */
    static final String BEST = "best";

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            defaultValue = BEST,
            description = "best, or the name of a backend as `elbo4j doctor` lists them (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private String name;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads to compute on; no effect on the result (default: all processors).")
    private @Nullable Integer threads;

    Backend open() {
        Integer count = threads;
        Map<String, String> options = count == null ? Map.of() : Map.of("threads", count.toString());
        return name.equals(BEST) ? Backends.best(options) : Backends.open(name, options);
    }
}
