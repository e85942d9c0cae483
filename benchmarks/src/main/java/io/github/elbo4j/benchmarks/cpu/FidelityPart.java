package io.github.elbo4j.benchmarks.cpu;

import io.github.elbo4j.benchmarks.Child;
import io.github.elbo4j.benchmarks.cpu.StepProcess.Job;
import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.data.Digits;
import io.github.elbo4j.data.Mnist;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The published training of docs/fidelity.md, once a seed, its losses and its time beside libtorch's for the same. */
final class FidelityPart {
    static final String PART = "fidelity";
    static final String TRAINING = "training";

    /** Published test loss after ten epochs with sampled z, and how far the mean of five seeds may be off. */
    static final double PUBLISHED = 105.6;

    static final double TOLERANCE = 0.4;

    private static final int THREADS = 2;
    private static final int QUICK_ROWS = 96;

    private FidelityPart() {}

    static List<Result> run(CpuOptions options, List<String> backends) throws IOException {
        Workload workload = options.served();
        DataSplit data = options.quick()
                ? Digits.split(QUICK_ROWS)
                : Mnist.read(options.data().resolve("mnist"));
        List<Result> results = new ArrayList<>();
        Path folder = Files.createTempDirectory("fidelity");
        try {
            JobFolder.rows(folder, StepProcess.DATA, data.train());
            JobFolder.rows(folder, StepProcess.TEST, data.test());
            JobFolder.weights(folder, workload);
            // The reference takes minutes an epoch on few cores, and CI trains it once.
            for (String backend : backends.contains(options.first()) ? List.of(options.first()) : List.<String>of()) {
                List<Long> seeds = new ArrayList<>();
                for (long seed = 1; seed <= options.seeds(); seed++) {
                    seeds.add(seed);
                }
                results.addAll(
                        train(options, workload, folder, Contender.ours(backend).training(), seeds));
            }
            if (options.has("peers")) {
                Contender peer = Contender.peers(options.repository()).getFirst();
                String problem = peer.problem();
                results.addAll(
                        problem == null
                                ? train(options, workload, folder, peer.training(), List.of(1L))
                                : List.of(Result.without(Result.ERROR, PART, TRAINING, peer.name(), "", problem)));
            }
        } finally {
            JobFolder.delete(folder);
        }
        return results;
    }

    private static List<Result> train(
            CpuOptions options, Workload workload, Path folder, Contender contender, List<Long> seeds)
            throws IOException {
        String shape = StepsPart.shape(workload, THREADS);
        List<Result> results = new ArrayList<>();
        List<Double> losses = new ArrayList<>();
        List<Double> seconds = new ArrayList<>();
        Contender.Setting setting = contender.settings().getFirst();
        for (long seed : seeds) {
            Job job = new Job(workload, folder, THREADS, setting.word(), seed, options.quick());
            Child.Outcome outcome = Child.run(
                    contender.command(job.words()),
                    Contender.environment(setting, THREADS),
                    line -> add(line, losses, seconds));
            if (outcome.status() != 0) {
                results.add(Result.without(Result.ERROR, PART, TRAINING, contender.name(), shape, outcome.tail()));
                return results;
            }
        }
        double mean = losses.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
        Result test = Result.of(PART, TRAINING, contender.name(), "", shape, "test-loss", "nats", Quantiles.of(losses))
                .with("mean", mean)
                .with("losses", List.copyOf(losses));
        boolean published = !options.quick() && contender.module() == null;
        results.add(
                published && !(Math.abs(mean - PUBLISHED) <= TOLERANCE)
                        ? test.with(Result.ERROR, "the mean is not the published " + PUBLISHED + " +- " + TOLERANCE)
                        : test);
        results.add(Result.of(PART, TRAINING, contender.name(), "", shape, "wall-time", "s", Quantiles.of(seconds))
                .with("setting", setting.name()));
        return results;
    }

    private static void add(Map<String, @Nullable Object> line, List<Double> losses, List<Double> seconds) {
        if (line.get("test_losses") instanceof List<?> curve
                && curve.getLast() instanceof Number last
                && line.get("seconds") instanceof Number took) {
            losses.add(last.doubleValue());
            seconds.add(took.doubleValue());
            return;
        }
        throw new IllegalArgumentException("the process printed " + line);
    }
}
