package io.github.elbo4j.cli;

import java.io.IOException;

/** Takes the rows of a result one after another, so that no result need be in memory as a whole. */
interface RowSink {
    /** The label of a row that has none. */
    int NO_LABEL = -1;

    /**
     * Takes the next row.
     *
     * @param row its number
     * @param label its label, or {@link #NO_LABEL}
     * @param values holds its values; not used after the return
     * @param offset index of the first
     */
    void add(long row, int label, float[] values, int offset) throws IOException;

    /** Produces all rows of a result. */
    @FunctionalInterface
    interface Source {
        /** Adds every row, in order. */
        void writeTo(RowSink sink) throws IOException;
    }
}
