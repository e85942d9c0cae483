package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.BackendProvider.Problem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What can stand between this process and a native library, as reasons and remedies. */
final class Obstacles {
    /** The flags that allow native access, on the module path and on the class path. */
    static final String NATIVE_ACCESS = "--enable-native-access=io.github.elbo4j.cuda,jcuda,jcublas"
            + " (class path: --enable-native-access=ALL-UNNAMED)";

    private static final Pattern MISSING = Pattern.compile("(\\S+?): cannot open shared object file");
    private static final Pattern VERSION = Pattern.compile("(version [`'][^`']+' not found)");
    private static final Pattern DAMAGED =
            Pattern.compile("(\\S+?): (?:file too short|invalid ELF header|wrong ELF class\\S*)");
    private static final Pattern NO_MAPPING = Pattern.compile("failed to map segment|Operation not permitted");
    private static final Pattern LAST_ERROR = Pattern.compile("(?:LinkError|Exception): ([^\\r\\n]+)");

    private Obstacles() {}

    /**
     * {@return that JCuda has no native libraries for a platform; empty when it has}
     *
     * @param os value of {@code os.name}
     * @param architecture value of {@code os.arch}
     */
    static Optional<Problem> platform(String os, String architecture) {
        boolean linux = os.toLowerCase(Locale.ROOT).startsWith("linux");
        boolean x86 = architecture.equals("amd64") || architecture.equals("x86_64");
        return linux && x86
                ? Optional.empty()
                : Optional.of(new Problem(
                        "JCuda has no native libraries for " + os + " on " + architecture,
                        "use Linux on x86-64, or another backend"));
    }

    /** {@return the same for this process} */
    static Optional<Problem> platform() {
        return platform(System.getProperty("os.name", "?"), System.getProperty("os.arch", "?"));
    }

    /** {@return that the JVM was not allowed to call native code} */
    static Problem nativeAccess() {
        return new Problem("this JVM denies native access", "start it with " + NATIVE_ACCESS);
    }

    /** {@return that the jar with JCuda's native library is missing} */
    static Problem noNatives(String natives) {
        return new Problem("JCuda's native libraries are not on the class path or module path", "add " + natives);
    }

    /** {@return that a native library could not be written} */
    static Problem unwritable(Path temporary, IOException failure) {
        return new Problem(
                "native libraries cannot be written below " + temporary + ": " + failure,
                "make it writable, or name another folder: -Djava.io.tmpdir=FOLDER");
    }

    /**
     * {@return why JCuda could not load a native library}
     *
     * @param failure what its class initialiser threw
     * @param natives the artefact that holds the library, in words
     * @param temporary the folder below which the library was unpacked
     */
    static Problem loading(Throwable failure, String natives, Path temporary) {
        String text = messages(failure);
        if (text.contains("IllegalCallerException")) {
            return nativeAccess();
        }
        if (text.contains("already loaded in another classloader")) {
            return new Problem(
                    "another class loader of this process has loaded JCuda's native library",
                    "let one class loader hold JCuda for all that use it");
        }
        Matcher missing = MISSING.matcher(text);
        if (missing.find()) {
            return missing(missing.group(1));
        }
        Matcher version = VERSION.matcher(text);
        if (version.find()) {
            return new Problem(
                    "a system library is too old for JCuda's native library: " + version.group(1),
                    "use a newer Linux distribution");
        }
        Matcher damaged = DAMAGED.matcher(text);
        if (damaged.find()) {
            return new Problem(
                    damaged.group(1) + " is not a whole x86-64 library", "install the package anew that it belongs to");
        }
        if (NO_MAPPING.matcher(text).find()) {
            return new Problem(
                    "native libraries cannot be run from below " + temporary + ": it is probably mounted noexec",
                    "name another folder: -Djava.io.tmpdir=FOLDER");
        }
        if (text.contains("No resource found with name")) {
            return noNatives(natives);
        }
        if (failure instanceof ClassNotFoundException || text.contains("NoClassDefFoundError: jcuda/")) {
            return new Problem(
                    "JCuda is not on the class path or module path", "add what elbo4j-cuda depends on, and " + natives);
        }
        return new Problem(
                "JCuda's native library could not be loaded: " + lastError(text),
                "see whether another version of JCuda is on the class path or in java.library.path");
    }

    private static Problem missing(String library) {
        if (library.equals("libcuda.so.1")) {
            return new Problem(
                    "there is no NVIDIA driver: libcuda.so.1 was not found",
                    "install the NVIDIA driver, 580 or newer; start a container with its GPUs (--gpus all)");
        }
        if (library.startsWith("libcublas")) {
            return new Problem(library + " was not found", CublasSearch.REMEDY);
        }
        return new Problem(
                "the system library " + library + " was not found", "install the package that holds " + library);
    }

    private static String messages(Throwable failure) {
        StringBuilder text = new StringBuilder();
        Throwable each = failure;
        for (int depth = 0; each != null && depth < 20; depth++) {
            text.append(each).append('\n');
            each = each.getCause();
        }
        return text.toString();
    }

    private static String lastError(String text) {
        String last = text.lines().findFirst().orElse("no message");
        for (Matcher matcher = LAST_ERROR.matcher(text); matcher.find(); ) {
            last = matcher.group(1).strip();
        }
        return last;
    }
}
