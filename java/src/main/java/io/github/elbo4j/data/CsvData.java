package io.github.elbo4j.data;

import de.siegmar.fastcsv.reader.CloseableIterator;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.files.FormatException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Data sets from CSV files (RFC 4180, UTF-8): a row of {@link DType#F32} a line, each an image of height 1.
 *
 * <p>Fields are separated by commas and may be quoted; lines end in LF, CR or CRLF; empty lines are skipped; a byte order
 * mark is. Every line has the same number of fields. The first record is a header exactly if a column is chosen by a name or
 * one of the value fields that it has is no number. So a header of numbers alone is taken for a row.
 *
 * <p>A column is chosen by a name of the header or by its number from 1; up to nine digits are always a number. Values are
 * decimals such as {@code -1}, {@code 0.25} or {@code 1e-3}, blanks around them aside; NaN, Infinity, suffixes, an empty
 * field and what is too large for a float are errors that name line and column. Labels are integers from 0; when there is a
 * text among them, all of them are numbered from 0 by first appearance.
 *
 * <p>Every file is treated as hostile: a field has at most 65,536 characters, a record at most 2^25 and 1,000,000 columns,
 * and memory grows with the rows as they come. Stateless and safe for any number of threads.
 */
public final class CsvData {
    // The parser's buffer holds a field and what follows it; the length of a field is checked apart.
    private static final int BUFFER_LENGTH = 4 * CsvRows.MAX_FIELD_LENGTH;

    private CsvData() {}

    /**
     * {@return the rows of a file, of all its columns, without labels}
     *
     * @param file a CSV file
     * @throws FormatException if the file is missing, damaged or holds something else
     * @throws IOException if the thread is interrupted
     */
    public static Dataset read(Path file) throws IOException {
        return read(file, List.of(), null);
    }

    /**
     * {@return the rows of a file, of chosen columns}
     *
     * @param file a CSV file
     * @param columns the columns of a row in its order, each by name or number; none for all but the label's
     * @param label the column of the labels by name or number, or null for none
     * @throws IllegalArgumentException if a column is blank, 0 or given twice
     * @throws FormatException if the file is missing, damaged or holds something else, or lacks a column
     * @throws IOException if the thread is interrupted
     */
    public static Dataset read(Path file, List<String> columns, @Nullable String label) throws IOException {
        return read(file, new CsvColumns(columns, label));
    }

    static Dataset read(Path file, CsvColumns columns) throws IOException {
        String source = file.toString();
        DataFiles.require(file, "a CSV file");
        try (CsvRows rows = new CsvRows(source, columns)) {
            try (CsvText text = new CsvText(Files.newInputStream(file));
                    CsvReader<Long> reader = CsvReader.builder()
                            .allowExtraFields(true)
                            .allowMissingFields(true)
                            .maxBufferSize(BUFFER_LENGTH)
                            .build(rows, text);
                    CloseableIterator<Long> records = reader.iterator()) {
                while (records.hasNext()) {
                    records.next();
                }
            } catch (IOException | UncheckedIOException | CsvParseException e) {
                throw failure(source, rows, e);
            }
            return rows.toDataset();
        }
    }

    /** {@return what the parser's exception is about: the first cause of a kind that is known} */
    private static IOException failure(String source, CsvRows rows, Exception e) {
        long line = Math.max(1, rows.line());
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            switch (cause) {
                case FormatException known -> {
                    return known;
                }
                case ClosedByInterruptException interrupted -> {
                    return interrupted;
                }
                case CharacterCodingException _ -> {
                    return new FormatException(
                            source, "is not valid UTF-8, in or after line " + line, "save it as UTF-8", e);
                }
                case AccessDeniedException _ -> {
                    return new FormatException(source, "may not be read", "change its permissions", e);
                }
                default -> {
                    // The parser wraps what it meets.
                }
            }
        }
        Throwable first = e instanceof CsvParseException && e.getCause() != null ? e.getCause() : e;
        String message = String.valueOf(first.getMessage());
        if (message.startsWith("The maximum buffer size")) {
            return rows.tooLong();
        }
        return e instanceof CsvParseException
                ? new FormatException(
                        source,
                        "line " + line + " is no CSV (" + CsvRows.printable(message, 100) + ")",
                        "write a quote within quotes twice",
                        e)
                : new FormatException(source, "cannot be read: " + message, "check the disk and the path", e);
    }
}
