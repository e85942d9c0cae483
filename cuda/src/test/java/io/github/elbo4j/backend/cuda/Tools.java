package io.github.elbo4j.backend.cuda;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** The C tools that tests build stand-ins with; a test without them is skipped with a line, or fails if required. */
final class Tools {
    /** What a process left. */
    record Result(int status, String output) {}

    private static final int LIMIT_SECONDS = 120;

    private Tools() {}

    /** Skips the calling test unless this is Linux on x86-64, for which JCuda has natives. */
    static void needPlatform() {
        Obstacles.platform().ifPresent(problem -> lacking(problem.reason()));
    }

    /** Skips the calling test unless all of the commands are there. */
    static void need(String... commands) {
        needPlatform();
        for (String command : commands) {
            boolean found = Arrays.stream(
                            System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1))
                    .anyMatch(folder -> Files.isExecutable(Path.of(folder, command)));
            if (!found) {
                lacking("there is no " + command);
            }
        }
    }

    /** Skips the calling test, or fails it if the CUDA part is required. */
    static void lacking(String reason) {
        boolean required = Arrays.stream(
                        System.getProperty("elbo4j.test.require", "").split(",", -1))
                .map(String::strip)
                .anyMatch("cuda"::equals);
        if (required) {
            Assertions.fail(reason + " (elbo4j.test.require lists cuda)");
        }
        skip(reason);
    }

    /** Skips the calling test with a line. */
    static void skip(String reason) {
        System.out.println("skipped: " + reason);
        Assumptions.abort(reason);
    }

    /** Builds a shared library from a file of {@code src/test/native}. */
    static Path library(Path folder, String soname, String source, String... more) throws Exception {
        Files.createDirectories(folder);
        Path file = folder.resolve(soname);
        List<String> command =
                new ArrayList<>(List.of("gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"));
        command.addAll(List.of("-o", file.toString(), "-Wl,-soname," + soname, "src/test/native/" + source));
        command.addAll(List.of(more));
        Result result = run(command);
        Assertions.assertEquals(0, result.status(), result.output());
        return file;
    }

    /** Runs a command to its end; both streams in one text. */
    static Result run(List<String> command) throws IOException, InterruptedException {
        return run(new ProcessBuilder(command));
    }

    /** The same for a prepared process. */
    static Result run(ProcessBuilder builder) throws IOException, InterruptedException {
        Path output = Files.createTempFile("elbo4j-test", ".txt");
        try {
            Process process = builder.redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            process.getOutputStream().close();
            if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                Assertions.fail("still running after " + LIMIT_SECONDS + " s: " + builder.command());
            }
            return new Result(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
        } finally {
            Files.delete(output);
        }
    }
}
