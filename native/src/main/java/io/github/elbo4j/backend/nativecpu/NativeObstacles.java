package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.BackendProvider.Problem;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What can stand between this process and the library, as reasons and remedies. */
final class NativeObstacles {
    private static final String BUILD = "build it with cmake and g++ or clang++ on the machine, or set -D"
            + NativeLoader.FOLDER_PROPERTY + "=FOLDER of a library built elsewhere";
    private static final String SAME_VERSION = "use a library that was built with this jar";
    private static final String ANEW = "install elbo4j-native anew, or build it anew";

    private static final Pattern VERSION = Pattern.compile("(version [`'][^`']+' not found)");
    private static final Pattern MISSING = Pattern.compile("(\\S+?): cannot open shared object file");
    private static final Pattern DAMAGED = Pattern.compile(
            "file too short|invalid ELF header|wrong ELF class|cannot read file data|not a mach-o file");
    private static final Pattern NO_MAPPING = Pattern.compile("failed to map segment|Operation not permitted");

    private NativeObstacles() {}

    static Problem nativeAccess() {
        return new Problem(
                "this JVM denies native access",
                "start it with --enable-native-access=io.github.elbo4j.nativecpu"
                        + " (class path: --enable-native-access=ALL-UNNAMED)");
    }

    static Problem noKernels(NativePlatform platform) {
        return new Problem("this jar holds no native kernels for " + platform, BUILD);
    }

    static Problem noHash(String resource) {
        return new Problem(resource + " has no hash beside it in its jar", ANEW);
    }

    static Problem wrongHash(String resource, String found, String expected) {
        return new Problem(resource + " is damaged: its SHA-256 is " + found + ", and should be " + expected, ANEW);
    }

    static Problem unreadableResource(String resource, IOException failure) {
        return new Problem(resource + " cannot be read from its jar: " + failure, ANEW);
    }

    static Problem absent(Path file) {
        return new Problem(
                "-D" + NativeLoader.FOLDER_PROPERTY + " names a folder in which " + file + " cannot be read",
                "name the folder that holds it, or leave the property out to use the library of the jar");
    }

    static Problem unwritable(Path temporary, IOException failure) {
        return new Problem(
                "the native library cannot be written below " + temporary + ": " + failure,
                "make it writable, or name another folder: -Djava.io.tmpdir=FOLDER");
    }

    static Problem truncated(Path file) {
        return new Problem(file + " is not a whole library", "build or copy it anew");
    }

    static Problem otherVersion(String origin, int found) {
        return new Problem(
                "the native library of " + origin + " has ABI version " + found + ", this jar needs "
                        + NativeLibrary.ABI_VERSION,
                SAME_VERSION);
    }

    static Problem noFunction(String origin, String message) {
        return new Problem("the native library of " + origin + " does not fit this jar: " + message, SAME_VERSION);
    }

    /**
     * {@return why a file could not be loaded}
     *
     * @param file the library
     * @param message what the system's loader said; may be empty
     */
    static Problem loading(Path file, String message) {
        Matcher version = VERSION.matcher(message);
        if (version.find()) {
            return new Problem(
                    "the system's C library is too old for " + file + ": " + version.group(1),
                    "use a newer distribution, or build the library on this machine");
        }
        if (DAMAGED.matcher(message).find()) {
            return truncated(file);
        }
        if (NO_MAPPING.matcher(message).find()) {
            return new Problem(
                    "libraries cannot be run from " + file.getParent() + ": it is probably mounted noexec",
                    "name another folder: -Djava.io.tmpdir=FOLDER");
        }
        Matcher missing = MISSING.matcher(message);
        if (missing.find()) {
            return new Problem(
                    file + " needs " + missing.group(1) + ", which was not found",
                    "install the package that holds it, or build the library on this machine");
        }
        return new Problem(
                file + " could not be loaded: " + (message.isEmpty() ? "the system does not say why" : message),
                "use a library that was built for this system");
    }
}
