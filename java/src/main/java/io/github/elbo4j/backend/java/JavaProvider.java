package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendProvider;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.engine.EngineBackend;
import java.util.List;
import java.util.Map;

/** Provides the pure-Java reference, which opens everywhere. */
public final class JavaProvider implements BackendProvider {
    private static final int MAX_THREADS = 1024;

    /** For the service loader. */
    public JavaProvider() {}

    @Override
    public String name() {
        return "java";
    }

    @Override
    public int rank() {
        return 0;
    }

    @Override
    public int seamVersion() {
        return SEAM_VERSION;
    }

    @Override
    public List<Problem> problems() {
        return List.of();
    }

    @Override
    public Map<String, String> options() {
        return Map.of(
                "threads",
                "1 to " + MAX_THREADS + "; default: the processors of this machine",
                "precision",
                "fp32 (default), or fp64 for oracles");
    }

    @Override
    public Backend open(Map<String, String> options) {
        return new EngineBackend<>(
                new JavaEngine(precision(options.getOrDefault("precision", "fp32")), threads(options.get("threads"))));
    }

    private static DType precision(String value) {
        return switch (value) {
            case "fp32" -> DType.F32;
            case "fp64" -> DType.F64;
            default ->
                throw new IllegalArgumentException("backend 'java': precision '" + value + "' is not fp32 or fp64");
        };
    }

    private static int threads(@org.jspecify.annotations.Nullable String value) {
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
                "backend 'java': threads '" + value + "' is not a number from 1 to " + MAX_THREADS);
    }
}
