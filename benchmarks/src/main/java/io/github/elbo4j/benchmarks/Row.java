package io.github.elbo4j.benchmarks;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The measured values of one row, in order. */
final class Row {
    private final Map<String, @Nullable Object> values = new LinkedHashMap<>();

    Row put(String key, Object value) {
        // JSON has no NaN; a value that is none must not pass for a number.
        values.put(key, value instanceof Double d && !Double.isFinite(d) ? d.toString() : value);
        return this;
    }

    /** Adds a duration's median and spread in microseconds. */
    Row put(String key, Repeats.Spread micros) {
        return put(key, micros.median())
                .put(key + "_p10", micros.p10())
                .put(key + "_p90", micros.p90())
                .put(key + "_repetitions", micros.count());
    }

    Map<String, @Nullable Object> values() {
        return values;
    }
}
