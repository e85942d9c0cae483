package io.github.elbo4j.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
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
        Path classes = placeOf(Backends.class);
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
        compileProvider();
        Path service =
                Files.createDirectories(root.resolve("META-INF/services")).resolve(BackendProvider.class.getName());
        // The broken entry is looked at, said, and passed over.
        Files.writeString(service, "no.such.Provider\nelsewhere.ElsewhereProvider\n");
        assertThat(BackendProviders.find())
                .extracting(BackendProvider::name)
                .contains("java")
                .doesNotContain("elsewhere");
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (URLClassLoader loader = new URLClassLoader(new URL[] {root.toUri().toURL()}, before)) {
            thread.setContextClassLoader(loader);
            assertThat(BackendProviders.find())
                    .extracting(BackendProvider::name)
                    .containsSubsequence("elsewhere", "java");
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    /** Compiles a provider of a higher rank into the folder, where only a loader of that folder finds it. */
    private void compileProvider() throws Exception {
        Path source = Files.writeString(
                Files.createDirectories(root.resolve("source")).resolve("ElsewhereProvider.java"), """
                package elsewhere;

                import io.github.elbo4j.backend.Backend;
                import io.github.elbo4j.backend.BackendProvider;
                import java.util.List;
                import java.util.Map;

                public final class ElsewhereProvider implements BackendProvider {
                    public String name() { return "elsewhere"; }
                    public int rank() { return 1; }
                    public int seamVersion() { return SEAM_VERSION; }
                    public List<Problem> problems() { return List.of(new Problem("a test", "none")); }
                    public Map<String, String> options() { return Map.of(); }
                    public Backend open(Map<String, String> options) { throw new IllegalStateException(); }
                }
                """);
        StringWriter output = new StringWriter();
        PrintWriter writer = new PrintWriter(output);
        int status = ToolProvider.findFirst("javac")
                .orElseThrow()
                .run(
                        writer,
                        writer,
                        "-d",
                        root.toString(),
                        "-classpath",
                        placeOf(Backends.class) + File.pathSeparator + placeOf(NullMarked.class),
                        source.toString());
        assertThat(status).as("%s", output).isZero();
    }

    private static Path placeOf(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
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
