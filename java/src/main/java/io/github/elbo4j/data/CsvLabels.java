package io.github.elbo4j.data;

import io.github.elbo4j.files.FormatException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;

/**
 * The labels of a CSV file as they come. When all are integers, they are what they say; when there is a text among them, all
 * are numbered from 0 by first appearance. Used by one thread.
 */
final class CsvLabels implements AutoCloseable {
    private static final int MAX_TEXTS = 1 << 16;
    private static final int MAX_LENGTH = 256;

    private final String source;
    private final GrowingMemory codes;
    private final Map<String, Integer> texts = new HashMap<>();
    private final int[] code = new int[1];

    CsvLabels(String source) {
        this.source = source;
        this.codes = new GrowingMemory(source);
    }

    /**
     * Appends the label of the next row.
     *
     * @param where its line and column, for messages
     * @throws FormatException if it is empty, too long, one text too many, or a number but no integer from 0 to 2^31 - 1
     */
    void append(String label, String where) throws FormatException {
        float number = Decimals.parse(label.toCharArray(), 0, label.length());
        if (Float.isNaN(number)) {
            code[0] = -1 - text(label, where);
        } else if (label.matches("[0-9]{1,10}") && Long.parseLong(label) <= Integer.MAX_VALUE) {
            code[0] = Integer.parseInt(label);
        } else {
            throw new FormatException(
                    source,
                    where + ": the label " + CsvRows.shown(label) + " is a number, but no integer from 0 to 2147483647",
                    "number the labels from 0, or make them texts");
        }
        codes.append(MemorySegment.ofArray(code));
    }

    /**
     * {@return a label of four bytes for every row}
     *
     * @throws FormatException if there are too many different ones, or no memory for them
     */
    MemorySegment toSegment() throws FormatException {
        MemorySegment labels = codes.toSegment();
        if (texts.isEmpty()) {
            return labels;
        }
        Map<Integer, Integer> numbers = new HashMap<>();
        for (long row = 0; row < labels.byteSize() / Integer.BYTES; row++) {
            int found = labels.getAtIndex(ValueLayout.JAVA_INT, row);
            Integer number = numbers.computeIfAbsent(found, _ -> numbers.size());
            labels.setAtIndex(ValueLayout.JAVA_INT, row, number);
            if (numbers.size() > MAX_TEXTS) {
                throw tooMany();
            }
        }
        return labels;
    }

    /** Frees what was appended. */
    @Override
    public void close() {
        codes.close();
    }

    private int text(String label, String where) throws FormatException {
        if (label.isEmpty() || label.length() > MAX_LENGTH) {
            throw new FormatException(
                    source,
                    where + ": the label " + (label.isEmpty() ? "is empty" : "has " + label.length() + " characters"),
                    "a label is an integer or a text of 1 to " + MAX_LENGTH + " characters");
        }
        int number = texts.computeIfAbsent(label, _ -> texts.size());
        if (texts.size() > MAX_TEXTS) {
            throw tooMany();
        }
        return number;
    }

    private FormatException tooMany() {
        return new FormatException(
                source,
                "has more than " + MAX_TEXTS + " different labels",
                "check that the right column is chosen, or make the labels integers");
    }
}
