package io.github.elbo4j.benchmarks.cpu;

import io.github.elbo4j.benchmarks.cpu.StepProcess.Job;
import io.github.elbo4j.files.Json;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A process that trains one model in one library, evaluates it after every epoch, and prints one JSON line: the test
 * losses and the seconds of all of it, from reading the rows to the last loss.
 */
public final class TrainingProcess {
    private static final int EPOCHS = 10;
    private static final int QUICK_EPOCHS = 2;

    private TrainingProcess() {}

    /** Trains in a library. */
    @FunctionalInterface
    public interface Training {
        /**
         * {@return the mean test loss after each epoch, z sampled, in nats a row}
         *
         * @param job model, data, threads and seed
         * @param epochs passes over the rows
         * @throws IOException if weights or data cannot be read
         */
        List<Double> run(Job job, int epochs) throws IOException;
    }

    /**
     * Runs one job.
     *
     * @param args a job's words
     * @throws IOException if weights or data cannot be read
     */
    public static void main(String[] args, Training training) throws IOException {
        Locale.setDefault(Locale.ROOT);
        Job job = Job.parse(List.of(args));
        long start = System.nanoTime();
        List<Double> losses = training.run(job, job.quick() ? QUICK_EPOCHS : EPOCHS);
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("seconds", (System.nanoTime() - start) / 1e9);
        line.put("test_losses", losses);
        System.out.println(Json.write(line));
    }
}
