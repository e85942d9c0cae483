package io.github.elbo4j.benchmarks.cpu;

import io.github.elbo4j.benchmarks.Child;
import io.github.elbo4j.benchmarks.TrainingStep;
import io.github.elbo4j.benchmarks.cpu.Contender.Setting;
import io.github.elbo4j.benchmarks.cpu.StepProcess.Job;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Our training step beside the peers', all from the same weights on the same rows. Rounds take turns, so that what slows
 * the machine for a while slows all of them; a ratio is of two neighbours of one round.
 */
final class StepsPart {
    static final String PART = "steps";
    static final String STEP = "training-step";

    /** Median time of a step in each round; a suite of JMH measures the same step alone. */
    static final String TIME = "time-in-rounds";

    static final String RATE = "rate-in-rounds";

    /** With the setting's name behind it: the time of a step when the settings were tried. */
    static final String TIME_OF_SETTING = "time-of-setting-";

    /** Before the steps of several threads, in each round; see {@link Handoff}. */
    private static final String HANDOFF = "round-trip-in-rounds";

    /** The numbers behind quantiles, round by round. */
    private static final String EACH = "each_round";

    /** How far a peer's mean loss may be from ours: epsilon comes from its own generator, from another seed each round. */
    static final double SAME_LOSS = 0.02;

    private final CpuOptions options;
    private final List<Result> results = new ArrayList<>();

    private StepsPart(CpuOptions options) {
        this.options = options;
    }

    static List<Result> run(CpuOptions options, boolean oursOpens) throws IOException {
        StepsPart part = new StepsPart(options);
        List<Contender> contenders = new ArrayList<>();
        if (options.has("steps") && oursOpens) {
            contenders.add(Contender.ours(options.first()));
            contenders.add(Contender.oursOnFullRows(options.first()));
        }
        if (options.has("peers")) {
            for (Contender peer : Contender.peers(options.repository())) {
                String problem = peer.problem();
                if (problem == null) {
                    contenders.add(peer);
                } else {
                    part.results.add(Result.without(Result.ERROR, PART, STEP, peer.name(), "", problem));
                }
            }
        }
        Path folder = Files.createTempDirectory("steps");
        try {
            JobFolder.rows(
                    folder, StepProcess.DATA, options.workloads().getFirst().data());
            for (Workload workload : options.workloads()) {
                JobFolder.weights(folder, workload);
            }
            for (Workload workload : options.workloads()) {
                part.measure(workload, contenders, folder);
            }
        } finally {
            JobFolder.delete(folder);
        }
        return part.results;
    }

    /**
     * What one process found.
     *
     * @param lateLoss mean loss of steps 91 to 100
     * @param stepMicros samples of the time of a step
     * @param facts about the library
     */
    private record Found(double lateLoss, Quantiles stepMicros, Map<?, ?> facts) {}

    /** A contender with a number of threads, its setting and what each round found. */
    private static final class Entry {
        final Contender contender;
        final int threads;
        final Setting setting;
        final List<Found> rounds = new ArrayList<>();

        Entry(Contender contender, int threads, Setting setting) {
            this.contender = contender;
            this.threads = threads;
            this.setting = setting;
        }

        boolean ours() {
            return contender.module() == null;
        }

        boolean onFullRows() {
            return setting.word().endsWith(OurStep.FULL_ROWS);
        }

        String shape(Workload workload) {
            String shape = StepsPart.shape(workload, threads);
            return onFullRows() ? fullRows(shape) : shape;
        }

        List<Double> losses() {
            return rounds.stream().map(Found::lateLoss).toList();
        }

        List<Double> medians() {
            return rounds.stream().map(found -> found.stepMicros.p50()).toList();
        }
    }

    private void measure(Workload workload, List<Contender> contenders, Path folder) throws IOException {
        List<Entry> entries = new ArrayList<>();
        for (int threads : options.threads()) {
            for (Contender contender : contenders) {
                Setting setting = fastest(workload, contender, threads, folder);
                if (setting != null) {
                    entries.add(new Entry(contender, threads, setting));
                }
            }
        }
        List<Double> handoffs = new ArrayList<>();
        for (int round = 0; round < options.rounds(); round++) {
            boolean first = true;
            for (Entry entry : List.copyOf(entries)) {
                // One CPU would hand off by a slice of the scheduler.
                if (first && entry.threads > 1 && Runtime.getRuntime().availableProcessors() > 1) {
                    handoffs.add(Handoff.nanos());
                    first = false;
                }
                Found found = run(workload, entry.contender, entry.threads, entry.setting, folder, round + 1);
                if (found == null) {
                    // Its rounds would no longer be those of the others.
                    entries.remove(entry);
                } else {
                    entry.rounds.add(found);
                }
            }
        }
        if (!handoffs.isEmpty()) {
            Quantiles handoff = Quantiles.of(handoffs);
            results.add(Result.of(PART, "handoff", MachinePart.MACHINE, "", shape(workload, 2), HANDOFF, "ns", handoff)
                    .with(EACH, handoffs));
        }
        for (Entry entry : entries) {
            List<Entry> ours = entries.stream()
                    .filter(each -> each.ours() && each.threads == entry.threads)
                    .toList();
            report(workload, entry, ours);
        }
    }

    /** {@return the setting with the least time of a step; null if none works} */
    private @Nullable Setting fastest(Workload workload, Contender contender, int threads, Path folder)
            throws IOException {
        if (contender.settings().size() == 1) {
            return contender.settings().getFirst();
        }
        Setting best = null;
        double least = Double.POSITIVE_INFINITY;
        for (Setting setting : contender.settings()) {
            Found found = run(workload, contender, threads, setting, folder, TrainingStep.SEED);
            if (found != null) {
                results.add(Result.of(
                        PART,
                        STEP,
                        contender.name(),
                        "",
                        shape(workload, threads),
                        TIME_OF_SETTING + setting.name(),
                        "us",
                        found.stepMicros));
                if (found.stepMicros.p50() < least) {
                    least = found.stepMicros.p50();
                    best = setting;
                }
            }
        }
        return best;
    }

    private @Nullable Found run(
            Workload workload, Contender contender, int threads, Setting setting, Path folder, long seed)
            throws IOException {
        List<Found> found = new ArrayList<>();
        Job job = new Job(workload, folder, threads, setting.word(), seed, options.quick());
        Child.Outcome outcome = Child.run(
                contender.command(job.words()),
                Contender.environment(setting, threads),
                line -> found.add(found(line)));
        if (outcome.status() == 0 && found.size() == 1) {
            return found.getFirst();
        }
        String reason = "setting '" + setting.name() + "', status " + outcome.status() + ": " + outcome.tail();
        results.add(Result.without(Result.ERROR, PART, STEP, contender.name(), shape(workload, threads), reason));
        return null;
    }

    private static Found found(Map<String, @Nullable Object> line) {
        if (line.get("loss_91_to_100") instanceof Number loss
                && line.get("step_us") instanceof List<?> micros
                && line.get("facts") instanceof Map<?, ?> facts) {
            double[] samples = micros.stream()
                    .mapToDouble(each -> ((Number) each).doubleValue())
                    .toArray();
            return new Found(loss.doubleValue(), Quantiles.of(samples), facts);
        }
        throw new IllegalArgumentException("the process printed " + line);
    }

    /** Writes time and rate of an entry and, for a peer, by how much each of ours is faster and how far its loss is off. */
    private void report(Workload workload, Entry entry, List<Entry> ours) {
        String name = entry.contender.name();
        String shape = entry.shape(workload);
        Quantiles time = Quantiles.of(entry.medians());
        Map<String, @Nullable Object> facts = new LinkedHashMap<>();
        facts.put("setting", entry.setting.name());
        facts.put(EACH, entry.medians());
        entry.rounds.getLast().facts.forEach((key, value) -> facts.put((String) key, value));
        results.add(new Result(PART, STEP, name, "", shape, TIME, "us", time, facts));
        results.add(
                Result.of(PART, STEP, name, "", shape, RATE, "GFLOP/s", time.map(us -> workload.flops() / us / 1e3)));
        Result losses = Result.of(PART, STEP, name, "", shape, "loss-91-to-100", "nats", Quantiles.of(entry.losses()))
                .with("mean", mean(entry.losses()));
        Entry same =
                ours.stream().filter(each -> !each.onFullRows()).findFirst().orElse(null);
        if (entry.ours() || same == null) {
            results.add(losses);
            return;
        }
        double off = mean(entry.losses()) / mean(same.losses()) - 1;
        boolean sameWork = Math.abs(off) <= SAME_LOSS;
        losses = losses.with("off", off).with("same_work", sameWork);
        if (!sameWork) {
            losses = losses.with(Result.ERROR, "the loss is " + off + " off ours, more than " + SAME_LOSS);
        }
        results.add(losses);
        ours.forEach(each -> results.add(speedup(workload, each, entry)));
    }

    private static Result speedup(Workload workload, Entry ours, Entry peer) {
        List<Double> ratios = new ArrayList<>();
        for (int round = 0; round < peer.rounds.size(); round++) {
            ratios.add(peer.medians().get(round) / ours.medians().get(round));
        }
        String metric = "speedup-over-" + peer.contender.name();
        return Result.of(PART, STEP, ours.contender.name(), "", ours.shape(workload), metric, "x", Quantiles.of(ratios))
                .with("rounds", (long) ratios.size());
    }

    private static double mean(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }

    static String shape(Workload workload, int threads) {
        return workload + "-t" + threads;
    }

    /** {@return the shape of the same step on rows without a zero} */
    static String fullRows(String shape) {
        return shape + "-full-rows";
    }
}
