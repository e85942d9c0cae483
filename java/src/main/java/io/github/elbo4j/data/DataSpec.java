package io.github.elbo4j.data;

import io.github.elbo4j.files.FormatException;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A text that names a data set, as command lines and run files hold it:
 *
 * <ul>
 *   <li>{@code digits[:N]}: N drawn digits to train on, see {@link Digits#split}; N is 1 to
 *       {@value Digits#MAX_TRAIN_IMAGES}, {@value Digits#DEFAULT_TRAIN_IMAGES} when left out
 *   <li>{@code mnist[:DIR]}: the four files of a folder, see {@link Mnist#read}, or {@link Mnist#find} without one
 *   <li>{@code idx:IMAGES[,LABELS]}: one or two files, see {@link Idx#read(Path)}
 *   <li>{@code npy:VALUES[,LABELS]}: one or two npy files, see {@link NumpyData#readNpy(Path)}
 *   <li>{@code npz:FILE#VALUES[,LABELS]}: one or two arrays of an archive, see {@link NumpyData#readNpz(Path, String)}; the
 *       last {@code #} ends the path, so an array's name cannot contain one
 *   <li>{@code csv:FILE[#COL,COL,...[,label=COL]]}: all columns of a file or the chosen ones, see {@link CsvData}; the last
 *       {@code #} ends the path, so a path that contains one is followed by another; a column whose name contains {@code #}
 *       or a comma is chosen by its number
 *   <li>{@code cifar10:DIR}: the six files of a folder, see {@link Cifar10#read}; {@code cifar10:FILE[,FILE...]}: some
 *       files, see {@link Cifar10#readFiles}, of which one named {@code test_batch.bin}, or that with {@code .gz}, holds
 *       the test rows if there are others
 *   <li>{@code images:DIR[#WxH[xC]]}: the images of a folder, see {@link ImageFolder#read(Path)}, cropped and resized to
 *       width W and height H if given; C is 1 for grey and 3 for colour
 * </ul>
 *
 * <p>Where data has no test rows of its own, a tenth of the rows is held out, see {@link DataSplit#holdOut}, by the
 * shuffle of seed 0. Another share, and another seed, is said at the end of the text: {@code @test=SHARE[,seed=N]}, as in
 * {@code idx:images@test=0.2,seed=7}. A path cannot contain {@code @test=}, nor a comma, where files are listed, nor
 * {@code #}, where one follows the folder.
 *
 * <p>Immutable and safe for any number of threads.
 */
public final class DataSpec {
    /** The forms that {@link #parse} takes, for messages and help texts. */
    public static final String FORMS = "digits[:N], mnist[:DIR], idx:IMAGES[,LABELS], npy:VALUES[,LABELS],"
            + " npz:FILE#VALUES[,LABELS], csv:FILE[#COL,...[,label=COL]], cifar10:DIR,"
            + " cifar10:FILE[,FILE...], images:DIR[#WxH[xC]], with @test=SHARE[,seed=N] after data that has no test rows of"
            + " its own";

    private final String spec;
    private final Source source;

    private DataSpec(String spec, Source source) {
        this.spec = spec;
        this.source = source;
    }

    /** Data with test rows of its own. */
    @FunctionalInterface
    private interface Source {
        DataSplit open() throws IOException;
    }

    /** Data without. */
    @FunctionalInterface
    private interface Rows {
        Dataset read() throws IOException;
    }

    /**
     * {@return what a text names; nothing is read yet}
     *
     * @param text one of {@link #FORMS}
     * @throws IllegalArgumentException if it is none of them; the message names them
     */
    public static DataSpec parse(String text) {
        Text parts = Text.of(text);
        return switch (parts.kind) {
            case "digits" -> digits(parts);
            case "mnist" -> mnist(parts);
            case "idx" -> idx(parts);
            case "npy" -> npy(parts);
            case "npz" -> npz(parts);
            case "csv" -> csv(parts);
            case "cifar10" -> cifar10(parts);
            case "images" -> images(parts);
            default -> throw parts.wrong("unknown kind '" + parts.kind + "'");
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

    /** {@return the text in full: with the number of digits even where it was left out, without what goes without saying} */
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

    private static DataSpec digits(Text text) {
        int count = text.bare ? Digits.DEFAULT_TRAIN_IMAGES : number(text.rest, 9);
        if (count < 1 || count > Digits.MAX_TRAIN_IMAGES) {
            throw text.wrong("the number of digits must be 1 to " + Digits.MAX_TRAIN_IMAGES);
        }
        return text.split("digits:" + count, () -> Digits.split(count));
    }

    private static DataSpec mnist(Text text) {
        if (text.bare) {
            return text.split("mnist", Mnist::find);
        }
        Path folder = text.path(text.rest);
        return text.split("mnist:" + folder, () -> Mnist.read(folder));
    }

    private static DataSpec idx(Text text) {
        List<Path> paths = text.paths();
        if (paths.isEmpty() || paths.size() > 2) {
            throw text.wrong("one path, or two with a comma between them, must follow 'idx:'");
        }
        Path images = paths.getFirst();
        if (paths.size() == 1) {
            return text.holdOut("idx:" + images, images, () -> Idx.read(images));
        }
        Path labels = paths.getLast();
        return text.holdOut("idx:" + images + "," + labels, images, () -> Idx.read(images, labels));
    }

    private static DataSpec npy(Text text) {
        List<Path> paths = text.paths();
        if (paths.isEmpty() || paths.size() > 2) {
            throw text.wrong("one path, or two with a comma between them, must follow 'npy:'");
        }
        Path values = paths.getFirst();
        if (paths.size() == 1) {
            return text.holdOut("npy:" + values, values, () -> NumpyData.readNpy(values));
        }
        Path labels = paths.getLast();
        return text.holdOut("npy:" + values + "," + labels, values, () -> NumpyData.readNpy(values, labels));
    }

    private static DataSpec npz(Text text) {
        int hash = text.rest.lastIndexOf('#');
        List<String> names = List.of(text.rest.substring(hash + 1).split(",", -1));
        if (hash < 1 || names.size() > 2 || names.stream().anyMatch(String::isBlank)) {
            throw text.wrong("a path, '#', and one name or two with a comma between them must follow 'npz:'");
        }
        Path file = text.path(text.rest.substring(0, hash));
        String values = names.getFirst();
        return text.holdOut(
                "npz:" + file + text.rest.substring(hash),
                file,
                () -> names.size() == 1
                        ? NumpyData.readNpz(file, values)
                        : NumpyData.readNpz(file, values, names.getLast()));
    }

    private static DataSpec csv(Text text) {
        int hash = text.rest.lastIndexOf('#');
        String path = hash < 0 ? text.rest : text.rest.substring(0, hash);
        if (path.isBlank()) {
            throw text.wrong("a path must follow 'csv:'");
        }
        Path file = text.path(path);
        CsvColumns columns;
        try {
            columns = CsvColumns.parse(text.rest.substring(path.length() + (hash < 0 ? 0 : 1)));
        } catch (IllegalArgumentException e) {
            throw text.wrong(String.valueOf(e.getMessage()));
        }
        return text.holdOut(
                "csv:" + file + text.rest.substring(path.length()), file, () -> CsvData.read(file, columns));
    }

    private static DataSpec cifar10(Text text) {
        List<Path> paths = text.paths();
        if (paths.isEmpty()) {
            throw text.wrong("a folder, or files with commas between them, must follow 'cifar10:'");
        }
        String spec =
                "cifar10:" + String.join(",", paths.stream().map(Path::toString).toList());
        Path first = paths.getFirst();
        if (paths.size() == 1) {
            DataSpec file = text.holdOut(spec, first, () -> Cifar10.readFiles(paths));
            return new DataSpec(file.spec, () -> Files.isDirectory(first) ? cifar10(text, first) : file.open());
        }
        List<Path> test = paths.stream().filter(Cifar10::isTest).toList();
        if (test.isEmpty()) {
            return text.holdOut(spec, first, () -> Cifar10.readFiles(paths));
        }
        List<Path> train = paths.stream().filter(Predicate.not(Cifar10::isTest)).toList();
        if (test.size() > 1 || train.isEmpty()) {
            throw text.wrong("only one file can hold the test rows");
        }
        return text.split(spec, () -> Cifar10.split(train, test.getFirst(), spec));
    }

    private static DataSplit cifar10(Text text, Path folder) throws IOException {
        if (text.held != null) {
            throw new FormatException(text.whole, Text.HAS_TEST_ROWS, "leave " + Text.SUFFIX + " out");
        }
        return Cifar10.read(folder);
    }

    private static DataSpec images(Text text) {
        int hash = text.rest.indexOf('#');
        Path folder = text.path(hash < 0 ? text.rest : text.rest.substring(0, hash));
        if (folder.toString().isBlank()) {
            throw text.wrong("a folder must follow 'images:'");
        }
        if (hash < 0) {
            return text.holdOut("images:" + folder, folder, () -> ImageFolder.read(folder));
        }
        Matcher size = Text.SIZE.matcher(text.rest.substring(hash + 1));
        if (!size.matches()) {
            throw text.wrong("after '#' must come a size as in #64x48 or #64x48x1: width, height, and 1 or 3 channels");
        }
        int width = number(size.group(1), 8);
        int height = number(size.group(2), 8);
        int channels = size.group(3) == null ? ImageFolder.CHANNELS_OF_IMAGES : number(size.group(3), 1);
        try {
            ImageFolder.requireSize(width, height, channels);
        } catch (IllegalArgumentException e) {
            throw text.wrong(String.valueOf(e.getMessage()));
        }
        String spec = "images:" + folder + "#" + width + "x" + height + (size.group(3) == null ? "" : "x" + channels);
        return text.holdOut(spec, folder, () -> ImageFolder.read(folder, width, height, channels));
    }

    /** {@return a number of digits only: a sign or a blank is more likely a slip than meant; -1 for anything else} */
    private static int number(String text, int digits) {
        return text.matches("[0-9]{1," + digits + "}") ? Integer.parseInt(text) : -1;
    }

    /** Which rows are held out. */
    private record HoldOut(BigDecimal share, long seed) {
        static final HoldOut TENTH = new HoldOut(new BigDecimal("0.1"), 0);

        /** {@return how a spec ends that holds out these rows; empty for what goes without saying} */
        String suffix() {
            return equals(TENTH) ? "" : Text.SUFFIX + share.toPlainString() + (seed == 0 ? "" : ",seed=" + seed);
        }

        DataSplit of(Dataset all, Path path, String spec) throws FormatException {
            if (all.rows() < 2) {
                throw new FormatException(
                        path.toString(), "holds one row, but test data is held out of it", "give two rows or more");
            }
            if (all.rows() > DataSplit.MAX_HOLD_OUT_ROWS) {
                throw new FormatException(
                        path.toString(),
                        "holds " + all.rows() + " rows, too many to hold out test data",
                        "split the file");
            }
            try {
                return DataSplit.holdOut(all, share.doubleValue(), seed, spec);
            } catch (OutOfMemoryError e) {
                throw new FormatException(
                        path.toString(),
                        "does not fit into memory twice, which holding out test data needs",
                        "raise -XX:MaxDirectMemorySize, or read fewer rows",
                        e);
            }
        }
    }

    /**
     * The parts of a spec, and what they are made into.
     *
     * @param whole the text as given
     * @param kind what stands before the colon
     * @param bare whether there is no colon
     * @param rest what follows the colon, without the rows to hold out
     * @param held the rows to hold out, if the text says so
     */
    private record Text(
            String whole,
            String kind,
            boolean bare,
            String rest,
            @Nullable HoldOut held) {
        static final String SUFFIX = "@test=";
        static final String HAS_TEST_ROWS = "the data has test rows of its own";
        static final Pattern SIZE = Pattern.compile("([0-9]+)x([0-9]+)(?:x([13]))?");

        private static final Pattern HELD = Pattern.compile("(0?\\.[0-9]{1,9})(?:,seed=(-?[0-9]{1,19}))?");

        static Text of(String whole) {
            int suffix = whole.indexOf(SUFFIX);
            String named = suffix < 0 ? whole : whole.substring(0, suffix);
            HoldOut held = suffix < 0 ? null : held(whole, whole.substring(suffix + SUFFIX.length()));
            int colon = named.indexOf(':');
            if (colon < 0) {
                return new Text(whole, named, true, "", held);
            }
            Text text = new Text(whole, named.substring(0, colon), false, named.substring(colon + 1), held);
            if (text.rest.isBlank()) {
                throw text.wrong("nothing follows the colon");
            }
            return text;
        }

        private static HoldOut held(String whole, String text) {
            Matcher matcher = HELD.matcher(text);
            if (matcher.matches()) {
                BigDecimal share = new BigDecimal(matcher.group(1)).stripTrailingZeros();
                String seed = matcher.group(2) == null ? "0" : matcher.group(2);
                try {
                    if (share.signum() > 0) {
                        return new HoldOut(share, Long.parseLong(seed));
                    }
                } catch (NumberFormatException e) {
                    throw wrong(whole, "the seed " + seed + " is no 64-bit number");
                }
            }
            throw wrong(
                    whole,
                    "after '" + SUFFIX
                            + "' must come a share between 0 and 1, of 9 decimals at most, and perhaps a seed,"
                            + " as in " + SUFFIX + "0.2,seed=7");
        }

        /** {@return data with test rows of its own} */
        DataSpec split(String spec, Source source) {
            if (held != null) {
                throw wrong(HAS_TEST_ROWS + ", leave " + SUFFIX + " out");
            }
            return new DataSpec(spec, source);
        }

        /** {@return data of which rows are held out} */
        DataSpec holdOut(String form, Path path, Rows rows) {
            HoldOut present = held == null ? HoldOut.TENTH : held;
            String spec = form + present.suffix();
            return new DataSpec(spec, () -> present.of(rows.read(), path, spec));
        }

        /** {@return the paths that stand between commas; none if one of them is blank} */
        List<Path> paths() {
            List<Path> paths = new ArrayList<>();
            for (String path : rest.split(",", -1)) {
                if (path.isBlank()) {
                    return List.of();
                }
                paths.add(path(path));
            }
            return paths;
        }

        Path path(String path) {
            try {
                return Path.of(path);
            } catch (InvalidPathException e) {
                throw new IllegalArgumentException("data '" + whole + "': no path can be '" + path + "'", e);
            }
        }

        IllegalArgumentException wrong(String problem) {
            return wrong(whole, problem);
        }

        private static IllegalArgumentException wrong(String whole, String problem) {
            return new IllegalArgumentException("data '" + whole + "': " + problem + "; known forms are " + FORMS);
        }
    }
}
