package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.BackendProvider.Problem;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Looks for cuBLAS: version 12 in every place first, then 13, then newer ones. Places in order: what
 * {@code -Delbo4j.cublas.path} names (then nothing else), the system's library path, {@code CUDA_HOME}, {@code CUDA_PATH},
 * {@code /usr/local/cuda*}, the NVIDIA wheels of Python environments, {@code CONDA_PREFIX}.
 *
 * <p>It only reads folders and file headers and asks the system for names: what it needs comes through {@link Host}.
 */
final class CublasSearch {
    /** Names a file or a folder to take cuBLAS from. */
    static final String PROPERTY = "elbo4j.cublas.path";

    /** What to do when there is none. */
    static final String REMEDY = "install cuBLAS 12 or 13 (CUDA Toolkit, or pip install nvidia-cublas), or name it: -D"
            + PROPERTY + "=FILE_OR_FOLDER";

    private static final String SYSTEM = "the system's library path";
    private static final int NEWEST_ASKED = 19;
    private static final Pattern CUBLAS = Pattern.compile("libcublas\\.so\\.(\\d{1,4})(?:\\.\\d+)*");
    private static final Pattern NUMBER = Pattern.compile("\\d+");
    private static final List<String> TOOLKIT_FOLDERS = List.of("lib64", "lib", "targets/x86_64-linux/lib");
    private static final List<String> PYTHON_FOLDERS = List.of("lib", "lib64");

    /**
     * What the search can see.
     *
     * @param root the root of the file system
     * @param environment the process's environment
     * @param configured value of {@link #PROPERTY}
     * @param system the file that the system's loader has for a name such as {@code libcublas.so.12}
     */
    record Host(
            Path root,
            Map<String, String> environment,
            @Nullable String configured,
            Function<String, Optional<Path>> system) {}

    /** What the search gave: a library, or why there is none. */
    sealed interface Outcome {
        /** A library to use. */
        record Found(CublasLibrary library) implements Outcome {}

        /** No library. */
        record None(Problem problem) implements Outcome {}
    }

    private record Place(Path folder, String way) {}

    private final Host host;
    private final List<String> rejected = new ArrayList<>();

    CublasSearch(Host host) {
        this.host = host;
    }

    /** Looks once through every place. */
    Outcome run() {
        String configured = host.configured();
        return configured == null || configured.isBlank() ? everywhere() : configured(configured.strip());
    }

    private Outcome configured(String value) {
        Path path = under(value);
        String way = "-D" + PROPERTY;
        List<CublasLibrary> found = Files.isDirectory(path)
                ? in(new Place(path, way))
                : file(path, way).stream().toList();
        return best(found)
                .<Outcome>map(Outcome.Found::new)
                .orElseGet(() -> new Outcome.None(new Problem(
                        way + "=" + value + " is not a cuBLAS 12 or newer" + rejections(Files.exists(path)),
                        "name a file libcublas.so.12 or newer, or the folder that holds it, or remove the property")));
    }

    private Outcome everywhere() {
        Optional<CublasLibrary> twelve = system(CublasLibrary.ASKED_FOR);
        if (twelve.isPresent()) {
            return new Outcome.Found(twelve.get());
        }
        List<CublasLibrary> found =
                places().stream().flatMap(place -> in(place).stream()).toList();
        Optional<CublasLibrary> best = best(found);
        int upTo = best.isPresent() ? Math.min(best.get().major(), NEWEST_ASKED) : NEWEST_ASKED;
        for (int major = CublasLibrary.ASKED_FOR + 1; major <= upTo; major++) {
            Optional<CublasLibrary> newer = system(major);
            if (newer.isPresent()) {
                return new Outcome.Found(newer.get());
            }
        }
        return best.<Outcome>map(Outcome.Found::new)
                .orElseGet(() -> new Outcome.None(new Problem(
                        "no cuBLAS 12 or newer was found on the system's library path, in CUDA_HOME, CUDA_PATH,"
                                + " /usr/local/cuda* and the nvidia folders of Python environments" + rejections(true),
                        REMEDY)));
    }

    /** The oldest version that will do, as it is the nearest to what JCublas2 was built for; then the first place. */
    private static Optional<CublasLibrary> best(List<CublasLibrary> found) {
        return found.stream().min(Comparator.comparingInt(CublasLibrary::major));
    }

    private String rejections(boolean exists) {
        if (!exists) {
            return " (there is no such file)";
        }
        return rejected.isEmpty() ? "" : " (not usable: " + String.join(", ", rejected) + ")";
    }

    private Optional<CublasLibrary> system(int major) {
        return host.system()
                .apply("libcublas.so." + major)
                .map(file -> new CublasLibrary(file, major, SYSTEM, beside(file, major)));
    }

    /** Every usable version in a folder, one file each. */
    private List<CublasLibrary> in(Place place) {
        Map<Integer, CublasLibrary> found = new LinkedHashMap<>();
        list(place.folder(), "libcublas.so.*").stream()
                .sorted(Comparator.comparingInt(file -> file.toString().length()))
                .forEach(file -> {
                    Matcher name = CUBLAS.matcher(String.valueOf(file.getFileName()));
                    if (name.matches() && !found.containsKey(Integer.parseInt(name.group(1)))) {
                        usable(file, Integer.parseInt(name.group(1)), place.way())
                                .ifPresent(library -> found.put(library.major(), library));
                    }
                });
        return List.copyOf(found.values());
    }

    /** A file named by the user; a link without version is followed to its name. */
    private Optional<CublasLibrary> file(Path file, String way) {
        for (Path each : new Path[] {file, real(file)}) {
            Matcher name = CUBLAS.matcher(String.valueOf(each.getFileName()));
            if (name.matches()) {
                return usable(file, Integer.parseInt(name.group(1)), way);
            }
        }
        if (Files.exists(file)) {
            rejected.add("the version is not in the name of " + file);
        }
        return Optional.empty();
    }

    private Optional<CublasLibrary> usable(Path file, int major, String way) {
        String wrong = major < CublasLibrary.ASKED_FOR ? "older than 12" : wrongWith(file);
        if (wrong != null) {
            rejected.add(file + " is " + wrong);
            return Optional.empty();
        }
        return Optional.of(new CublasLibrary(file, major, way, beside(file, major)));
    }

    /** What keeps a file from being a library of this platform, by its ELF header. */
    private static @Nullable String wrongWith(Path file) {
        byte[] header;
        try (InputStream in = Files.newInputStream(file)) {
            header = in.readNBytes(20);
        } catch (IOException e) {
            return "unreadable";
        }
        boolean elf =
                header.length == 20 && header[0] == 0x7f && header[1] == 'E' && header[2] == 'L' && header[3] == 'F';
        boolean x86 = elf && header[4] == 2 && header[18] == 62 && header[19] == 0;
        return x86 ? null : "not an x86-64 library";
    }

    /** libcublasLt of the same version in the same folder, or where a link leads to. */
    private static Optional<Path> beside(Path file, int major) {
        for (Path each : new Path[] {file, real(file)}) {
            Path lt = each.resolveSibling("libcublasLt.so." + major);
            if (Files.isRegularFile(lt)) {
                return Optional.of(lt);
            }
        }
        return Optional.empty();
    }

    private static Path real(Path file) {
        try {
            return file.toRealPath();
        } catch (IOException e) {
            return file;
        }
    }

    private List<Place> places() {
        List<Place> places = new ArrayList<>();
        for (String variable : List.of("CUDA_HOME", "CUDA_PATH")) {
            absolute(variable).ifPresent(toolkit -> addToolkit(places, toolkit, variable));
        }
        for (Path toolkit : list(under("/usr/local"), "cuda*")) {
            addToolkit(places, toolkit, "/usr/local/" + toolkit.getFileName());
        }
        for (Path prefix : pythonPrefixes()) {
            for (String lib : PYTHON_FOLDERS) {
                for (Path python : list(prefix.resolve(lib), "python3*")) {
                    for (String packages : List.of("site-packages", "dist-packages")) {
                        for (Path wheel : list(python.resolve(packages).resolve("nvidia"), "*")) {
                            places.add(new Place(wheel.resolve("lib"), "the Python packages of " + prefix));
                        }
                    }
                }
            }
        }
        absolute("CONDA_PREFIX").ifPresent(prefix -> addToolkit(places, prefix, "CONDA_PREFIX"));
        return places;
    }

    private static void addToolkit(List<Place> places, Path toolkit, String way) {
        for (String folder : TOOLKIT_FOLDERS) {
            places.add(new Place(toolkit.resolve(folder), way));
        }
    }

    /** Where Python environments may be: the active ones, those on the PATH, the usual ones. */
    private Set<Path> pythonPrefixes() {
        Set<Path> prefixes = new LinkedHashSet<>();
        absolute("VIRTUAL_ENV").ifPresent(prefixes::add);
        absolute("CONDA_PREFIX").ifPresent(prefixes::add);
        for (String each : host.environment().getOrDefault("PATH", "").split(":", -1)) {
            if (each.startsWith("/")) {
                Path folder = under(each);
                Path prefix = folder.getParent();
                if (prefix != null
                        && (Files.isExecutable(folder.resolve("python3"))
                                || Files.isExecutable(folder.resolve("python")))) {
                    prefixes.add(prefix);
                }
            }
        }
        absolute("HOME").ifPresent(home -> prefixes.add(home.resolve(".local")));
        for (String usual : List.of("/usr/local", "/usr", "/opt/conda")) {
            prefixes.add(under(usual));
        }
        return prefixes;
    }

    private Optional<Path> absolute(String variable) {
        String value = host.environment().get(variable);
        return value == null || !value.startsWith("/") ? Optional.empty() : Optional.of(under(value));
    }

    private Path under(String path) {
        return path.startsWith("/")
                ? host.root().resolve(path.substring(1)).normalize()
                : Path.of(path).toAbsolutePath().normalize();
    }

    /** What a folder holds: without a version first, then the highest version; nothing if it cannot be read. */
    private static List<Path> list(Path folder, String glob) {
        List<Path> entries = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, glob)) {
            stream.forEach(entries::add);
        } catch (IOException | DirectoryIteratorException e) {
            return List.of();
        }
        entries.sort(CublasSearch::newestFirst);
        return entries;
    }

    private static int newestFirst(Path left, Path right) {
        List<Integer> a = numbers(left);
        List<Integer> b = numbers(right);
        if (a.isEmpty() != b.isEmpty()) {
            return a.isEmpty() ? -1 : 1;
        }
        for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
            int order = Integer.compare(b.get(i), a.get(i));
            if (order != 0) {
                return order;
            }
        }
        int order = Integer.compare(b.size(), a.size());
        return order != 0 ? order : left.compareTo(right);
    }

    private static List<Integer> numbers(Path path) {
        return NUMBER.matcher(String.valueOf(path.getFileName()))
                .results()
                .map(each ->
                        each.group().length() > 9 ? Integer.valueOf(Integer.MAX_VALUE) : Integer.valueOf(each.group()))
                .toList();
    }
}
