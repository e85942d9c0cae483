package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendUnavailableException;
import io.github.elbo4j.backend.Backends;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which backend computes. */
final class BackendOptions {
    /** The name that lets the library choose. */
    static final String BEST = "best";

    private static final String PRECISION = "precision";
    private static final String DEVICE = "device";

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
            description = "Threads of backend java; no effect on the result (default: all processors).")
    private @Nullable Integer threads;

    @Option(
            names = "--precision",
            paramLabel = "NAME",
            description = "What matrix products are computed in: fp32; on backend cuda also tf32 and bf16, on java fp64"
                    + " (default: fp32).")
    private @Nullable String precision;

    @Option(
            names = "--device",
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

    /** The best backend; options that only one takes that does not open here are no reason to take another. */
    private static Backend best(Map<String, String> options) {
        Backend backend = Backends.best(options);
        String taken = backend.info().name();
        if (options.containsKey(DEVICE) && !takesDevice(taken)) {
            backend.close();
            throw new InputException("--device chooses a GPU, and backend '" + taken + "' uses none" + missing());
        }
        return backend;
    }

    private static boolean takesDevice(String backend) {
        return Backends.report().stream()
                .anyMatch(each -> each.name().equals(backend) && each.options().containsKey(DEVICE));
    }

    /** Which backends do not open here and why, to be added to a message. */
    private static String missing() {
        return Backends.report().stream()
                .filter(each -> !each.available())
                .map(each -> "; " + new BackendUnavailableException(each.name(), each.problems()).getMessage())
                .collect(Collectors.joining());
    }
}
