package io.github.elbo4j.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BackendProvidersTest {
    @TempDir
    Path root;

    @Test
    void theReferenceIsFoundOnceAndLast() {
        List<BackendProvider> found = BackendProviders.find();
        assertThat(found)
                .extracting(BackendProvider::name)
                .doesNotHaveDuplicates()
                .endsWith("java");
    }

    /** As in a jar that was put together without merging META-INF/services. */
    @Test
    void theReferenceIsFoundWithoutServiceFiles() throws Exception {
        Path classes = Path.of(Backends.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        copyClasses(classes, root);
        URL[] path = {root.toUri().toURL()};
        try (URLClassLoader loader = new URLClassLoader(path, null)) {
            // No parent: the platform loader would hand out the classes of the module path.
            Class<?> backends = loader.loadClass(Backends.class.getName());
            assertThat(backends.getClassLoader()).isSameAs(loader);
            assertThat(loader.getResource("META-INF/services/" + BackendProvider.class.getName()))
                    .isNull();
            assertThat(String.valueOf(backends.getMethod("report").invoke(null)))
                    .contains("name=java");
        }
    }

    /** As in a container whose shared loader holds the library, and the application's loader the backends. */
    @Test
    void providersOfTheContextClassLoaderAreFound() throws Exception {
        Path service =
                Files.createDirectories(root.resolve("META-INF/services")).resolve(BackendProvider.class.getName());
        Files.writeString(service, "no.such.Provider\n");
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (URLClassLoader loader = new URLClassLoader(new URL[] {root.toUri().toURL()}, before)) {
            thread.setContextClassLoader(loader);
            // The broken entry is looked at, said, and passed over.
            assertThat(BackendProviders.find())
                    .extracting(BackendProvider::name)
                    .contains("java");
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private static void copyClasses(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".class")).toList()) {
                Path copy = to.resolve(from.relativize(file).toString());
                Files.createDirectories(copy.getParent() == null ? to : copy.getParent());
                Files.copy(file, copy);
            }
        }
    }
}
