package io.github.elbo4j.files;

import static io.github.elbo4j.files.SafetensorsTypes.MAX_DIMENSIONS;
import static io.github.elbo4j.files.SafetensorsTypes.MAX_METADATA;
import static io.github.elbo4j.files.SafetensorsTypes.MAX_TENSORS;

import io.github.elbo4j.backend.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.json.JsonFactory;

/** The parsed and checked JSON header of a safetensors file. Immutable once {@link #parse} has returned it. */
final class SafetensorsHeader {
    static final String REMEDY = "the file is damaged or not a safetensors file; write or download it again";

    // Header, tensor, shape: a valid header is three levels deep, and one more is named for what it is.
    private static final JsonFactory FACTORY =
            Json.factory(4, SafetensorsTypes.MAX_NAME_LENGTH, SafetensorsTypes.MAX_METADATA_LENGTH);

    /** One tensor: where its data lies, in bytes from the end of the header. */
    static final class Entry {
        final String name;
        final String typeText;
        final @Nullable DType type;
        final long[] shape;
        final long begin;
        final long end;

        Entry(String name, String typeText, long[] shape, long begin, long end) {
            this.name = name;
            this.typeText = typeText;
            this.type = SafetensorsTypes.dtype(typeText);
            this.shape = shape;
            this.begin = begin;
            this.end = end;
        }

        /** {@return type and shape as in {@code F32 [400, 784]}} */
        String describe() {
            return typeText + ' ' + Arrays.toString(shape);
        }
    }

    private final String source;
    private final Map<String, Entry> entries = new HashMap<>();
    private Map<String, String> metadata = Map.of();
    private List<Entry> order = List.of();

    private SafetensorsHeader(String source) {
        this.source = source;
    }

    /**
     * Parses a header and checks it against the number of data bytes behind it.
     *
     * @throws FormatException if the header is not one, or does not describe every data byte exactly once
     */
    static SafetensorsHeader parse(String source, String json, long dataBytes) throws FormatException {
        SafetensorsHeader header = new SafetensorsHeader(source);
        if (!json.startsWith("{")) {
            throw header.problem("its header does not begin with {");
        }
        try (JsonParser parser = Json.parser(FACTORY, json)) {
            parser.nextToken();
            header.readEntries(parser);
            if (parser.nextToken() != null) {
                throw header.problem("its header goes on after the closing }");
            }
        } catch (JacksonException e) {
            throw Json.failure(source, "its header", REMEDY, e);
        }
        header.checkLayout(dataBytes);
        return header;
    }

    /** {@return the metadata in file order; unmodifiable, empty if there is none} */
    Map<String, String> metadata() {
        return metadata;
    }

    /** {@return the tensors in the order of their data; unmodifiable} */
    List<Entry> order() {
        return order;
    }

    /** {@return the tensor of that name, or null} */
    @Nullable
    Entry entry(String name) {
        return entries.get(name);
    }

    private void readEntries(JsonParser parser) throws FormatException {
        boolean metadataSeen = false;
        List<Entry> list = new ArrayList<>();
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = Json.string(source, parser, REMEDY);
            if (name.equals(SafetensorsTypes.METADATA)) {
                if (metadataSeen) {
                    throw problem("its header has " + SafetensorsTypes.METADATA + " twice");
                }
                metadataSeen = true;
                metadata = readMetadata(parser);
                continue;
            }
            Entry entry = readEntry(parser, name);
            if (entries.put(name, entry) != null) {
                throw problem("tensor " + Texts.quote(name) + " is listed twice");
            }
            list.add(entry);
            if (list.size() > MAX_TENSORS) {
                throw problem("it lists more than " + MAX_TENSORS + " tensors");
            }
        }
        // Empty tensors come before the one that begins at the same byte.
        list.sort(Comparator.<Entry>comparingLong(e -> e.begin).thenComparingLong(e -> e.end));
        order = Collections.unmodifiableList(list);
    }

    private Map<String, String> readMetadata(JsonParser parser) throws FormatException {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw problem(SafetensorsTypes.METADATA + " is not an object");
        }
        Map<String, String> map = new LinkedHashMap<>();
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String key = Json.string(source, parser, REMEDY);
            if (parser.nextToken() != JsonToken.VALUE_STRING) {
                throw problem("metadata " + Texts.quote(key) + " is not a string");
            }
            if (map.put(key, Json.string(source, parser, REMEDY)) != null) {
                throw problem("metadata " + Texts.quote(key) + " is listed twice");
            }
            if (map.size() > MAX_METADATA) {
                throw problem("it has more than " + MAX_METADATA + " metadata entries");
            }
        }
        return Collections.unmodifiableMap(map);
    }

    private Entry readEntry(JsonParser parser, String name) throws FormatException {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw problem(name, "is not described by an object");
        }
        String typeText = null;
        long[] shape = null;
        long[] offsets = null;
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String field = parser.currentName();
            boolean twice = switch (field) {
                case "dtype" -> typeText != null;
                case "shape" -> shape != null;
                case "data_offsets" -> offsets != null;
                default -> throw problem(name, "has the unknown field " + Texts.quote(field));
            };
            if (twice) {
                throw problem(name, "has " + field + " twice");
            }
            switch (field) {
                case "dtype" -> typeText = readType(parser, name);
                case "shape" -> shape = readIntegers(parser, name, "shape", MAX_DIMENSIONS);
                default -> offsets = readIntegers(parser, name, "data_offsets", 2);
            }
        }
        if (typeText == null || shape == null || offsets == null) {
            throw problem(name, "lacks dtype, shape or data_offsets");
        }
        if (offsets.length != 2) {
            throw problem(name, "has " + offsets.length + " data_offsets, not 2");
        }
        Entry entry = new Entry(name, typeText, shape, offsets[0], offsets[1]);
        checkSize(entry);
        return entry;
    }

    private String readType(JsonParser parser, String name) throws FormatException {
        if (parser.nextToken() != JsonToken.VALUE_STRING) {
            throw problem(name, "has a dtype that is not a string");
        }
        String typeText = parser.getString();
        if (SafetensorsTypes.bits(typeText) == null) {
            throw new FormatException(
                    source,
                    "tensor " + Texts.quote(name) + " has the dtype " + Texts.quote(typeText)
                            + ", which the format does not have",
                    "convert the tensor to F32 and write the file again");
        }
        return typeText;
    }

    private long[] readIntegers(JsonParser parser, String name, String field, int max) throws FormatException {
        if (parser.nextToken() != JsonToken.START_ARRAY) {
            throw problem(name, "has " + field + " that is not an array");
        }
        long[] values = new long[max];
        int count = 0;
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            if (token != JsonToken.VALUE_NUMBER_INT) {
                throw problem(name, "has " + field + " with an element that is not an integer");
            }
            if (count == max) {
                throw problem(name, "has " + field + " with more than " + max + " elements");
            }
            long value = parser.getLongValue();
            if (value < 0) {
                throw problem(name, "has " + field + " with the negative element " + value);
            }
            values[count++] = value;
        }
        return Arrays.copyOf(values, count);
    }

    private void checkSize(Entry entry) throws FormatException {
        Integer bits = SafetensorsTypes.bits(entry.typeText);
        if (bits == null) {
            throw new IllegalStateException("the dtype was checked when it was read");
        }
        if (entry.end < entry.begin) {
            throw problem(entry.name, "ends at byte " + entry.end + ", before it begins at " + entry.begin);
        }
        long needed;
        try {
            needed = Math.multiplyExact(SafetensorsTypes.elements(entry.shape), (long) bits);
        } catch (ArithmeticException e) {
            throw problem(entry.name, "has a shape too large for any file: " + entry.describe());
        }
        if (needed % Byte.SIZE != 0) {
            throw problem(entry.name, "does not fill its last byte: " + entry.describe());
        }
        if (needed / Byte.SIZE != entry.end - entry.begin) {
            throw problem(
                    entry.name,
                    "has " + (entry.end - entry.begin) + " bytes of data but needs " + needed / Byte.SIZE + " as "
                            + entry.describe());
        }
    }

    private void checkLayout(long dataBytes) throws FormatException {
        long at = 0;
        for (Entry entry : order) {
            if (entry.begin != at) {
                String relation = entry.begin < at ? "overlaps the tensor before it" : "leaves a gap before it";
                throw problem(
                        entry.name, relation + ": it begins at byte " + entry.begin + " of the data, not at " + at);
            }
            at = entry.end;
            if (at > dataBytes) {
                throw problem(
                        entry.name, "ends at byte " + at + " of the data, of which the file has only " + dataBytes);
            }
        }
        if (at != dataBytes) {
            throw problem("it has " + (dataBytes - at) + " bytes behind the last tensor");
        }
    }

    private FormatException problem(String name, String problem) {
        return problem("tensor " + Texts.quote(name) + ' ' + problem);
    }

    private FormatException problem(String problem) {
        return new FormatException(source, problem, REMEDY);
    }
}
