package io.github.elbo4j.inference;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.model.VaeGraph;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Weights that never change, counted: freed when the last who holds them lets go. */
final class Snapshot {
    private final Backend backend;
    private final VaeConfig config;
    private final Workspace workspace;
    private final VaeGraph graph;
    private int holders = 1;

    private Snapshot(Backend backend, VaeConfig config, Workspace workspace, Parameters parameters) {
        this.backend = backend;
        this.config = config;
        this.workspace = workspace;
        this.graph = new VaeGraph(config, parameters);
    }

    /** {@return a copy of a model's present weights, held once} */
    static Snapshot of(Vae vae) {
        VaeConfig config = vae.config();
        Workspace workspace = vae.backend().workspace("frozen model " + config.summary());
        try {
            Parameters parameters = workspace.parameters(VaeGraph.frozenSpecs(config), 0);
            copy(vae.parameters(), parameters.values());
            return new Snapshot(vae.backend(), config, workspace, parameters);
        } catch (RuntimeException | Error e) {
            workspace.close();
            throw e;
        }
    }

    private static void copy(Parameters source, Tensor target) {
        Tensor values = source.values();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment host = arena.allocate(values.size() * values.type().bytes(), Tensor.VIEW_ALIGNMENT);
            values.download(host, 0);
            source.specs()
                    .forEach(spec ->
                            requireFinite(spec, source.value(spec.name()).offset(), values.type(), host));
            target.upload(host, 0);
        }
    }

    private static void requireFinite(Parameters.Spec spec, long offset, DType type, MemorySegment host) {
        long end = offset + spec.size();
        long bad = type == DType.F32 ? notFiniteFloat(host, offset, end) : notFiniteDouble(host, offset, end);
        if (bad < end) {
            double value = type == DType.F32
                    ? host.getAtIndex(ValueLayout.JAVA_FLOAT, bad)
                    : host.getAtIndex(ValueLayout.JAVA_DOUBLE, bad);
            throw new IllegalArgumentException("weight " + (bad - offset) + " of '" + spec.name() + "' is " + value
                    + "; a model that serves needs finite weights, so go back to an earlier checkpoint");
        }
    }

    // A loop a type: one that chooses the layout for each element makes an object for each.

    /** {@return the first index whose number is not finite; the end if all are} */
    private static long notFiniteFloat(MemorySegment host, long from, long end) {
        long i = from;
        while (i < end && Float.isFinite(host.getAtIndex(ValueLayout.JAVA_FLOAT, i))) {
            i++;
        }
        return i;
    }

    private static long notFiniteDouble(MemorySegment host, long from, long end) {
        long i = from;
        while (i < end && Double.isFinite(host.getAtIndex(ValueLayout.JAVA_DOUBLE, i))) {
            i++;
        }
        return i;
    }

    Backend backend() {
        return backend;
    }

    VaeConfig config() {
        return config;
    }

    VaeGraph graph() {
        return graph;
    }

    /** Holds it once more; only by one who holds it. */
    synchronized void hold() {
        holders++;
    }

    /** Lets go of it. */
    synchronized void release() {
        if (holders == 1) {
            // First: what throws can be tried again.
            workspace.close();
        }
        holders--;
    }
}
