package io.github.elbo4j.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.json.JsonFactory;

/**
 * Small JSON documents as plain Java values, read from hostile text within fixed limits.
 *
 * <p>An object is a {@link LinkedHashMap} in document order, an array an {@link ArrayList}, an integer a {@link Long}, another
 * number a {@link Double}; strings, booleans and null are what they are in Java. Strict JSON only: no comments, no trailing
 * commas, no NaN.
 *
 * <p>Methods may be called from any thread; the returned values are mutable and belong to the caller.
 */
public final class Json {
    /** The longest document that is read: 1 MiB, counted in bytes of a file and in chars of a string. */
    public static final int MAX_LENGTH = 1 << 20;

    /** The deepest nesting of objects and arrays that is read or written. */
    public static final int MAX_DEPTH = 16;

    private static final String REMEDY = "correct the JSON text or write it again";

    private static final JsonFactory FACTORY =
            factory(MAX_DEPTH, 1 << 10, MAX_LENGTH); // a name of 1,024 chars is no longer a key

    private Json() {}

    /**
     * Reads one document.
     *
     * @param source where the text is from, for messages
     * @param text the document, at most {@link #MAX_LENGTH} chars
     * @return the document's value; null for the literal {@code null}
     * @throws FormatException if the text is not one JSON value, repeats a key, has a lone surrogate, has a number outside
     *     {@code long} or {@code double}, or exceeds a limit
     */
    public static @Nullable Object parse(String source, String text) throws FormatException {
        if (text.length() > MAX_LENGTH) {
            throw new FormatException(source, "is longer than " + MAX_LENGTH + " characters", REMEDY);
        }
        try (JsonParser parser = parser(FACTORY, text)) {
            Object value = value(source, parser, parser.nextToken());
            if (parser.nextToken() != null) {
                throw new FormatException(source, "goes on after the end of its JSON value", REMEDY);
            }
            return value;
        } catch (JacksonException e) {
            throw failure(source, "it", REMEDY, e);
        }
    }

    /**
     * Reads one document in UTF-8.
     *
     * @param source where the bytes are from, for messages
     * @param utf8 the document, at most {@link #MAX_LENGTH} bytes
     * @return the document's value; null for the literal {@code null}
     * @throws FormatException as {@link #parse(String, String)}, and for bytes that are not UTF-8
     */
    public static @Nullable Object parse(String source, byte[] utf8) throws FormatException {
        if (utf8.length > MAX_LENGTH) {
            throw new FormatException(source, "is longer than " + MAX_LENGTH + " bytes", REMEDY);
        }
        return parse(source, InputFiles.utf8(source, "it", ByteBuffer.wrap(utf8)));
    }

    /**
     * Reads a file that holds one document in UTF-8.
     *
     * @param file the file, at most {@link #MAX_LENGTH} bytes
     * @return the document's value; null for the literal {@code null}
     * @throws FormatException as {@link #parse(String, byte[])}, and for a file that is missing or unreadable
     * @throws IOException if the thread is interrupted
     */
    public static @Nullable Object read(Path file) throws IOException {
        return parse(file.toString(), InputFiles.read(file, MAX_LENGTH));
    }

    /**
     * Writes a value on one line without spaces. Equal values in equal order give equal text.
     *
     * @param value a tree of {@link Map} with {@link String} keys, {@link List}, {@link String}, {@link Boolean}, null,
     *     {@link Integer}, {@link Long}, and finite {@link Float} and {@link Double}; the last two are written with the fewest
     *     digits that read back as the same number
     * @return the JSON text
     * @throws IllegalArgumentException if the tree holds anything else, a lone surrogate, or more than {@link #MAX_DEPTH}
     *     levels
     */
    public static String write(@Nullable Object value) {
        return new JsonWriter(false).write(value);
    }

    /**
     * Writes a value for people: two spaces per level, arrays of plain values on one line, a line end ({@code \n}) at the
     * end.
     *
     * @param value as in {@link #write(Object)}
     * @return the JSON text
     * @throws IllegalArgumentException as in {@link #write(Object)}
     */
    public static String writePretty(@Nullable Object value) {
        return new JsonWriter(true).write(value) + '\n';
    }

    /** {@return a factory of parsers with limits suited to hostile text} */
    static JsonFactory factory(int depth, int nameLength, int stringLength) {
        return JsonFactory.builder()
                // The table of known names would outlive the document and is attackable by colliding names.
                .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(depth)
                        .maxNameLength(nameLength)
                        .maxStringLength(stringLength)
                        .maxNumberLength(64)
                        .build())
                .build();
    }

    static JsonParser parser(JsonFactory factory, String text) {
        return factory.createParser(ObjectReadContext.empty(), text);
    }

    /** {@return the exception for one that the parser threw, with line and column} */
    static FormatException failure(String source, String part, String remedy, JacksonException e) {
        String where = e.getLocation() == null
                ? ""
                : " at line " + e.getLocation().getLineNr() + ", column "
                        + e.getLocation().getColumnNr();
        String problem = part + " is not valid JSON" + where + " (" + Texts.printable(e.getOriginalMessage()) + ")";
        return new FormatException(source, problem, remedy, e);
    }

    /** {@return the parser's current string, which must be well-formed} */
    static String string(String source, JsonParser parser, String remedy) throws FormatException {
        String text = parser.getString();
        if (!Texts.wellFormed(text)) {
            throw new FormatException(source, Texts.quote(text) + " has a surrogate without its other half", remedy);
        }
        return text;
    }

    private static @Nullable Object value(String source, JsonParser parser, @Nullable JsonToken token)
            throws FormatException {
        if (token == null) {
            throw new FormatException(source, "is empty", REMEDY);
        }
        return switch (token) {
            case START_OBJECT -> object(source, parser);
            case START_ARRAY -> array(source, parser);
            case VALUE_STRING -> string(source, parser, REMEDY);
            case VALUE_NUMBER_INT -> parser.getLongValue();
            case VALUE_NUMBER_FLOAT -> finite(source, parser.getString());
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            case VALUE_NULL -> null;
            default -> throw new FormatException(source, "has an unexpected " + token, REMEDY);
        };
    }

    private static Map<String, @Nullable Object> object(String source, JsonParser parser) throws FormatException {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String key = string(source, parser, REMEDY);
            if (object.containsKey(key)) {
                throw new FormatException(source, "has the key " + Texts.quote(key) + " twice", REMEDY);
            }
            object.put(key, value(source, parser, parser.nextToken()));
        }
        return object;
    }

    private static List<@Nullable Object> array(String source, JsonParser parser) throws FormatException {
        List<@Nullable Object> array = new ArrayList<>();
        for (JsonToken token = parser.nextToken(); token != JsonToken.END_ARRAY; token = parser.nextToken()) {
            array.add(value(source, parser, token));
        }
        return array;
    }

    private static double finite(String source, String digits) throws FormatException {
        double number = Double.parseDouble(digits);
        if (Double.isInfinite(number)) {
            throw new FormatException(source, "has the number " + Texts.printable(digits) + ", too large", REMEDY);
        }
        return number;
    }
}
