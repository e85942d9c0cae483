package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.BackendProvider.Problem;
import io.github.elbo4j.backend.engine.UnpackedLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import jcuda.JCudaVersion;
import jcuda.LibUtils;
import org.jspecify.annotations.Nullable;

/**
 * Loads JCuda's native libraries, each once per process; the first cause of a failure is kept.
 *
 * <p>JCuda's own loader unpacks to a predictable name below {@code java.io.tmpdir}, takes whatever lies there already, and
 * on the module path does not find its natives jar. Here the library is unpacked to a private folder first, and
 * {@code java.io.tmpdir} names that folder only while JCuda's class initialises.
 */
final class JCudaNatives {
    /** The classes of JCuda that have a native library each. */
    enum Part {
        /** The driver's interface; asks for {@code libcuda.so.1}. */
        DRIVER("jcuda.driver.JCudaDriver", "JCudaDriver", "jcuda-natives"),
        /** cuBLAS; asks for {@code libcublas.so.12}, which must have been loaded. */
        CUBLAS("jcuda.jcublas.JCublas2", "JCublas2", "jcublas-natives");

        private final String className;
        private final String library;
        private final String artefact;

        Part(String className, String library, String artefact) {
            this.className = className;
            this.library = library;
            this.artefact = artefact;
        }

        /** {@return the name of the library's file} */
        String fileName() {
            return LibUtils.createLibraryFileName(
                    LibUtils.createPlatformLibraryName(library + "-" + JCudaVersion.get()));
        }

        /** {@return the artefact that holds the library, in words} */
        String natives() {
            return "org.jcuda:" + artefact + " with classifier linux-x86_64";
        }
    }

    private static final String TMPDIR = "java.io.tmpdir";

    /**
     * Held while {@code java.io.tmpdir} is changed. Interned, so every copy of this class in the process has the same one
     * and none restores what another has set.
     */
    private static final Object TMPDIR_LOCK = "io.github.elbo4j.backend.cuda/java.io.tmpdir".intern();

    private static final Map<Part, Optional<Problem>> OUTCOMES = new EnumMap<>(Part.class);

    private JCudaNatives() {}

    /** {@return why a part cannot be used in this process; empty when its library is loaded} */
    static Optional<Problem> load(Part part) {
        synchronized (OUTCOMES) {
            Optional<Problem> outcome = OUTCOMES.get(part);
            if (outcome == null) {
                outcome = tryToLoad(part);
                OUTCOMES.put(part, outcome);
            }
            return outcome;
        }
    }

    private static Optional<Problem> tryToLoad(Part part) {
        Optional<Problem> platform = Obstacles.platform();
        if (platform.isPresent()) {
            return platform;
        }
        synchronized (TMPDIR_LOCK) {
            Path temporary = UnpackedLibrary.temporary();
            try (InputStream content = resource("lib/" + part.fileName())) {
                if (content == null) {
                    return Optional.of(Obstacles.noNatives(part.natives()));
                }
                try (UnpackedLibrary library = UnpackedLibrary.unpack(temporary, part.fileName(), content)) {
                    Throwable failure = initialise(part, library.folder());
                    return failure == null
                            ? Optional.empty()
                            : Optional.of(Obstacles.loading(failure, part.natives(), temporary));
                }
            } catch (IOException e) {
                return Optional.of(Obstacles.unwritable(temporary, e));
            } catch (LinkageError e) {
                // JCuda's jars themselves are missing.
                return Optional.of(Obstacles.loading(e, part.natives(), temporary));
            }
        }
    }

    /** A resource of another module, which {@link Class#getResourceAsStream} would not find. */
    private static @Nullable InputStream resource(String name) throws IOException {
        ClassLoader[] loaders = {
            JCudaVersion.class.getClassLoader(),
            JCudaNatives.class.getClassLoader(),
            Thread.currentThread().getContextClassLoader()
        };
        for (ClassLoader loader : loaders) {
            InputStream found = loader == null ? null : loader.getResourceAsStream(name);
            if (found != null) {
                return found;
            }
        }
        ModuleLayer layer = JCudaVersion.class.getModule().getLayer();
        if (layer != null) {
            for (Module module : layer.modules()) {
                InputStream found = module.getResourceAsStream(name);
                if (found != null) {
                    return found;
                }
            }
        }
        return null;
    }

    private static @Nullable Throwable initialise(Part part, Path folder) {
        String before = System.getProperty(TMPDIR);
        System.setProperty(TMPDIR, folder.toString());
        try {
            Class.forName(part.className, true, JCudaNatives.class.getClassLoader());
            return null;
        } catch (ClassNotFoundException | LinkageError e) {
            return e;
        } finally {
            if (before == null) {
                System.clearProperty(TMPDIR);
            } else {
                System.setProperty(TMPDIR, before);
            }
        }
    }
}
