package io.github.elbo4j;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Backend;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The first Java example of the README, compiled and run as a user would. */
class ReadmeTest {
    private static final Pattern BLOCK = Pattern.compile("^```java\\R(.*?)^```", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern TYPE =
            Pattern.compile("^(?:public |final )*(?:class|record|enum) (\\w+)", Pattern.MULTILINE);

    @TempDir
    Path root;

    @Test
    void theExampleCompilesAndRuns() throws Exception {
        Path readme = Path.of("").toAbsolutePath().resolveSibling("README.md");
        assertThat(readme).isRegularFile();
        run(example(Files.readString(readme)));
    }

    @Test
    void anExampleThatDoesNotCompileOrThrowsFailsTheTest() {
        org.assertj.core.api.Assertions.assertThatThrownBy(
                        () -> run("class Wrong { void main() { io.github.elbo4j.backend.Nothing.here(); } }"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("Nothing");
        org.assertj.core.api.Assertions.assertThatThrownBy(
                        () -> run("class Throws { static void main(String[] args) { throw new Error(\"thrown\"); } }"))
                .hasRootCauseMessage("thrown");
    }

    private static String example(String readme) {
        Matcher block = BLOCK.matcher(readme);
        assertThat(block.find()).as("a ```java block").isTrue();
        return block.group(1);
    }

    private void run(String source) throws Exception {
        Matcher type = TYPE.matcher(source);
        // A source without a class is a compact one, named by its file.
        String name = type.find() ? type.group(1) : "Quickstart";
        Path file = Files.writeString(root.resolve(name + ".java"), source);
        Path classes = Files.createDirectories(root.resolve("classes"));
        compile(file, classes);
        URL[] path = {classes.toUri().toURL()};
        try (URLClassLoader loader = new URLClassLoader(path, Backend.class.getClassLoader())) {
            main(loader.loadClass(name));
        }
    }

    private static void compile(Path file, Path classes) throws URISyntaxException {
        // By name, for the module under test does not read java.compiler; the class path serves in both modes.
        List<String> places = new ArrayList<>();
        for (Class<?> type : List.of(Backend.class, NullMarked.class)) {
            places.add(Path.of(type.getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toString());
        }
        StringWriter output = new StringWriter();
        PrintWriter writer = new PrintWriter(output);
        int status = ToolProvider.findFirst("javac")
                .orElseThrow()
                .run(
                        writer,
                        writer,
                        "-d",
                        classes.toString(),
                        "-classpath",
                        String.join(File.pathSeparator, places),
                        "-Xlint:all",
                        "-Werror",
                        file.toString());
        assertThat(status).as("%s", output).isZero();
    }

    /** Runs {@code main} in any of the forms that a launcher takes: static or not, with arguments or without. */
    private static void main(Class<?> type) throws ReflectiveOperationException, IOException {
        for (Class<?>[] parameters : new Class<?>[][] {{String[].class}, {}}) {
            Method main;
            try {
                main = type.getDeclaredMethod("main", parameters);
            } catch (NoSuchMethodException e) {
                continue;
            }
            main.setAccessible(true);
            Object instance = null;
            if (!Modifier.isStatic(main.getModifiers())) {
                Constructor<?> constructor = type.getDeclaredConstructor();
                constructor.setAccessible(true);
                instance = constructor.newInstance();
            }
            Object[] arguments = parameters.length == 0 ? new Object[0] : new Object[] {new String[0]};
            main.invoke(instance, arguments);
            return;
        }
        throw new IOException("no main method in " + type);
    }
}
