package io.github.elbo4j.cli;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.files.AtomicFiles;
import io.github.elbo4j.files.NpyWriter;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The file that a command writes, in the format that its name says. */
final class OutFile {
    /** The name that stands for CSV on standard output. */
    private static final String STANDARD_OUTPUT = "-";

    @Option(
            names = "--out",
            paramLabel = "FILE",
            description = "File to write; its name says the format: .npy or .csv for numbers, .png for a picture"
                    + " of images. - is CSV on standard output, and nothing else there.")
    private @Nullable Path out;

    @Option(names = "--overwrite", description = "Replace the file if it exists.")
    private boolean overwrite;

    private @Nullable PictureRows picture;

    /** What a file can hold. */
    private enum Format {
        PNG,
        NPY,
        CSV
    }

    /**
     * Rows of numbers.
     *
     * @param rows how many
     * @param shape extents of a row in an array
     * @param columns the columns' names in a table
     * @param labelled whether rows have labels
     */
    record Table(long rows, List<Integer> shape, CsvRows.Columns columns, boolean labelled) {
        /** {@return rows that are images} */
        static Table ofImages(long rows, ImageShape shape, boolean labelled) {
            List<Integer> extents = List.of(shape.height(), shape.width(), shape.channels());
            if (shape.channels() == 1) {
                // Rows that are no images at all are images of height 1.
                extents = extents.subList(shape.height() == 1 ? 1 : 0, 2);
            }
            return new Table(rows, extents, new CsvRows.Columns(List.of("pixel"), shape.size()), labelled);
        }

        /** {@return rows that are no images} */
        static Table of(long rows, CsvRows.Columns columns, boolean labelled) {
            return new Table(rows, List.of(columns.count()), columns, labelled);
        }
    }

    boolean given() {
        return out != null;
    }

    boolean isPicture() {
        return given() && !isStandardOutput() && format() == Format.PNG;
    }

    boolean isStandardOutput() {
        return name().equals(STANDARD_OUTPUT);
    }

    String name() {
        return path().toString();
    }

    /**
     * Checks everything that can be checked before any work.
     *
     * @param pictures whether the result can be a picture
     * @param json whether standard output is already taken
     */
    void require(boolean pictures, boolean json) {
        if (out == null) {
            throw new InputException(
                    "no file to write; name one with --out, such as --out " + (pictures ? "images.png" : "rows.csv"));
        }
        if (isStandardOutput()) {
            if (json) {
                throw new InputException("--out - and --json both write to standard output; leave out one of them");
            }
            return;
        }
        if (format() == Format.PNG && !pictures) {
            throw new InputException("--out " + out + ": the result is no image; name a .npy or .csv file");
        }
        requireFree();
        requireWritable();
    }

    /**
     * Makes room for a picture, if one is wanted; to be called before any work.
     *
     * @throws InputException if the images cannot be drawn, or would make too large a picture
     */
    void require(PictureRows.Layout layout) {
        if (!isPicture()) {
            return;
        }
        ImageShape shape = layout.shape();
        if (!Pictures.drawable(shape)) {
            throw new InputException("--out " + out + ": images of " + shape.height() + "x" + shape.width() + "x"
                    + shape.channels() + " cannot be drawn; name a .npy or .csv file");
        }
        try {
            picture = new PictureRows(layout);
        } catch (IllegalArgumentException e) {
            throw new InputException(
                    "--out " + out + ": " + e.getMessage() + "; take fewer images, or name a .npy or .csv file", e);
        }
    }

    /** Writes all rows; what was there before stays until the last row is on the disk. */
    void write(Streams streams, Table table, RowSink.Source source) throws IOException {
        if (isStandardOutput()) {
            PrintStream to = streams.out();
            source.writeTo(new CsvRows(new Checked(to), table.columns(), table.labelled()));
            to.flush();
            return;
        }
        PictureRows drawn = picture;
        if (drawn != null) {
            source.writeTo(drawn);
        }
        switch (format()) {
            case PNG -> replace(Objects.requireNonNull(drawn, "no layout")::writeTo);
            case NPY -> writeNpy(table, source);
            case CSV -> replace(to -> source.writeTo(new CsvRows(to, table.columns(), table.labelled())));
        }
    }

    private void replace(AtomicFiles.Content<? super OutputStream> content) throws IOException {
        AtomicFiles.write(path(), to -> {
            content.writeTo(to);
            // Once more: another process may have been faster.
            requireFree();
        });
    }

    private void writeNpy(Table table, RowSink.Source source) throws IOException {
        long[] shape = LongStream.concat(
                        LongStream.of(table.rows()), table.shape().stream().mapToLong(Integer::longValue))
                .toArray();
        long columns = table.shape().stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
        NpyWriter.writeRows(path(), DType.F32, shape, to -> {
            source.writeTo((row, label, values, offset) -> to.append(
                    MemorySegment.ofArray(values).asSlice((long) offset * Float.BYTES, columns * Float.BYTES)));
            requireFree();
        });
    }

    private Path path() {
        Path path = out;
        if (path == null) {
            throw new IllegalStateException("no file was named");
        }
        return path;
    }

    private Format format() {
        String name = name();
        String ending = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
        for (Format format : Format.values()) {
            if (name.contains(".") && ending.equals(format.name().toLowerCase(Locale.ROOT))) {
                return format;
            }
        }
        throw new InputException("--out '" + name + "': no format has this ending; name a .png, .npy or .csv file");
    }

    private void requireFree() {
        if (!Files.exists(path(), LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (!overwrite) {
            throw new InputException(path() + ": exists; choose another name, or replace it with --overwrite");
        }
        if (!Files.isRegularFile(path())) {
            throw new InputException(path() + ": is no ordinary file; choose another name");
        }
    }

    private void requireWritable() {
        Path folder = path().toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new InputException(path() + ": there is no folder " + folder + "; create it, or choose another one");
        }
        if (!Files.isWritable(folder)) {
            throw new InputException(path() + ": the folder " + folder + " cannot be written; choose another one");
        }
    }

    /** Ends the work as soon as nobody reads any more. */
    private static final class Checked extends FilterOutputStream {
        private final PrintStream to;

        Checked(PrintStream to) {
            super(to);
            this.to = to;
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            to.write(bytes, offset, length);
            if (to.checkError()) {
                throw new IOException(
                        "standard output could not be written to its end; check its disk or who reads it");
            }
        }

        @Override
        public void write(byte[] bytes) throws IOException {
            write(bytes, 0, bytes.length);
        }

        @Override
        public void write(int b) throws IOException {
            write(new byte[] {(byte) b});
        }

        @Override
        public void close() throws IOException {
            flush();
        }
    }
}
