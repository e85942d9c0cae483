package io.github.elbo4j;

import static org.assertj.core.api.Assertions.assertThat;

import de.siegmar.fastcsv.reader.CsvReader;
import io.github.elbo4j.backend.Backend;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.jspecify.annotations.NullMarked;
import tools.jackson.core.JsonParser;

/**
 * A Java program of a document, compiled and run as a user would: with all warnings of javac, in a JVM of its own without
 * any flag.
 *
 * @param name of the class with {@code main}
 * @param source the text
 */
record ExampleProgram(String name, String source) {
    private static final Pattern BLOCK = Pattern.compile("^```java\\R(.*?)^```", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern MAIN = Pattern.compile("\\bvoid main\\(");
    private static final Pattern TYPE =
            Pattern.compile("^(?:public |final )*(?:class|record|enum) (\\w+)", Pattern.MULTILINE);
    private static final int SECONDS = 240;

    /** {@return a program; a source without a class is a compact one, named by its file} */
    static ExampleProgram of(String source) {
        Matcher type = TYPE.matcher(source);
        return new ExampleProgram(type.find() ? type.group(1) : "Quickstart", source);
    }

    /** {@return the Java blocks of a document at the root of the repository that are whole programs} */
    static List<ExampleProgram> allOf(String document) throws IOException {
        Path file = Path.of("").toAbsolutePath().resolveSibling(document);
        assertThat(file).isRegularFile();
        return BLOCK.matcher(Files.readString(file))
                .results()
                .map((MatchResult block) -> block.group(1))
                .filter(source -> MAIN.matcher(source).find())
                .map(ExampleProgram::of)
                .toList();
    }

    /**
     * What a program wrote.
     *
     * @param out lines of standard output
     * @param err standard error
     */
    record Output(List<String> out, String err) {}

    /**
     * {@return what the program wrote; anything but success fails the test}
     *
     * @param folder working directory
     */
    Output run(Path folder) throws IOException, InterruptedException {
        Path classes = Files.createTempDirectory(folder, "classes");
        compile(Files.writeString(classes.resolve(name + ".java"), source), classes);
        Path out = classes.resolve("out");
        Path err = classes.resolve("err");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m",
                        "-cp",
                        classes + File.pathSeparator + classPath(),
                        name)
                .directory(folder.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        boolean ended = process.waitFor(SECONDS, TimeUnit.SECONDS);
        process.destroyForcibly();
        Output output = new Output(Files.readAllLines(out), Files.readString(err));
        assertThat(ended).as("%s ends within %d s: %s", name, SECONDS, output).isTrue();
        assertThat(process.exitValue()).as("%s: %s", name, output).isZero();
        return output;
    }

    private static void compile(Path file, Path classes) {
        // By name, for the module under test does not read java.compiler; the class path serves in both modes.
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
                        classPath(),
                        "-Xlint:all",
                        "-Werror",
                        file.toString());
        assertThat(status).as("%s", output).isZero();
    }

    /** {@return the library and what it depends on} */
    private static String classPath() {
        List<String> places = new ArrayList<>();
        for (Class<?> type : List.of(Backend.class, NullMarked.class, JsonParser.class, CsvReader.class)) {
            try {
                places.add(Path.of(type.getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toURI())
                        .toString());
            } catch (URISyntaxException e) {
                throw new IllegalStateException(e);
            }
        }
        return String.join(File.pathSeparator, places);
    }
}
