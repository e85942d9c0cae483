package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import java.util.LinkedHashMap;
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

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            description =
                    "What matrix products are computed in: fp32, on backend cuda also tf32 and bf16 (default: fp32).")
    private @Nullable String precision;

    @Option(
            names = "--device",
            paramLabel = "ID",
            description = "Index or UUID of a GPU as `elbo4j doctor` lists them (default: the first).")
    private @Nullable String device;

    Backend open() {
        Map<String, String> options = new LinkedHashMap<>();
        Integer count = threads;
        if (count != null) {
            options.put("threads", count.toString());
        }
        if (precision != null) {
            options.put("precision", precision);
        }
        if (device != null) {
            options.put("device", device);
        }
        return name.equals(BEST) ? Backends.best(options) : Backends.open(name, options);
    }
}
