package io.github.elbo4j.files;

import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What the header of an npy file says. It is a Python dict literal of three entries, read by a parser for just that:
 *
 * <pre>{@code {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 784), }}</pre>
 *
 * <p>Source: {@code numpy/lib/format.py}, format versions 1.0 to 3.0. Blanks may stand between tokens, entries may come in
 * any order, and an extent may end in {@code L}, as Python 2 wrote it. Escapes in strings are refused: no name or type that
 * is read needs one.
 */
final class NpyHeader {
    /** The most dimensions of an array, as NumPy had it before 2.0. */
    static final int MAX_DIMENSIONS = 32;

    static final String REMEDY = "it is damaged or of another kind; save the array again with numpy.save";

    final NpyType type;
    final ByteOrder order;
    final boolean fortranOrder;
    final long[] shape;

    /** Bytes of all elements. */
    final long dataBytes;

    private NpyHeader(NpyType type, ByteOrder order, boolean fortranOrder, long[] shape, long dataBytes) {
        this.type = type;
        this.order = order;
        this.fortranOrder = fortranOrder;
        this.shape = shape;
        this.dataBytes = dataBytes;
    }

    /**
     * Parses and checks the text after the header's length.
     *
     * @param source named in messages
     * @param text the header, with its padding
     * @throws FormatException if the text is not exactly such a dict, or its array is of a kind that is not read
     */
    static NpyHeader parse(String source, String text) throws FormatException {
        return new Parser(source, text).header();
    }

    /** A cursor over the text; each method takes one construct and the blanks after it. */
    private static final class Parser {
        private final String source;
        private final String text;
        private int at;

        Parser(String source, String text) {
            this.source = source;
            this.text = text;
        }

        NpyHeader header() throws FormatException {
            String descr = null;
            Boolean fortranOrder = null;
            long[] shape = null;
            skipBlanks();
            take('{');
            while (!next('}')) {
                String key = string();
                take(':');
                switch (key) {
                    case "descr" -> {
                        requireFirst(descr, key);
                        descr = descr();
                    }
                    case "fortran_order" -> {
                        requireFirst(fortranOrder, key);
                        fortranOrder = bool();
                    }
                    case "shape" -> {
                        requireFirst(shape, key);
                        shape = shape();
                    }
                    default -> throw wrong("has the unknown entry " + Texts.quote(key));
                }
                if (!next('}')) {
                    take(',');
                }
            }
            take('}');
            if (at < text.length()) {
                throw wrong("goes on after its dict");
            }
            if (descr == null || fortranOrder == null || shape == null) {
                throw wrong("lacks the entry "
                        + (descr == null ? "'descr'" : fortranOrder == null ? "'fortran_order'" : "'shape'"));
            }
            NpyType type = type(descr);
            return new NpyHeader(type, order(descr), fortranOrder, shape, dataBytes(type, shape));
        }

        private String descr() throws FormatException {
            if (next('[') || next('(')) {
                throw new FormatException(
                        source,
                        "holds an array of structured elements",
                        "save each field as an array of its own: numpy.save(file, array['field'])");
            }
            return string();
        }

        private NpyType type(String descr) throws FormatException {
            String code = descr.isEmpty() ? "" : descr.substring(1);
            if (descr.equals("O") || code.startsWith("O")) {
                throw new FormatException(
                        source,
                        "holds Python objects, which only pickle could read, and pickle runs code from the file",
                        "save numbers instead: numpy.save(file, array.astype('f4'), allow_pickle=False)");
            }
            NpyType type = NpyType.of(code);
            if (type == null || "<>|=".indexOf(descr.charAt(0)) < 0 || (descr.charAt(0) == '|' && type.bytes() > 1)) {
                throw new FormatException(
                        source,
                        "holds elements of dtype " + Texts.quote(descr) + ", which are not read",
                        "save it as one of " + NpyType.codes() + ": numpy.save(file, array.astype('f4'))");
            }
            return type;
        }

        private static ByteOrder order(String descr) {
            return switch (descr.charAt(0)) {
                case '<' -> ByteOrder.LITTLE_ENDIAN;
                case '>' -> ByteOrder.BIG_ENDIAN;
                default -> ByteOrder.nativeOrder();
            };
        }

        private boolean bool() throws FormatException {
            boolean value = text.startsWith("True", at);
            if (!value && !text.startsWith("False", at)) {
                throw wrong("has no True or False where one is needed", at);
            }
            at += value ? 4 : 5;
            skipBlanks();
            return value;
        }

        private long[] shape() throws FormatException {
            take('(');
            long[] extents = new long[MAX_DIMENSIONS];
            int count = 0;
            boolean comma = true;
            while (!next(')')) {
                if (!comma) {
                    throw wrong("lacks a comma in its shape", at);
                }
                if (count == MAX_DIMENSIONS) {
                    throw wrong("has a shape of more than " + MAX_DIMENSIONS + " dimensions");
                }
                extents[count++] = extent();
                comma = next(',');
                if (comma) {
                    take(',');
                }
            }
            // In Python (3) is a number, only (3,) is a tuple; and () has no comma.
            if (count == 1 && !comma) {
                throw wrong("has a shape that is no tuple", at);
            }
            take(')');
            return Arrays.copyOf(extents, count);
        }

        private long extent() throws FormatException {
            int start = at;
            if (next('-')) {
                throw wrong("has a negative extent in its shape", at);
            }
            long value = 0;
            while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
                int digit = text.charAt(at) - '0';
                if (value > (Long.MAX_VALUE - digit) / 10) {
                    throw wrong("has an extent above 2^63 - 1 in its shape", start);
                }
                value = 10 * value + digit;
                at++;
            }
            if (at == start || (at > start + 1 && text.charAt(start) == '0')) {
                throw wrong("has no whole number where an extent is needed", start);
            }
            if (next('L')) {
                at++;
            }
            skipBlanks();
            return value;
        }

        private String string() throws FormatException {
            if (!next('\'') && !next('"')) {
                throw wrong("has no string where one is needed", at);
            }
            int end = text.indexOf(text.charAt(at), at + 1);
            if (end < 0) {
                throw wrong("has a string without an end", at);
            }
            String value = text.substring(at + 1, end);
            if (value.indexOf('\\') >= 0 || value.indexOf('\n') >= 0) {
                throw wrong("has an escape or a line break in a string", at);
            }
            at = end + 1;
            skipBlanks();
            return value;
        }

        private long dataBytes(NpyType type, long[] extents) throws FormatException {
            try {
                return Math.multiplyExact(SafetensorsTypes.elements(extents), (long) type.bytes());
            } catch (ArithmeticException e) {
                throw new FormatException(
                        source,
                        "claims the shape " + Arrays.toString(extents) + ", more than any file can hold",
                        REMEDY,
                        e);
            }
        }

        private void requireFirst(@Nullable Object value, String key) throws FormatException {
            if (value != null) {
                throw wrong("has the entry '" + key + "' twice");
            }
        }

        private boolean next(char expected) {
            return at < text.length() && text.charAt(at) == expected;
        }

        private void take(char expected) throws FormatException {
            if (!next(expected)) {
                throw wrong("has no '" + expected + "' where one is needed", at);
            }
            at++;
            skipBlanks();
        }

        private void skipBlanks() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
        }

        private FormatException wrong(String problem, int where) {
            return wrong(problem + ", at character " + where);
        }

        private FormatException wrong(String problem) {
            return new FormatException(source, "its header " + problem, REMEDY);
        }
    }
}
