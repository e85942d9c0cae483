package io.github.elbo4j.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Rows as lines of text: number, label where there are labels, values with as many digits as tell them apart. */
final class CsvRows implements RowSink {
    private static final int FLUSH_CHARS = 1 << 14;

    private final OutputStream out;
    private final int columns;
    private final boolean labelled;
    private final StringBuilder text = new StringBuilder();

    /**
     * Names of columns.
     *
     * @param names one for each group
     * @param each columns of a group, numbered from 0 behind the name; 0 for one column of the bare name
     */
    record Columns(List<String> names, int each) {
        int count() {
            return names.size() * Math.max(each, 1);
        }
    }

    /** Writes the header. */
    CsvRows(OutputStream out, Columns columns, boolean labelled) throws IOException {
        this.out = out;
        this.columns = columns.count();
        this.labelled = labelled;
        text.append(labelled ? "row,label" : "row");
        for (String name : columns.names()) {
            if (columns.each() == 0) {
                text.append(',').append(name);
            }
            for (int i = 0; i < columns.each(); i++) {
                text.append(',').append(name).append('_').append(i);
                flushIfLong();
            }
        }
        text.append('\n');
        flush();
    }

    @Override
    public void add(long row, int label, float[] values, int offset) throws IOException {
        text.append(row);
        if (labelled) {
            text.append(',').append(label);
        }
        for (int i = 0; i < columns; i++) {
            text.append(',').append(values[offset + i]);
            flushIfLong();
        }
        text.append('\n');
        flush();
    }

    private void flushIfLong() throws IOException {
        if (text.length() > FLUSH_CHARS) {
            flush();
        }
    }

    private void flush() throws IOException {
        out.write(text.toString().getBytes(StandardCharsets.US_ASCII));
        text.setLength(0);
    }
}
