package io.github.elbo4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Runs the command line, in this process or in one of its own. */
final class Cli {
    /** A small model that trains in a blink. */
    private static final Object[] TINY = {"train", "--hidden", 8, "--latent", 2, "--batch", 10, "--data", "digits:40"};

    private Cli() {}

    /** What a command did. */
    record Result(int status, List<String> out, List<String> err) {
        /** {@return the objects on standard output, which must hold nothing else} */
        List<JsonObject> events() {
            return out.stream().map(Cli::json).toList();
        }

        JsonObject lastEvent() {
            return json(out.getLast());
        }

        Result ok() {
            assertThat(status).as("%s", this).isZero();
            return this;
        }
    }

    static Result run(Object... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Main.run(
                texts(args),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Result(status, lines(out), lines(err));
    }

    /** {@return the same command in a JVM of its own, on the class path} */
    static Process start(Path folder, Object... args) throws IOException {
        return new ProcessBuilder(command(args))
                .directory(folder.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    static List<String> command(Object... args) {
        return command(Main.class, List.of(), args);
    }

    /** {@return a command that starts a class with flags for its JVM} */
    static List<String> command(Class<?> main, List<String> flags, Object... args) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-Xmx512m"));
        command.addAll(flags);
        command.addAll(List.of("-cp", classPath(), main.getName()));
        command.addAll(List.of(texts(args)));
        return command;
    }

    /** {@return what best() takes where there is no GPU: native, or java where its library was not built} */
    static String cpuBackend() {
        return Backends.report().stream()
                .filter(report -> !report.name().equals("cuda") && report.available())
                .findFirst()
                .orElseThrow()
                .name();
    }

    /** {@return its numeric profile} */
    static String cpuProfile() {
        try (Backend backend = Backends.open(cpuBackend())) {
            return backend.info().numericProfile();
        }
    }

    /** {@return a command that trains it} */
    static Object[] tiny(Object... more) {
        return with(TINY, more);
    }

    static Object[] with(Object[] some, Object... more) {
        return Stream.concat(Stream.of(some), Stream.of(more)).toArray();
    }

    /** {@return every file below a folder with its content; folders too, as empty texts} */
    static Map<String, String> tree(Path root) throws IOException {
        Map<String, String> tree = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(root)) {
            for (Path path : paths.toList()) {
                boolean file = Files.isRegularFile(path);
                tree.put(
                        root.relativize(path).toString(),
                        file ? HexFormat.of().formatHex(Files.readAllBytes(path)) : "");
            }
        }
        return tree;
    }

    private static String classPath() {
        // Surefire puts the libraries on either path.
        return System.getProperty("java.class.path", "")
                + File.pathSeparator
                + System.getProperty("jdk.module.path", "");
    }

    private static JsonObject json(String line) {
        try {
            return JsonObject.parse("standard output", line);
        } catch (FormatException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String[] texts(Object[] args) {
        return Stream.of(args).map(Object::toString).toArray(String[]::new);
    }

    private static List<String> lines(ByteArrayOutputStream bytes) {
        return bytes.toString(StandardCharsets.UTF_8).lines().toList();
    }
}
