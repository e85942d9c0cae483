package io.github.elbo4j.data;

import io.github.elbo4j.files.FormatException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The MNIST images of handwritten digits (LeCun, Cortes, Burges): 60,000 to train on and 10,000 to test on, 28 x 28
 * grey, labelled 0 to 9.
 *
 * <p>Any set in four files of the same names is read alike, Fashion-MNIST for one. Stateless and safe for any number of
 * threads; processes that download at the same time do not disturb each other.
 */
public final class Mnist {
    /** Name of the system property, or else environment variable, whose folder or its {@code mnist} part is searched. */
    public static final String DATA_VARIABLE = "ELBO4J_DATA";

    private static final System.Logger LOG = System.getLogger(Mnist.class.getName());

    private static final String TRAIN_IMAGES = "train-images-idx3-ubyte";
    private static final String TRAIN_LABELS = "train-labels-idx1-ubyte";
    private static final String TEST_IMAGES = "t10k-images-idx3-ubyte";
    private static final String TEST_LABELS = "t10k-labels-idx1-ubyte";
    private static final List<String> NAMES = List.of(TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS);

    /** The four files as published. */
    static final List<RemoteFile> PUBLISHED = List.of(
            new RemoteFile(
                    TRAIN_IMAGES + ".gz",
                    9_912_422,
                    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            new RemoteFile(
                    TRAIN_LABELS + ".gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            new RemoteFile(
                    TEST_IMAGES + ".gz", 1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            new RemoteFile(
                    TEST_LABELS + ".gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"));

    private static final List<URI> MIRRORS = List.of(
            URI.create("https://ossci-datasets.s3.amazonaws.com/mnist/"),
            URI.create("https://storage.googleapis.com/cvdf-datasets/mnist/"));

    private static final RemoteFile.Patience PATIENCE =
            new RemoteFile.Patience(Duration.ofSeconds(10), Duration.ofSeconds(20), Duration.ofMinutes(5));

    private Mnist() {}

    /**
     * Where {@link #find()} looks.
     *
     * @param dataFolder what {@link #DATA_VARIABLE} names
     * @param cache folder that downloaded files are kept in
     * @param files what to download
     * @param mirrors addresses to download from, tried in order, each with a slash at its end
     * @param patience how long to wait for one file
     */
    record Places(
            Optional<Path> dataFolder,
            Path cache,
            List<RemoteFile> files,
            List<URI> mirrors,
            RemoteFile.Patience patience) {}

    /**
     * {@return the images and labels of a folder}
     *
     * @param folder holds {@code train-images-idx3-ubyte}, {@code train-labels-idx1-ubyte},
     *     {@code t10k-images-idx3-ubyte} and {@code t10k-labels-idx1-ubyte}, each plain or with {@code .gz} at its end
     * @throws FormatException if a file is missing or damaged
     */
    public static DataSplit read(Path folder) throws FormatException {
        return read(folder, "mnist:" + folder);
    }

    /**
     * {@return the images and labels, wherever they are: below the folder that {@link #DATA_VARIABLE} names, in the
     * user's cache ({@code $XDG_CACHE_HOME} or {@code ~/.cache}, then {@code elbo4j/mnist}; below {@code %LOCALAPPDATA%}
     * on Windows), or else downloaded into that cache, about 12 MB whose checksums are verified}
     *
     * @throws IOException if they are found nowhere and cannot be downloaded, with what was tried and what to do; or if
     *     a file that was found is damaged
     */
    public static DataSplit find() throws IOException {
        return find(places());
    }

    private static Optional<Path> dataFolder(@Nullable String folder) throws FormatException {
        try {
            return folder == null || folder.isBlank() ? Optional.empty() : Optional.of(Path.of(folder));
        } catch (InvalidPathException e) {
            throw new FormatException(
                    DATA_VARIABLE, "no path can be '" + folder + "'", "correct " + DATA_VARIABLE + " or unset it", e);
        }
    }

    /**
     * {@return the folder that {@link #find()} reads on this machine; empty when it would have to download first}
     *
     * @throws IOException if {@link #DATA_VARIABLE} names no folder
     */
    public static Optional<Path> locate() throws IOException {
        return locate(places());
    }

    private static Places places() throws FormatException {
        UnaryOperator<@Nullable String> environment = System::getenv;
        String folder = System.getProperty(DATA_VARIABLE, System.getenv(DATA_VARIABLE));
        Path cache = cacheFolder(
                System.getProperty("os.name", ""), environment, Path.of(System.getProperty("user.home", ".")));
        return new Places(dataFolder(folder), cache, PUBLISHED, MIRRORS, PATIENCE);
    }

    static Optional<Path> locate(Places places) throws IOException {
        if (places.dataFolder.isPresent()) {
            Path folder = places.dataFolder.get();
            if (!Files.isDirectory(folder)) {
                throw new FormatException(
                        folder.toString(),
                        "there is no such folder, but " + DATA_VARIABLE + " names it",
                        "correct " + DATA_VARIABLE + " or unset it");
            }
            for (Path candidate : List.of(folder, folder.resolve("mnist"))) {
                if (NAMES.stream().anyMatch(name -> existing(candidate, name).isPresent())) {
                    return Optional.of(candidate);
                }
            }
        }
        return missing(places).isEmpty() ? Optional.of(places.cache) : Optional.empty();
    }

    static DataSplit find(Places places) throws IOException {
        Optional<Path> found = locate(places);
        if (found.isPresent()) {
            return read(found.get(), "mnist");
        }
        List<RemoteFile> missing = missing(places);
        download(missing, places);
        return read(places.cache, "mnist");
    }

    private static List<RemoteFile> missing(Places places) throws IOException {
        List<RemoteFile> missing = new ArrayList<>();
        for (RemoteFile file : places.files) {
            if (!file.isIn(places.cache)) {
                missing.add(file);
            }
        }
        return missing;
    }

    static Path cacheFolder(String osName, UnaryOperator<@Nullable String> environment, Path home) {
        boolean windows = osName.startsWith("Windows");
        String base = environment.apply(windows ? "LOCALAPPDATA" : "XDG_CACHE_HOME");
        Path standard = windows ? home.resolve("AppData").resolve("Local") : home.resolve(".cache");
        Path caches = base == null || base.isBlank() ? standard : Path.of(base);
        return caches.resolve("elbo4j").resolve("mnist");
    }

    private static DataSplit read(Path folder, String spec) throws FormatException {
        Dataset train = Idx.read(require(folder, TRAIN_IMAGES), require(folder, TRAIN_LABELS));
        Dataset test = Idx.read(require(folder, TEST_IMAGES), require(folder, TEST_LABELS));
        if (!train.shape().equals(test.shape())) {
            throw new FormatException(
                    folder.toString(),
                    "the training images are " + train + ", but the test images are " + test,
                    "give files that belong together");
        }
        return new DataSplit(train, test, spec);
    }

    private static Path require(Path folder, String name) throws FormatException {
        Optional<Path> path = existing(folder, name);
        if (path.isEmpty()) {
            throw new FormatException(
                    folder.toString(),
                    "has no file " + name + " or " + name + ".gz",
                    "put it there, or leave the folder out so that it is downloaded");
        }
        return path.get();
    }

    private static Optional<Path> existing(Path folder, String name) {
        for (String candidate : List.of(name, name + ".gz")) {
            Path path = folder.resolve(candidate);
            if (Files.isRegularFile(path)) {
                return Optional.of(path);
            }
        }
        return Optional.empty();
    }

    private static void download(List<RemoteFile> missing, Places places) throws FormatException {
        LOG.log(System.Logger.Level.INFO, "downloading MNIST ({0} files) into {1}", missing.size(), places.cache);
        try {
            Files.createDirectories(places.cache);
        } catch (IOException e) {
            throw notHad(places, "the cache folder cannot be made (" + reason(e) + ")", e);
        }
        for (RemoteFile file : missing) {
            download(file, places);
        }
    }

    private static void download(RemoteFile file, Places places) throws FormatException {
        List<String> tried = new ArrayList<>();
        IOException last = new IOException("no mirror is known");
        for (URI mirror : places.mirrors) {
            try {
                file.download(mirror, places.cache, places.patience);
                return;
            } catch (IOException e) {
                tried.add(mirror.resolve(file.name()) + " (" + reason(e) + ")");
                last = e;
            }
        }
        throw notHad(places, "not to be had from " + String.join(" or ", tried), last);
    }

    private static FormatException notHad(Places places, String problem, IOException cause) {
        return new FormatException(
                "mnist",
                "not in " + places.dataFolder.map(folder -> folder + " or ").orElse("") + places.cache + ", and "
                        + problem,
                "put the four files " + String.join(".gz, ", NAMES) + ".gz in a folder DIR and pass mnist:DIR, or set "
                        + DATA_VARIABLE + " to it",
                cause);
    }

    private static String reason(IOException e) {
        return (e.getClass().getSimpleName() + ": " + e.getMessage()).replaceAll("\\s+", " ");
    }
}
