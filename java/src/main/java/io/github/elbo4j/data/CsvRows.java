package io.github.elbo4j.data;

import de.siegmar.fastcsv.reader.AbstractBaseCsvCallbackHandler;
import de.siegmar.fastcsv.reader.RecordType;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.files.FormatException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Receives the fields of a CSV file and keeps the chosen ones: values as floats, labels as {@link CsvLabels}. No field but
 * those of the first record outlives its own call. Used by one thread; a {@link FormatException} comes out wrapped.
 */
final class CsvRows extends AbstractBaseCsvCallbackHandler<Long> implements AutoCloseable {
    static final int MAX_COLUMNS = 1_000_000;
    static final int MAX_RECORD_LENGTH = 1 << 25;
    static final int MAX_FIELD_LENGTH = 1 << 16;

    private static final int SKIPPED = -1;
    private static final int LABEL = -2;
    private static final int SHOWN = 40;

    private final String source;
    private final CsvColumns columns;
    private final GrowingMemory values;
    private final CsvLabels labels;

    /** The first record, until it is over. */
    private @Nullable List<String> first = new ArrayList<>();
    /** The names of all columns, if the first record is a header. */
    private List<String> names = List.of();
    /** For each column its place in the row, {@link #SKIPPED} or {@link #LABEL}. */
    private int[] roles = {};

    private float[] row = {};
    private long recordLength;
    private boolean mayBeEnd;
    private boolean ended;

    CsvRows(String source, CsvColumns columns) {
        this.source = source;
        this.columns = columns;
        this.values = new GrowingMemory(source);
        this.labels = new CsvLabels(source);
    }

    /**
     * {@return all rows, after the last record}
     *
     * @throws FormatException if there are none, or no memory for them
     */
    Dataset toDataset() throws FormatException {
        if (values.byteSize() == 0) {
            throw new FormatException(source, "holds no rows", "name a file with a row of numbers or more");
        }
        Dataset set = Dataset.of(values.toSegment(), DType.F32, new ImageShape(1, row.length, 1));
        return columns.label() == null ? set : set.withLabels(labels.toSegment());
    }

    /** {@return the line that the record now read starts in} */
    long line() {
        return getStartingLineNumber();
    }

    /** Frees what was read. */
    @Override
    public void close() {
        values.close();
        labels.close();
    }

    @Override
    protected void handleBegin(long startingLineNumber) {
        recordLength = 0;
        mayBeEnd = false;
    }

    @Override
    protected void handleField(int index, char[] text, int offset, int length, boolean quoted) {
        try {
            field(index, text, offset, length, quoted);
        } catch (FormatException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    protected Long buildRecord() {
        try {
            // An empty line is built too, and skipped by the reader afterwards.
            if (getRecordType() == RecordType.DATA) {
                endRecord();
            }
        } catch (FormatException e) {
            throw new UncheckedIOException(e);
        }
        return line();
    }

    private void field(int index, char[] text, int offset, int length, boolean quoted) throws FormatException {
        recordLength += length;
        if (length > MAX_FIELD_LENGTH) {
            throw tooLong();
        }
        if (index >= MAX_COLUMNS || recordLength > MAX_RECORD_LENGTH) {
            throw new FormatException(
                    source,
                    "line " + line() + " is too long",
                    "a line has at most " + MAX_COLUMNS + " columns and " + MAX_RECORD_LENGTH + " characters");
        }
        boolean endsAsFile = length > 0 && text[offset + length - 1] == CsvText.END;
        if (endsAsFile && quoted) {
            throw unclosed();
        }
        if (endsAsFile && length == 1 && index == 0) {
            mayBeEnd = true;
        } else if (first != null) {
            first.add(new String(text, offset, length));
        } else if (index < roles.length) {
            keep(index, text, offset, length);
        }
    }

    private void endRecord() throws FormatException {
        int count = getFieldCount();
        if (ended) {
            throw new FormatException(
                    source, "line " + line() + " follows a line of U+FFFF, which is no text", "remove that line");
        }
        if (mayBeEnd && count == 1) {
            ended = true;
            return;
        }
        List<String> record = first;
        if (record != null) {
            first = null;
            if (begin(record)) {
                return;
            }
            for (int i = 0; i < record.size(); i++) {
                keep(i, record.get(i).toCharArray(), 0, record.get(i).length());
            }
        }
        if (count != roles.length) {
            throw new FormatException(
                    source,
                    "line " + line() + " has " + count + " fields, but the first record has " + roles.length,
                    "give every line the same number of fields");
        }
        values.append(MemorySegment.ofArray(row));
    }

    /** Finds the chosen columns by the first record and says whether that is a header. */
    private boolean begin(List<String> record) throws FormatException {
        boolean header = columns.needsHeader();
        names = record.stream().map(String::strip).toList();
        roles = roles(record.size());
        for (int i = 0; i < roles.length && !header; i++) {
            String field = record.get(i).strip();
            header = roles[i] >= 0 && Float.isNaN(Decimals.parse(field.toCharArray(), 0, field.length()));
        }
        if (!header) {
            names = List.of();
        }
        return header;
    }

    private int[] roles(int width) throws FormatException {
        int[] found = new int[width];
        Arrays.fill(found, SKIPPED);
        if (columns.label() != null) {
            found[column(columns.label(), width)] = LABEL;
        }
        int places = 0;
        for (String column : columns.values()) {
            int index = column(column, width);
            if (found[index] != SKIPPED) {
                throw new FormatException(
                        source,
                        "column " + shown(column) + " is chosen twice, by name and by number",
                        "choose every column once");
            }
            found[index] = places++;
        }
        for (int i = 0; i < width && columns.values().isEmpty(); i++) {
            found[i] = found[i] == LABEL ? LABEL : places++;
        }
        if (places == 0) {
            throw new FormatException(source, "has no column beside the labels", "choose another column of labels");
        }
        row = new float[places];
        return found;
    }

    private int column(String column, int width) throws FormatException {
        if (CsvColumns.isNumber(column)) {
            int number = Integer.parseInt(column);
            if (number > width) {
                throw new FormatException(
                        source, "has " + width + " columns, but column " + number + " is chosen", "choose others");
            }
            return number - 1;
        }
        int index = names.indexOf(column);
        if (index < 0) {
            throw new FormatException(
                    source,
                    "has no column " + shown(column) + "; its first record is "
                            + shown(String.join(",", names.subList(0, Math.min(SHOWN, names.size())))),
                    "choose columns by a name of the header or by numbers from 1");
        }
        if (names.lastIndexOf(column) != index) {
            throw new FormatException(
                    source, "has more than one column " + shown(column), "choose it by its number, from 1");
        }
        return index;
    }

    private void keep(int index, char[] text, int offset, int length) throws FormatException {
        int role = roles[index];
        if (role == SKIPPED) {
            return;
        }
        int from = offset;
        int to = offset + length;
        while (from < to && isBlank(text[from])) {
            from++;
        }
        while (to > from && isBlank(text[to - 1])) {
            to--;
        }
        if (role == LABEL) {
            labels.append(new String(text, from, to - from), place(index));
            return;
        }
        float value = Decimals.parse(text, from, to);
        if (!Float.isFinite(value)) {
            String problem = Float.isNaN(value) ? " is no number" : " is too large for a float";
            throw new FormatException(
                    source,
                    place(index) + ": " + shown(new String(text, from, to - from)) + problem,
                    "write it as a decimal such as 0.25 or 1e-3, or leave the column out");
        }
        row[role] = value;
    }

    private String place(int index) {
        return "line " + line() + ", column " + (index + 1) + (names.isEmpty() ? "" : " " + shown(names.get(index)));
    }

    /** {@return the exception for a field that is longer than allowed} */
    FormatException tooLong() {
        return new FormatException(
                source,
                "line " + Math.max(1, line()) + " has a field of more than " + MAX_FIELD_LENGTH + " characters",
                "check that every quote is closed");
    }

    private FormatException unclosed() {
        return new FormatException(
                source,
                "a quote in the record that starts in line " + line() + " is never closed",
                "close it, or write a quote within quotes twice");
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t';
    }

    /** {@return a text in quotes, cut to a readable length and without characters that a terminal would obey} */
    static String shown(String text) {
        return '"' + printable(text, SHOWN) + '"';
    }

    /** {@return a text cut to a length and without characters that a terminal would obey} */
    static String printable(String text, int most) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < Math.min(most, text.length()); i++) {
            char c = text.charAt(i);
            if (Character.isISOControl(c) || Character.isSurrogate(c) || Character.getType(c) == Character.FORMAT) {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        return text.length() > most ? out.append("...").toString() : out.toString();
    }
}
