package io.github.elbo4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;

/** A machine with the emulated CUDA device that the build of {@code cuda/} makes; each look at it is a JVM of its own. */
final class EmulatedGpu {
    private static final Path LIB =
            Path.of("..", "cuda", "target", "emulator", "lib").toAbsolutePath().normalize();
    private static final String CUBLAS = "elbo4j.cublas.path";
    private static final int LIMIT_SECONDS = 120;

    private final Path folder;
    private final Map<String, String> environment = new LinkedHashMap<>();
    private final Map<String, String> properties = new LinkedHashMap<>();

    /**
     * A machine with all that the backend needs.
     *
     * @param folder the current folder of its commands
     */
    EmulatedGpu(Path folder) {
        this.folder = folder;
        environment.put("LD_LIBRARY_PATH", LIB.toString());
        environment.put("EMU_VERBOSE", "0");
        properties.put(CUBLAS, LIB.resolve("libcublas.so.12").toString());
        properties.put("elbo4j.cuda.kernels", LIB.resolve("elbo4j_kernels.so").toString());
    }

    /** Skips the calling test where there is no emulated device, or fails it if the CUDA part is required. */
    static void assumeBuilt() {
        if (Files.isRegularFile(LIB.resolve("elbo4j_kernels.so"))) {
            return;
        }
        Required.missing(
                "cuda", "there is no emulated device in " + LIB + ": the build of cuda/ needs cmake, make and g++");
    }

    /** {@return a file of the emulated device} */
    static Path file(String name) {
        return LIB.resolve(name);
    }

    EmulatedGpu environment(String name, Object value) {
        environment.put(name, value.toString());
        return this;
    }

    EmulatedGpu withoutDriver() {
        environment.remove("LD_LIBRARY_PATH");
        return this;
    }

    EmulatedGpu cublas(Path place) {
        properties.put(CUBLAS, place.toString());
        return this;
    }

    /** A machine on whose library path there is a driver and nothing else; cuBLAS is looked for everywhere. */
    EmulatedGpu driverOnly() throws IOException {
        Path only = Files.createDirectories(folder.resolve("driver"));
        Files.copy(LIB.resolve("libcuda.so.1"), only.resolve("libcuda.so.1"));
        properties.remove(CUBLAS);
        return environment("LD_LIBRARY_PATH", only).environment("HOME", folder).environment("PATH", folder);
    }

    /** {@return what commands did, one after another in one process that printed nothing beside them} */
    List<Cli.Result> run(Object[]... commands) throws IOException, InterruptedException {
        List<Object> args = new ArrayList<>();
        for (Object[] command : commands) {
            if (!args.isEmpty()) {
                args.add(Session.THEN);
            }
            args.addAll(List.of(command));
        }
        Path output = Files.createTempFile("elbo4j-test", ".txt");
        try {
            Process process = process(Session.class, args.toArray())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                Assertions.fail("still running after " + LIMIT_SECONDS + " s: " + args);
            }
            List<String> lines = Files.readAllLines(output, StandardCharsets.UTF_8);
            assertThat(process.exitValue()).as("%s", lines).isZero();
            List<Cli.Result> results = results(lines);
            assertThat(results).as("%s", lines).hasSize(commands.length);
            return results;
        } finally {
            Files.delete(output);
        }
    }

    Cli.Result run(Object... command) throws IOException, InterruptedException {
        return run(new Object[][] {command}).getFirst();
    }

    /** {@return one command as a process that a test may kill} */
    Process start(Object... args) throws IOException {
        return process(Main.class, args)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    private ProcessBuilder process(Class<?> main, Object... args) {
        // Short lives: no time goes into code that is optimized too late.
        List<String> flags = new ArrayList<>(List.of("--enable-native-access=ALL-UNNAMED", "-XX:TieredStopAtLevel=1"));
        properties.forEach((name, value) -> flags.add("-D" + name + "=" + value));
        ProcessBuilder builder = new ProcessBuilder(Cli.command(main, flags, args)).directory(folder.toFile());
        builder.environment()
                .keySet()
                .removeAll(Set.of("LD_LIBRARY_PATH", "LD_PRELOAD", "JAVA_TOOL_OPTIONS", "CUDA_VISIBLE_DEVICES"));
        builder.environment().putAll(environment);
        return builder;
    }

    private static List<Cli.Result> results(List<String> lines) {
        List<Cli.Result> results = new ArrayList<>();
        List<String> out = new ArrayList<>();
        List<String> err = new ArrayList<>();
        for (String line : lines) {
            int space = line.indexOf(' ');
            String text = line.substring(space + 1);
            switch (line.substring(0, Math.max(space, 0))) {
                case "out" -> out.add(text);
                case "err" -> err.add(text);
                case "status" -> {
                    results.add(new Cli.Result(Integer.parseInt(text), List.copyOf(out), List.copyOf(err)));
                    out.clear();
                    err.clear();
                }
                default -> Assertions.fail("printed beside the commands: " + line);
            }
        }
        return results;
    }
}
