package io.github.elbo4j.files;

import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes one tree of plain Java values as JSON text. */
final class JsonWriter {
    private final StringBuilder out = new StringBuilder();
    private final boolean pretty;

    JsonWriter(boolean pretty) {
        this.pretty = pretty;
    }

    String write(@Nullable Object value) {
        append(value, 0);
        return out.toString();
    }

    private void append(@Nullable Object value, int depth) {
        switch (value) {
            case null -> out.append("null");
            case String text -> appendString(text);
            case Boolean flag -> out.append(flag.booleanValue());
            case Integer number -> out.append(number.intValue());
            case Long number -> out.append(number.longValue());
            case Float number -> appendNumber(number, number.toString());
            case Double number -> appendNumber(number, number.toString());
            case Map<?, ?> object -> appendObject(object, deeper(depth));
            case List<?> array -> appendArray(array, deeper(depth));
            default ->
                throw new IllegalArgumentException("JSON has no value of type "
                        + value.getClass().getName()
                        + "; convert it to a string, a number, a boolean, a list or a map");
        }
    }

    private static int deeper(int depth) {
        if (depth == Json.MAX_DEPTH) {
            throw new IllegalArgumentException("the value is nested deeper than " + Json.MAX_DEPTH + " levels");
        }
        return depth + 1;
    }

    private void appendNumber(double number, String digits) {
        if (!Double.isFinite(number)) {
            throw new IllegalArgumentException("JSON has no number " + digits + "; write a finite one or null");
        }
        out.append(digits);
    }

    private void appendObject(Map<?, ?> object, int depth) {
        out.append('{');
        boolean first = true;
        for (Map.Entry<?, ?> entry : object.entrySet()) {
            if (!first) {
                out.append(',');
            }
            first = false;
            newLine(depth);
            if (!(entry.getKey() instanceof String key)) {
                throw new IllegalArgumentException("a key of a JSON object must be a string, not " + entry.getKey());
            }
            appendString(key);
            out.append(pretty ? ": " : ":");
            append(entry.getValue(), depth);
        }
        if (!first) {
            newLine(depth - 1);
        }
        out.append('}');
    }

    private void appendArray(List<?> array, int depth) {
        boolean lines = array.stream().anyMatch(e -> e instanceof Map<?, ?> || e instanceof List<?>);
        out.append('[');
        for (Iterator<?> elements = array.iterator(); elements.hasNext(); ) {
            if (lines) {
                newLine(depth);
            }
            append(elements.next(), depth);
            if (elements.hasNext()) {
                out.append(pretty && !lines ? ", " : ",");
            }
        }
        if (lines) {
            newLine(depth - 1);
        }
        out.append(']');
    }

    private void newLine(int depth) {
        if (pretty) {
            out.append('\n').repeat("  ", depth);
        }
    }

    private void appendString(String text) {
        if (!Texts.wellFormed(text)) {
            throw new IllegalArgumentException(Texts.quote(text) + " has a surrogate without its other half");
        }
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> out.append('\\').append(c);
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    if (c < ' ') {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
