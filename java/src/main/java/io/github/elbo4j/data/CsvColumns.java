package io.github.elbo4j.data;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The columns that are read of a CSV file: {@code COL,COL,...[,label=COL]}, each a name of the header or a number from 1.
 *
 * @param values columns of the values in the order of a row; empty for all but the label's
 * @param label the column of the labels, or null
 */
record CsvColumns(List<String> values, @Nullable String label) {
    private static final String LABEL = "label=";

    /**
     * Copies and checks the columns.
     *
     * @throws IllegalArgumentException if one is blank or given twice
     */
    CsvColumns {
        values = List.copyOf(values);
        Set<String> seen = new HashSet<>();
        for (String column : values) {
            require(column, seen);
        }
        if (label != null) {
            require(label, seen);
        }
    }

    /**
     * {@return the columns of a text; all of them for an empty one}
     *
     * @throws IllegalArgumentException if a column is blank or given twice, or something follows the label's
     */
    static CsvColumns parse(String text) {
        List<String> values = new ArrayList<>();
        String label = null;
        for (String part : text.isEmpty() ? new String[0] : text.split(",", -1)) {
            if (label != null) {
                throw new IllegalArgumentException("the column of the labels must be the last one");
            }
            if (part.startsWith(LABEL)) {
                label = part.substring(LABEL.length());
            } else {
                values.add(part);
            }
        }
        return new CsvColumns(values, label);
    }

    /** {@return whether a column is chosen by its number: by up to nine decimal digits} */
    static boolean isNumber(String column) {
        return column.length() <= 9 && column.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    /** {@return whether a column is chosen by a name, so that the file must have a header} */
    boolean needsHeader() {
        return !values.stream().allMatch(CsvColumns::isNumber) || (label != null && !isNumber(label));
    }

    private static void require(String column, Set<String> seen) {
        if (column.isBlank()) {
            throw new IllegalArgumentException("a column has no name");
        }
        if (isNumber(column) && Integer.parseInt(column) == 0) {
            throw new IllegalArgumentException("columns are numbered from 1");
        }
        if (!seen.add(column)) {
            throw new IllegalArgumentException("column '" + column + "' is given twice");
        }
    }
}
