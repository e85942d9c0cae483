package io.github.elbo4j.backend.engine;

import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.View;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The flat arena: one tensor each for values, gradients and moments. */
final class EngineParameters implements Parameters {
    /** A range of the arena. */
    private record Extent(long offset, long end) {}

    private final List<Spec> specs;
    private final Map<String, Long> offsets = new LinkedHashMap<>();
    private final Map<String, Extent> groups = new LinkedHashMap<>();
    private final EngineTensor values;
    private final @Nullable EngineTensor gradients;
    private final List<EngineTensor> moments;
    private long version;

    EngineParameters(EngineWorkspace workspace, List<Spec> specs, int momentCount) {
        if (specs.isEmpty() || momentCount < 0 || momentCount > 4) {
            throw new IllegalArgumentException("parameters: " + specs.size() + " specifications (at least 1) and "
                    + momentCount + " moments (0 to 4)");
        }
        this.specs = List.copyOf(specs);
        long alignment = Tensor.VIEW_ALIGNMENT / workspace.backend().real().bytes();
        long end = 0;
        String open = "";
        for (Spec spec : specs) {
            long[] shape = shape(spec);
            long size = EngineWorkspace.elements(spec.name(), shape);
            long offset = Math.ceilDiv(end, alignment) * alignment;
            if (offsets.put(spec.name(), offset) != null) {
                throw new IllegalArgumentException("parameters: two are named '" + spec.name() + "'");
            }
            end = Math.addExact(offset, size);
            Extent group = groups.get(spec.group());
            if (group != null && !spec.group().equals(open)) {
                throw new IllegalArgumentException("parameters: '" + spec.name() + "' stands apart from its group '"
                        + spec.group() + "'; a group's members must be neighbours");
            }
            groups.put(spec.group(), new Extent(group == null ? offset : group.offset(), end));
            open = spec.group();
        }
        long elements = end;
        this.values = workspace.arena("values", elements, Engine.Use.VALUES);
        this.gradients = specs.stream().anyMatch(Spec::trained)
                ? workspace.arena("gradients", elements, Engine.Use.PLAIN)
                : null;
        this.moments = java.util.stream.IntStream.range(0, momentCount)
                .mapToObj(i -> workspace.arena("moment " + i, elements, Engine.Use.PLAIN))
                .toList();
    }

    @Override
    public List<Spec> specs() {
        return specs;
    }

    @Override
    public int moments() {
        return moments.size();
    }

    @Override
    public View value(String name) {
        Spec spec = spec(name);
        return new EngineView(values, spec.name(), offsets.getOrDefault(name, 0L), shape(spec));
    }

    @Override
    public View gradient(String name) {
        Spec spec = spec(name);
        if (!spec.trained()) {
            throw new IllegalArgumentException("parameter '" + name + "' is not trained and has no gradient");
        }
        return new EngineView(gradients(), "gradient of " + name, offsets.getOrDefault(name, 0L), shape(spec));
    }

    @Override
    public EngineTensor values() {
        return values;
    }

    @Override
    public EngineTensor gradients() {
        if (gradients == null) {
            throw new IllegalStateException("none of these parameters is trained, so they have no gradients");
        }
        return gradients;
    }

    @Override
    public EngineTensor moment(int index) {
        if (index < 0 || index >= moments.size()) {
            throw new IllegalArgumentException("moment " + index + " of " + moments.size());
        }
        return moments.get(index);
    }

    @Override
    public long groupOffset(String group) {
        return extent(group).offset();
    }

    @Override
    public long groupSize(String group) {
        return extent(group).end() - extent(group).offset();
    }

    @Override
    public synchronized long version() {
        return version;
    }

    synchronized void valuesChanged() {
        version++;
    }

    private Extent extent(String group) {
        Extent extent = groups.get(group);
        if (extent == null) {
            throw new IllegalArgumentException("no group '" + group + "'; known are " + groups.keySet());
        }
        return extent;
    }

    private Spec spec(String name) {
        for (Spec spec : specs) {
            if (spec.name().equals(name)) {
                return spec;
            }
        }
        throw new IllegalArgumentException("no parameter '" + name + "'; known are " + offsets.keySet());
    }

    private static long[] shape(Spec spec) {
        return spec.shape().stream().mapToLong(Long::longValue).toArray();
    }
}
