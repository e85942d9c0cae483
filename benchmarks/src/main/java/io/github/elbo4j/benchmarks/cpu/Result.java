package io.github.elbo4j.benchmarks.cpu;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One result: a quantity of one operation, or why there is none.
 *
 * @param part that found it
 * @param op operation, such as {@code bernoulli}
 * @param backend whose it is: a backend of ours or a peer; {@code machine} for the limits of the machine
 * @param direction such as {@code forward}; empty where there is one only
 * @param shape sizes and threads, such as {@code M1-t1}
 * @param metric what is measured, such as {@code time}
 * @param unit of the numbers
 * @param values the numbers; null where it failed or was skipped
 * @param more what else is known
 */
record Result(
        String part,
        String op,
        String backend,
        String direction,
        String shape,
        String metric,
        String unit,
        @Nullable Quantiles values,
        Map<String, @Nullable Object> more) {
    static final String ERROR = "error";
    static final String SKIPPED = "skipped";

    /** {@return a result with nothing else known} */
    static Result of(
            String part,
            String op,
            String backend,
            String direction,
            String shape,
            String metric,
            String unit,
            Quantiles values) {
        return new Result(part, op, backend, direction, shape, metric, unit, values, Map.of());
    }

    /**
     * {@return a result without numbers}
     *
     * @param kind {@link #ERROR} or {@link #SKIPPED}
     * @param reason why, in one line
     */
    static Result without(String kind, String part, String op, String backend, String shape, String reason) {
        return new Result(
                part,
                op,
                backend,
                "",
                shape,
                "none",
                "",
                null,
                Map.of(kind, reason.replaceAll("\\s+", " ").strip()));
    }

    /** {@return the same with something added} */
    Result with(String key, Object value) {
        Map<String, @Nullable Object> all = new LinkedHashMap<>(more);
        all.put(key, value);
        return new Result(part, op, backend, direction, shape, metric, unit, values, all);
    }

    /** {@return whether it is of this operation} */
    boolean is(String op, String direction, String backend, String shape, String metric) {
        return this.op.equals(op)
                && this.direction.equals(direction)
                && this.backend.equals(backend)
                && this.shape.equals(shape)
                && this.metric.equals(metric);
    }

    /** {@return whether it was to be measured and could not be} */
    boolean failed() {
        return more.containsKey(ERROR);
    }

    Map<String, @Nullable Object> toJson() {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("part", part);
        json.put("op", op);
        json.put("backend", backend);
        json.put("direction", direction);
        json.put("shape", shape);
        json.put("metric", metric);
        json.put("unit", unit);
        if (values != null) {
            json.put("p20", values.p20());
            json.put("p50", values.p50());
            json.put("p80", values.p80());
            json.put("samples", (long) values.samples());
        }
        json.putAll(more);
        return json;
    }

    static Result fromJson(Map<?, ?> json) {
        Map<String, @Nullable Object> more = new LinkedHashMap<>();
        json.forEach((key, value) -> more.put((String) key, value));
        Quantiles values = more.containsKey("p50")
                ? new Quantiles(
                        number(more.remove("p20")), number(more.remove("p50")), number(more.remove("p80")), (int)
                                number(more.remove("samples")))
                : null;
        return new Result(
                text(more, "part"),
                text(more, "op"),
                text(more, "backend"),
                text(more, "direction"),
                text(more, "shape"),
                text(more, "metric"),
                text(more, "unit"),
                values,
                more);
    }

    private static double number(@Nullable Object value) {
        if (value instanceof Number number) {
            return number.doubleValue();
        }
        throw new IllegalArgumentException("a result has '" + value + "' for a number");
    }

    private static String text(Map<String, @Nullable Object> json, String key) {
        if (json.remove(key) instanceof String text) {
            return text;
        }
        throw new IllegalArgumentException("a result has no '" + key + "'; delete it");
    }
}
