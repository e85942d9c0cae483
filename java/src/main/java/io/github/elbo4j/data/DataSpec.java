package io.github.elbo4j.data;

import io.github.elbo4j.backend.Shuffle;
import io.github.elbo4j.files.FormatException;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * A text that names a data set, as command lines and run files hold it:
 *
 * <ul>
 *   <li>{@code digits[:N]}: N drawn digits to train on, see {@link Digits#split}; N is 1 to
 *       {@value Digits#MAX_TRAIN_IMAGES}, {@value Digits#DEFAULT_TRAIN_IMAGES} when left out
 *   <li>{@code mnist[:DIR]}: the four files of a folder, see {@link Mnist#read}, or {@link Mnist#find} without one
 *   <li>{@code idx:IMAGES[,LABELS]}: one or two files, see {@link Idx#read(Path)}; a tenth of the rows, at least one, is
 *       held out as test data, the same rows on every machine; a path cannot contain a comma
 * </ul>
 *
 * <p>Immutable and safe for any number of threads.
 */
public final class DataSpec {
    /** The forms that {@link #parse} takes, for messages and help texts. */
    public static final String FORMS = "digits[:N], mnist[:DIR], idx:IMAGES[,LABELS]";

    private final String spec;
    private final Source source;

    private DataSpec(String spec, Source source) {
        this.spec = spec;
        this.source = source;
    }

    @FunctionalInterface
    private interface Source {
        DataSplit open() throws IOException;
    }

    /**
     * {@return what a text names; nothing is read yet}
     *
     * @param text one of {@link #FORMS}
     * @throws IllegalArgumentException if it is none of them; the message names them
     */
    public static DataSpec parse(String text) {
        int colon = text.indexOf(':');
        String kind = colon < 0 ? text : text.substring(0, colon);
        boolean bare = colon < 0;
        String rest = bare ? "" : text.substring(colon + 1);
        if (!bare && rest.isBlank()) {
            throw wrong(text, "nothing follows the colon");
        }
        return switch (kind) {
            case "digits" -> digits(text, bare ? Digits.DEFAULT_TRAIN_IMAGES : count(text, rest));
            case "mnist" -> bare ? new DataSpec("mnist", Mnist::find) : mnist(path(text, rest));
            case "idx" -> idx(text, rest);
            default -> throw wrong(text, "unknown kind '" + kind + "'");
        };
    }

    /**
     * {@return the data, read or drawn anew on every call}
     *
     * @throws FormatException if a file is missing, damaged, or too small to hold out test data
     * @throws IOException if it cannot be read for another reason
     */
    public DataSplit open() throws IOException {
        return source.open();
    }

    /** {@return the text in full: with the number of digits even where it was left out} */
    public String spec() {
        return spec;
    }

    /** {@return {@link #spec()}} */
    @Override
    public String toString() {
        return spec;
    }

    /** {@return whether the other names the same data by the same text} */
    @Override
    public boolean equals(Object other) {
        return other instanceof DataSpec that && spec.equals(that.spec);
    }

    @Override
    public int hashCode() {
        return spec.hashCode();
    }

    private static DataSpec digits(String text, int count) {
        if (count < 1 || count > Digits.MAX_TRAIN_IMAGES) {
            throw wrong(text, "the number of digits must be 1 to " + Digits.MAX_TRAIN_IMAGES);
        }
        return new DataSpec("digits:" + count, () -> Digits.split(count));
    }

    private static DataSpec mnist(Path folder) {
        return new DataSpec("mnist:" + folder, () -> Mnist.read(folder));
    }

    private static DataSpec idx(String text, String rest) {
        String[] parts = rest.split(",", -1);
        if (rest.isEmpty() || parts.length > 2 || Arrays.stream(parts).anyMatch(String::isBlank)) {
            throw wrong(text, "one path, or two with a comma between them, must follow 'idx:'");
        }
        Path images = path(text, parts[0]);
        if (parts.length == 1) {
            String spec = "idx:" + images;
            return new DataSpec(spec, () -> holdOut(Idx.read(images), images, spec));
        }
        Path labels = path(text, parts[1]);
        String spec = "idx:" + images + "," + labels;
        return new DataSpec(spec, () -> holdOut(Idx.read(images, labels), images, spec));
    }

    private static int count(String text, String number) {
        // Digits only: a sign or a blank is more likely a slip than meant.
        if (!number.matches("[0-9]{1,9}")) {
            throw wrong(text, "the number of digits must be 1 to " + Digits.MAX_TRAIN_IMAGES);
        }
        return Integer.parseInt(number);
    }

    private static Path path(String text, String path) {
        try {
            return Path.of(path);
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("data '" + text + "': no path can be '" + path + "'", e);
        }
    }

    private static IllegalArgumentException wrong(String text, String problem) {
        return new IllegalArgumentException("data '" + text + "': " + problem + "; known forms are " + FORMS);
    }

    /** Holds out a tenth of the rows: those at the first positions of the shuffle of seed 0, epoch 0, in file order. */
    static DataSplit holdOut(Dataset all, Path path, String spec) throws FormatException {
        long rows = all.rows();
        if (rows < 2) {
            throw new FormatException(
                    path.toString(),
                    "holds one row, but test data is held out of it",
                    "give a file of two rows or more");
        }
        if (rows > Integer.MAX_VALUE - 8) {
            throw new FormatException(
                    path.toString(), "holds " + rows + " rows, too many to hold out test data", "split the file");
        }
        long[] test = new long[(int) Math.max(1, rows / 10)];
        for (int i = 0; i < test.length; i++) {
            test[i] = Shuffle.row(0, 0, i, rows);
        }
        Arrays.sort(test);
        long[] train = new long[(int) rows - test.length];
        int held = 0;
        for (int row = 0; row < rows; row++) {
            if (held < test.length && test[held] == row) {
                held++;
            } else {
                train[row - held] = row;
            }
        }
        return new DataSplit(all.select(train), all.select(test), spec);
    }
}
