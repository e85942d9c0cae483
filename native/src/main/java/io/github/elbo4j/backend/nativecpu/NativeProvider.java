package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendProvider;
import io.github.elbo4j.backend.BackendUnavailableException;
import io.github.elbo4j.backend.engine.EngineBackend;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Provides the backend of native kernels on the CPU. */
public final class NativeProvider implements BackendProvider {
    private static final String NAME = "native";
    private static final String PRECISION = "fp32";
    private static final int MAX_THREADS = 1024;

    /** For the service loader. */
    public NativeProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int rank() {
        return 100;
    }

    @Override
    public int seamVersion() {
        return SEAM_VERSION;
    }

    @Override
    public List<Problem> problems() {
        return NativeProbe.result().problems();
    }

    @Override
    public Map<String, String> findings() {
        return NativeProbe.result().findings();
    }

    @Override
    public Map<String, String> options() {
        String names = NativeProbe.result().isas().names();
        return Map.of(
                "threads",
                "1 to " + MAX_THREADS + "; default: the processors of this machine",
                "precision",
                PRECISION + ", the only one",
                "isa",
                (names.isEmpty() ? "an instruction set" : names) + "; default: the best that this CPU has, at most "
                        + NativeIsas.CAP_VARIABLE);
    }

    @Override
    public Backend open(Map<String, String> options) {
        int threads = threads(options.get("threads"));
        requirePrecision(options.getOrDefault("precision", PRECISION));
        List<Problem> problems = problems();
        if (!problems.isEmpty()) {
            throw new BackendUnavailableException(NAME, problems);
        }
        return new EngineBackend<>(new NativeEngine(isa(options.get("isa")), threads));
    }

    private static NativeIsas.Isa isa(@Nullable String value) {
        NativeIsas isas = NativeProbe.result().isas();
        return value == null
                ? isas.best(System.getenv(NativeIsas.CAP_VARIABLE))
                : isas.of("backend 'native': isa", value);
    }

    private static void requirePrecision(String value) {
        if (!value.equals(PRECISION)) {
            throw new IllegalArgumentException("backend 'native': precision '" + value + "' is not " + PRECISION);
        }
    }

    private static int threads(@Nullable String value) {
        if (value == null) {
            return Math.min(MAX_THREADS, Runtime.getRuntime().availableProcessors());
        }
        try {
            int threads = Integer.parseInt(value);
            if (threads >= 1 && threads <= MAX_THREADS) {
                return threads;
            }
        } catch (NumberFormatException e) {
            // Reported below, with the range.
        }
        throw new IllegalArgumentException(
                "backend 'native': threads '" + value + "' is not a number from 1 to " + MAX_THREADS);
    }
}
