package io.github.elbo4j.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Runs another program of the kit; each line of its output that is a JSON object is a result. */
public final class Child {
    private static final int TAIL_LINES = 12;

    private Child() {}

    /** Takes one result as soon as it is printed. */
    @FunctionalInterface
    public interface Sink {
        void accept(Map<String, @Nullable Object> line) throws IOException;
    }

    /**
     * How a program ended.
     *
     * @param status its exit status
     * @param tail the end of what else it printed
     */
    public record Outcome(int status, String tail) {}

    /**
     * Runs a program to its end, without what the environment presets for OpenBLAS: it halves a peer.
     *
     * @param environment added to that of this process
     * @throws IOException if it cannot be started
     */
    public static Outcome run(List<String> command, Map<String, String> environment, Sink sink) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("OPENBLAS_"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        // A kit that is stopped at its time limit must not leave the device busy.
        Thread stop = new Thread(process::destroyForcibly);
        Runtime.getRuntime().addShutdownHook(stop);
        Deque<String> tail = new ArrayDeque<>();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            process.getOutputStream().close();
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("{")) {
                    sink.accept(Results.parse(command.getFirst(), line));
                } else {
                    System.out.println(line);
                    tail.add(line);
                    if (tail.size() > TAIL_LINES) {
                        tail.remove();
                    }
                }
            }
            process.waitFor(10, TimeUnit.SECONDS);
            return new Outcome(process.waitFor(), String.join(" | ", tail));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while " + command.getFirst() + " ran", e);
        } finally {
            process.destroyForcibly();
            Runtime.getRuntime().removeShutdownHook(stop);
        }
    }
}
