package io.github.elbo4j.benchmarks.cpu;

import io.github.elbo4j.files.Json;
import io.github.elbo4j.files.SafetensorsFile;
import io.github.elbo4j.model.VaeFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A process that measures the training step of one library and prints one JSON line: the losses of steps 1 and 91 to 100
 * from the common weights, then the time of a step. Every library runs this same code around its own step.
 */
public final class StepProcess {
    /** Pixels of all rows to train on, u8, row after row. */
    static final String DATA = "data.u8";

    /** Pixels of all rows to evaluate, where the job evaluates. */
    static final String TEST = "test.u8";

    private static final int STEPS_BEFORE_LOSS = 89;
    private static final int STEPS_OF_LOSS = 10;

    private StepProcess() {}

    /**
     * What to run.
     *
     * @param workload model and batch
     * @param folder holds {@link #DATA} and the weights in a folder named by the workload
     * @param threads threads to compute on
     * @param setting one of the library's settings
     * @param seed of noise and order, where the job has such
     * @param quick measure next to nothing, for a test
     */
    public record Job(Workload workload, Path folder, int threads, String setting, long seed, boolean quick) {
        /**
         * {@return a layer's numbers, a weight's as [out, in]}
         *
         * @param name such as {@code encoder.0.weight}
         * @throws IOException if the weights cannot be read
         */
        public float[] weights(String name) throws IOException {
            return SafetensorsFile.read(folder.resolve(workload.name()).resolve(VaeFiles.WEIGHTS))
                    .floats(name);
        }

        /**
         * {@return the pixels to train on as shares of 255, row after row}
         *
         * @throws IOException if the data cannot be read
         */
        public float[] pixels() throws IOException {
            return shares(Files.readAllBytes(folder.resolve(DATA)));
        }

        /**
         * {@return the pixels to evaluate as shares of 255, row after row}
         *
         * @throws IOException if the data cannot be read
         */
        public float[] testPixels() throws IOException {
            return shares(Files.readAllBytes(folder.resolve(TEST)));
        }

        private static float[] shares(byte[] bytes) {
            float[] shares = new float[bytes.length];
            for (int i = 0; i < bytes.length; i++) {
                shares[i] = (bytes[i] & 0xFF) / 255f;
            }
            return shares;
        }

        static Job parse(List<String> words) {
            Map<String, String> given = new LinkedHashMap<>();
            boolean quick = false;
            for (int i = 0; i < words.size(); i++) {
                if (words.get(i).equals("--quick")) {
                    quick = true;
                } else {
                    given.put(words.get(i), words.get(++i));
                }
            }
            return new Job(
                    Workload.of(given.getOrDefault("--workload", "")),
                    Path.of(given.getOrDefault("--folder", "")),
                    Integer.parseInt(given.getOrDefault("--threads", "1")),
                    given.getOrDefault("--setting", "default"),
                    Long.parseLong(given.getOrDefault("--seed", "1")),
                    quick);
        }

        List<String> words() {
            List<String> words = new ArrayList<>(List.of(
                    "--workload",
                    workload.name(),
                    "--folder",
                    folder.toString(),
                    "--threads",
                    Integer.toString(threads),
                    "--setting",
                    setting,
                    "--seed",
                    Long.toString(seed)));
            if (quick) {
                words.add("--quick");
            }
            return words;
        }
    }

    /** Makes a library's step. */
    @FunctionalInterface
    public interface Factory {
        /**
         * {@return the step, its weights those of the job}
         *
         * @throws IOException if weights or data cannot be read
         */
        StepRunner open(Job job) throws IOException;
    }

    /**
     * Measures one job.
     *
     * @param args a job's words
     * @throws IOException if weights or data cannot be read
     */
    public static void main(String[] args, Factory factory) throws IOException {
        Locale.setDefault(Locale.ROOT);
        Job job = Job.parse(List.of(args));
        try (StepRunner runner = factory.open(job)) {
            double first = runner.run(1);
            runner.run(STEPS_BEFORE_LOSS);
            double late = runner.run(STEPS_OF_LOSS);
            List<Object> micros = new ArrayList<>();
            for (double sample : measure(runner, job.quick)) {
                micros.add(sample);
            }
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("loss_first", first);
            line.put("loss_91_to_100", late);
            line.put("step_us", micros);
            line.put("facts", new LinkedHashMap<String, Object>(runner.facts()));
            System.out.println(Json.write(line));
        }
    }

    /** {@return microseconds of a step, a sample for each repetition} */
    private static double[] measure(StepRunner runner, boolean quick) {
        long warm = quick ? 1_000_000 : 1_500_000_000;
        long nanos = quick ? 1_000_000 : 150_000_000;
        double[] samples = new double[quick ? 3 : 15];
        int steps = 1;
        long begun = System.nanoTime();
        long took = time(runner, steps);
        // The last length that is tried is the one that is measured.
        while (System.nanoTime() - begun < warm) {
            steps = Math.clamp(nanos * steps / Math.max(1, took), 1, 1 << 12);
            took = time(runner, steps);
        }
        for (int i = 0; i < samples.length; i++) {
            samples[i] = time(runner, steps) / 1e3 / steps;
        }
        return samples;
    }

    private static long time(StepRunner runner, int steps) {
        long start = System.nanoTime();
        double loss = runner.run(steps);
        long took = System.nanoTime() - start;
        if (!Double.isFinite(loss)) {
            throw new IllegalStateException("the loss became " + loss + ", so the times say nothing");
        }
        return took;
    }
}
