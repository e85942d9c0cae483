package io.github.elbo4j.validation;

import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.validation.Argument.Access;
import io.github.elbo4j.validation.Argument.Kind;
import io.github.elbo4j.validation.Argument.Rounding;
import io.github.elbo4j.validation.Argument.Span;
import io.github.elbo4j.validation.KernelCase.Property;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** Puts a {@link KernelCase} together. */
final class CaseBuilder {
    private final String family;
    private final String kernel;
    private final String setting;
    private final Rows rows;
    private final List<Argument> arguments = new ArrayList<>();
    private final Map<String, Double> slots = new LinkedHashMap<>();
    private final Set<Property> properties = EnumSet.noneOf(Property.class);
    private List<Parameters.Spec> specs = List.of();
    private int moments;
    private StepState.Snapshot start = new StepState.Snapshot(0, 0, 0, 0, Map.of(KernelCase.METRIC, 0.0), null);
    private long orderRows;
    private IntToDoubleFunction metricTerms = active -> 0;

    CaseBuilder(String family, String kernel, String setting, Rows rows) {
        this.family = family;
        this.kernel = kernel;
        this.setting = setting + " " + rows.capacity() + (rows.fold() == 1 ? " rows" : "x" + rows.fold() + " rows");
        this.rows = rows;
    }

    /** An operand that is read; {@code extents} follow the rows, or are the whole shape. */
    CaseBuilder read(String role, Kind kind, Span span, double[] values, long... extents) {
        arguments.add(new Argument(role, kind, Access.READ, span, shape(span, extents), values, null));
        return this;
    }

    /** An operand that is overwritten; compared exactly without a rounding. */
    CaseBuilder write(String role, Kind kind, Span span, @Nullable Rounding rounding, long... extents) {
        long[] shape = shape(span, extents);
        long size = 1;
        for (long extent : shape) {
            size *= extent;
        }
        arguments.add(new Argument(role, kind, Access.WRITE, span, shape, new double[Math.toIntExact(size)], rounding));
        return this;
    }

    /** An operand that is read and overwritten. */
    CaseBuilder update(
            String role, Kind kind, Span span, double[] values, @Nullable Rounding rounding, long... extents) {
        arguments.add(new Argument(role, kind, Access.UPDATE, span, shape(span, extents), values, rounding));
        return this;
    }

    CaseBuilder arena(List<Parameters.Spec> arenaSpecs, int arenaMoments) {
        specs = arenaSpecs;
        moments = arenaMoments;
        return this;
    }

    CaseBuilder start(StepState.Snapshot snapshot) {
        start = snapshot;
        return this;
    }

    CaseBuilder step(long step) {
        return start(new StepState.Snapshot(step, 0, 0, 0, Map.of(KernelCase.METRIC, 0.0), null));
    }

    CaseBuilder slot(String name, double value) {
        slots.put(name, value);
        return this;
    }

    CaseBuilder selects(long rowsOfOrder) {
        orderRows = rowsOfOrder;
        return this;
    }

    CaseBuilder metric(IntToDoubleFunction terms) {
        metricTerms = terms;
        return this;
    }

    CaseBuilder with(Property property) {
        properties.add(property);
        return this;
    }

    KernelCase issue(KernelCase.Issue issue) {
        return new KernelCase(
                family,
                kernel,
                setting,
                rows,
                arguments,
                specs,
                moments,
                start,
                slots,
                orderRows,
                metricTerms,
                properties,
                issue);
    }

    private long[] shape(Span span, long... extents) {
        if (span == Span.WHOLE) {
            return extents;
        }
        long[] shape = new long[extents.length + 1];
        shape[0] = span == Span.ROWS ? rows.capacity() : rows.total();
        System.arraycopy(extents, 0, shape, 1, extents.length);
        return shape;
    }
}
