package io.github.elbo4j.backend.cuda;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A cuBLAS that was found.
 *
 * @param file the library
 * @param major its major version, from the name: 12 or higher
 * @param way how it was found, in words
 * @param lt libcublasLt of the same version beside it; when empty, the system has to find it
 */
record CublasLibrary(Path file, int major, String way, Optional<Path> lt) {
    /** The version that JCublas2 asks for. */
    static final int ASKED_FOR = 12;

    /** {@return whether JCublas2 needs the forwarding library to use it} */
    boolean needsForwarding() {
        return major != ASKED_FOR;
    }

    /** {@return version, file and how it was found in words} */
    String words() {
        return major + " (" + file + ", by " + way + (needsForwarding() ? ", through the forwarding library" : "")
                + ")";
    }

    @Override
    public String toString() {
        return "cuBLAS " + words();
    }
}
