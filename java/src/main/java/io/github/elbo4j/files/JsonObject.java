package io.github.elbo4j.files;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object read from outside, with getters that check: each names the source, the key and what to do when the key is
 * missing or its value is of another type or out of range. A null value is a value of another type, not a missing one.
 *
 * <p>Instances are immutable and may be used by any thread.
 */
public final class JsonObject {
    private final String source;
    private final String path;
    private final Map<String, @Nullable Object> values;

    private JsonObject(String source, String path, Map<?, ?> values) {
        this.source = source;
        this.path = path;
        Map<String, @Nullable Object> copy = new LinkedHashMap<>();
        values.forEach((key, value) -> copy.put((String) key, value));
        this.values = Collections.unmodifiableMap(copy);
    }

    /**
     * Reads an object from text.
     *
     * @param source where the text is from, for messages
     * @param text the JSON text, at most {@link Json#MAX_LENGTH} chars
     * @return the object
     * @throws FormatException if the text is not JSON within the limits of {@link Json}, or not an object
     */
    public static JsonObject parse(String source, String text) throws FormatException {
        return of(source, Json.parse(source, text));
    }

    /**
     * Reads an object from a file in UTF-8.
     *
     * @param file the file, at most {@link Json#MAX_LENGTH} bytes
     * @return the object; its source is the path as given
     * @throws FormatException if the file is missing, unreadable, not JSON within the limits of {@link Json}, or not an
     *     object
     * @throws IOException if the thread is interrupted
     */
    public static JsonObject read(Path file) throws IOException {
        return of(file.toString(), Json.read(file));
    }

    private static JsonObject of(String source, @Nullable Object value) throws FormatException {
        if (value instanceof Map<?, ?> map) {
            return new JsonObject(source, "", map);
        }
        throw new FormatException(
                source, "is " + kind(value) + ", not a JSON object", "write it as {\"key\": value, ...}");
    }

    /** {@return where the object was read from} */
    public String source() {
        return source;
    }

    /** {@return the keys in document order; unmodifiable} */
    public Set<String> keys() {
        return values.keySet();
    }

    /**
     * {@return whether the object has the key, be its value null or not}
     *
     * @param key the key
     */
    public boolean has(String key) {
        return values.containsKey(key);
    }

    /**
     * {@return the value of a key that must be a string}
     *
     * @param key the key
     * @throws FormatException if it is missing or not a string
     */
    public String string(String key) throws FormatException {
        return required(key, String.class, "a string");
    }

    /**
     * {@return the string of a key, or empty if the key is missing}
     *
     * @param key the key
     * @throws FormatException if it is there and not a string
     */
    public Optional<String> optionalString(String key) throws FormatException {
        return has(key) ? Optional.of(string(key)) : Optional.empty();
    }

    /**
     * {@return the value of a key that must be {@code true} or {@code false}}
     *
     * @param key the key
     * @throws FormatException if it is missing or not a boolean
     */
    public boolean flag(String key) throws FormatException {
        return required(key, Boolean.class, "true or false");
    }

    /**
     * {@return the boolean of a key, or empty if the key is missing}
     *
     * @param key the key
     * @throws FormatException if it is there and not a boolean
     */
    public Optional<Boolean> optionalFlag(String key) throws FormatException {
        return has(key) ? Optional.of(flag(key)) : Optional.empty();
    }

    /**
     * {@return the value of a key that must be an integer; {@code 1.0} and {@code 1e3} are none}
     *
     * @param key the key
     * @param min the smallest value allowed
     * @param max the largest value allowed
     * @throws FormatException if it is missing, not an integer, or out of range
     */
    public long integer(String key, long min, long max) throws FormatException {
        return inRange(key, required(key, Long.class, wanted(min, max)), min, max);
    }

    /**
     * {@return the integer of a key, or empty if the key is missing}
     *
     * @param key the key
     * @param min the smallest value allowed
     * @param max the largest value allowed
     * @throws FormatException if it is there and not an integer, or out of range
     */
    public OptionalLong optionalInteger(String key, long min, long max) throws FormatException {
        return has(key) ? OptionalLong.of(integer(key, min, max)) : OptionalLong.empty();
    }

    /**
     * {@return the value of a key that must be a number; always finite}
     *
     * @param key the key
     * @throws FormatException if it is missing or not a number
     */
    public double number(String key) throws FormatException {
        return required(key, Number.class, "a number").doubleValue();
    }

    /**
     * {@return the number of a key, or empty if the key is missing}
     *
     * @param key the key
     * @throws FormatException if it is there and not a number
     */
    public OptionalDouble optionalNumber(String key) throws FormatException {
        return has(key) ? OptionalDouble.of(number(key)) : OptionalDouble.empty();
    }

    /**
     * {@return the value of a key that must be an array, elements as in {@link Json}; unmodifiable}
     *
     * @param key the key
     * @throws FormatException if it is missing or not an array
     */
    public List<@Nullable Object> list(String key) throws FormatException {
        List<?> list = required(key, List.class, "an array");
        return Collections.unmodifiableList(new ArrayList<@Nullable Object>(list));
    }

    /**
     * {@return the value of a key that must be an array of integers}
     *
     * @param key the key
     * @param min the smallest element allowed
     * @param max the largest element allowed
     * @throws FormatException if it is missing, not an array, or an element is not an integer or out of range
     */
    public long[] integers(String key, long min, long max) throws FormatException {
        List<@Nullable Object> list = list(key);
        long[] integers = new long[list.size()];
        for (int i = 0; i < integers.length; i++) {
            String element = key + '[' + i + ']';
            if (!(list.get(i) instanceof Long integer)) {
                throw wrong(element, kind(list.get(i)), wanted(min, max));
            }
            integers[i] = inRange(element, integer, min, max);
        }
        return integers;
    }

    /**
     * {@return the value of a key that must be an object; its messages name the path to it}
     *
     * @param key the key
     * @throws FormatException if it is missing or not an object
     */
    public JsonObject object(String key) throws FormatException {
        return new JsonObject(source, path + key + '.', required(key, Map.class, "an object"));
    }

    /**
     * {@return the object of a key, or empty if the key is missing}
     *
     * @param key the key
     * @throws FormatException if it is there and not an object
     */
    public Optional<JsonObject> optionalObject(String key) throws FormatException {
        return has(key) ? Optional.of(object(key)) : Optional.empty();
    }

    /**
     * Refuses keys that nothing reads, so that a misspelt one is not silently ignored.
     *
     * @param known every key that may be there
     * @throws FormatException if the object has another key
     */
    public void rejectUnknown(Set<String> known) throws FormatException {
        for (String key : values.keySet()) {
            if (!known.contains(key)) {
                throw new FormatException(
                        source,
                        "has the unknown key " + Texts.quote(path + key),
                        "remove it or use one of " + String.join(", ", new TreeSet<>(known)));
            }
        }
    }

    private <T> T required(String key, Class<T> type, String wanted) throws FormatException {
        if (!values.containsKey(key)) {
            throw new FormatException(
                    source, "has no key " + Texts.quote(path + key), "add it; its value must be " + wanted);
        }
        Object value = values.get(key);
        if (value == null || !type.isInstance(value)) {
            throw wrong(key, kind(value), wanted);
        }
        return type.cast(value);
    }

    private long inRange(String key, long value, long min, long max) throws FormatException {
        if (value < min || value > max) {
            throw wrong(key, Long.toString(value), wanted(min, max));
        }
        return value;
    }

    private FormatException wrong(String key, String found, String wanted) {
        return new FormatException(source, "key " + Texts.quote(path + key) + " is " + found, "it must be " + wanted);
    }

    private static String wanted(long min, long max) {
        return "an integer from " + min + " to " + max;
    }

    private static String kind(@Nullable Object value) {
        return switch (value) {
            case null -> "null";
            case String text -> "the string " + Texts.quote(text);
            case Map<?, ?> _ -> "an object";
            case List<?> _ -> "an array";
            default -> value.toString();
        };
    }
}
