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

    /** Behind a command's own options in its help. */
    private static final int ORDER = Subcommand.LAST - 2;

    private static final String PRECISION = "precision";
    private static final String DEVICE = "device";

    @Option(
            names = "--backend",
            order = ORDER,
            paramLabel = "BACKEND",
            defaultValue = BEST,
            completionCandidates = Candidates.BackendNames.class,
            description = "best, or the name of a backend as `elbo4j doctor` lists them (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private String name;

    @Option(
            names = "--threads",
            order = ORDER,
            paramLabel = "N",
            description = "Threads of backend java; no effect on the result (default: all processors).")
    private @Nullable Integer threads;

    @Option(
            names = "--precision",
            order = ORDER,
            paramLabel = "PRECISION",
            completionCandidates = Candidates.Precisions.class,
            description = "What matrix products are computed in: fp32; on backend cuda also tf32 and bf16, on java fp64"
                    + " (default: fp32).")
    private @Nullable String precision;

    @Option(
            names = "--device",
            order = ORDER,
            paramLabel = "ID",
            description =
                    "GPU of backend cuda: index or UUID, as `elbo4j doctor` lists them (default: the first that can be"
                            + " used).")
    private @Nullable String device;

    Backend open() {
        Map<String, String> options = new LinkedHashMap<>();
        Integer count = threads;
        if (count != null) {
            options.put("threads", count.toString());
        }
        if (precision != null) {
            options.put(PRECISION, precision);
        }
        if (device != null) {
            options.put(DEVICE, device);
        }
        return name.equals(BEST) ? best(options) : Backends.open(name, options);
    }

    private static Backend best(Map<String, String> options) {
        if (options.containsKey(DEVICE) && System.getProperty(Backends.PROPERTY) == null) {
            // A run asked for on a GPU is not done by something else.
            for (Backends.Report each : Backends.report()) {
                if (each.options().containsKey(DEVICE)) {
                    options.keySet().retainAll(each.options().keySet());
                    return Backends.open(each.name(), options);
                }
            }
        }
        return Backends.best(options);
    }
}
