package io.github.elbo4j.backend.nativecpu;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;

/** Commands that tests run; a test without them is skipped with a line, or fails if the native part is required. */
final class Tools {
    /** What a process left. */
    record Result(int status, String output) {}

    private static final int LIMIT_SECONDS = 120;

    private Tools() {}

    /** Skips the calling test unless all of the commands are there. */
    static void need(String... commands) {
        for (String command : commands) {
            boolean found = Arrays.stream(
                            System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1))
                    .anyMatch(folder -> Files.isExecutable(Path.of(folder, command)));
            if (!found) {
                NativeFixture.lacking("there is no " + command);
            }
        }
    }

    /** Builds a library of this platform's name from C. */
    static Path library(Path folder, String source) throws IOException, InterruptedException {
        if (NativePlatform.current().os().equals("windows")) {
            NativeFixture.skip("stand-ins for the library are built on Unix only");
        }
        need("cc");
        Path code = Files.writeString(folder.resolve("library.c"), source);
        Path file = folder.resolve(NativePlatform.current().fileName());
        Result result =
                run(new ProcessBuilder(List.of("cc", "-shared", "-fPIC", "-o", file.toString(), code.toString())));
        Assertions.assertEquals(0, result.status(), result.output());
        return file;
    }

    /** Runs a process to its end; both streams in one text. */
    static Result run(ProcessBuilder builder) throws IOException, InterruptedException {
        return run(builder, LIMIT_SECONDS);
    }

    /** The same for one that may take longer. */
    static Result run(ProcessBuilder builder, int limitSeconds) throws IOException, InterruptedException {
        Path output = Files.createTempFile("elbo4j-test", ".txt");
        try {
            Process process = builder.redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            process.getOutputStream().close();
            if (!process.waitFor(limitSeconds, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                Assertions.fail("still running after " + limitSeconds + " s: " + builder.command());
            }
            return new Result(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
        } finally {
            Files.delete(output);
        }
    }
}
