package io.github.elbo4j.benchmarks.cpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoublePredicate;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;

/** What the library promises of its CPU backend, computed from the results of one run beside the limits measured in it. */
final class Targets {
    static final String PART = "targets";

    /** Bytes; JMH's own objects, spread over the calls, are fewer. */
    private static final double SMALLEST_OBJECT = 8;

    /** Of a number that is for the reader. */
    private static final double NO_GOAL = 0;

    private final Records records;
    private final String backend;
    private final List<Result> found = new ArrayList<>();

    private Targets(Records records, String backend) {
        this.records = records;
        this.backend = backend;
    }

    /** {@return all promises; one whose measurements the record lacks says so in place of numbers} */
    static List<Result> of(Records records, String backend) {
        Targets targets = new Targets(records, backend);
        targets.speedups();
        targets.peakShares();
        targets.kernels();
        targets.encode();
        return targets.found;
    }

    private void speedups() {
        speedup("libtorch-bytedeco", "M1-t1", 1.8);
        speedup("libtorch-bytedeco", "M1-t2", 2.8);
        speedup("libtorch-bytedeco", "M2-t1", 1.3);
        speedup("libtorch-bytedeco", "M2-t2", 1.9);
        for (String shape : List.of("M1-t1", "M1-t2", "M2-t1", "M2-t2")) {
            speedup("deeplearning4j", shape, 5);
            speedupAsItComes("deeplearning4j", shape, 5);
        }
    }

    /** Over a peer that chooses its kernels itself; in the rounds it has the best of all settings tried. */
    private void speedupAsItComes(String peer, String shape, double goal) {
        String metric = StepsPart.TIME_OF_SETTING + Contender.AS_IT_COMES;
        Optional<Quantiles> ours = records.find(StepsPart.STEP, "", backend, shape, StepsPart.TIME);
        Optional<Quantiles> speedup = by(records.find(StepsPart.STEP, "", peer, shape, metric), ours);
        atLeast(goal, StepsPart.STEP, shape, "speedup-over-" + peer + "-as-it-comes", "x", speedup);
    }

    private void speedup(String peer, String shape, double goal) {
        String metric = "speedup-over-" + peer;
        atLeast(goal, StepsPart.STEP, shape, metric, "x", records.find(StepsPart.STEP, "", backend, shape, metric));
    }

    private void peakShares() {
        peakShare(Workload.M1, 1, 0.80);
        peakShare(Workload.M1, 2, NO_GOAL);
        peakShare(Workload.M2, 1, 0.88);
        peakShare(Workload.M2, 2, NO_GOAL);
    }

    /** On rows without a zero, where every operation that is counted is done. */
    private void peakShare(Workload workload, int threads, double goal) {
        String shape = StepsPart.fullRows(StepsPart.shape(workload, threads));
        Optional<Quantiles> rate = records.find(StepsPart.STEP, "", backend, shape, StepsPart.RATE);
        Optional<Quantiles> share = by(rate, limit("fma", "peak-t" + threads));
        atLeast(goal, StepsPart.STEP, shape, "share-of-fma-peak", "1", share);
    }

    private void kernels() {
        perElement("bernoulli", "forward-backward", JmhPart.IN_CACHE, 1.0);
        // Whole rows of z.
        perElement("reparameterize", "forward", JmhPart.IN_CACHE / 20 * 20, 1.5);
        for (int threads : List.of(1, 2)) {
            String shape = JmhPart.OUT_OF_CACHE + "-t" + threads;
            Optional<Quantiles> rate = records.find("adam", "", backend, shape, "rate");
            Optional<Quantiles> share = by(rate, limit("copy", "out-of-cache-t" + threads));
            atLeast(0.9, "adam", shape, "share-of-copy", "1", share);
        }
    }

    private void perElement(String op, String direction, long elements, double goal) {
        String shape = elements + "-t1";
        DoubleUnaryOperator nanos = us -> us * 1e3 / elements;
        Optional<Quantiles> time =
                records.find(op, direction, backend, shape, "time").map(values -> values.map(nanos));
        atMost(goal, op, direction, shape, "time-per-element", "ns", time);
    }

    private void encode() {
        String shape = "M1-b1-t1";
        Optional<Quantiles> read = limit("read", "weights-t1")
                .map(rate -> rate.map(gigabytes -> Workload.M1.encoderBytes() / gigabytes / 1e3));
        for (String metric : List.of("time", "time-p99")) {
            Optional<Quantiles> time = records.find("encode", "", backend, shape, metric);
            double goal = metric.equals("time") ? 1.4 : 3;
            atMost(goal, "encode", "", shape, metric + "-by-reading-weights", "1", by(time, read));
        }
        Optional<Quantiles> allocated = records.find("encode", "", backend, shape, "allocated");
        atMost(SMALLEST_OBJECT, "encode", "", shape, "allocated-by-call", "B", allocated);
    }

    private Optional<Quantiles> limit(String op, String shape) {
        return records.find(op, "", MachinePart.MACHINE, shape, "rate");
    }

    private static Optional<Quantiles> by(Optional<Quantiles> values, Optional<Quantiles> limit) {
        return values.flatMap(each -> limit.map(Quantiles::p50).map(divisor -> each.map(value -> value / divisor)));
    }

    private void atLeast(double goal, String op, String shape, String metric, String unit, Optional<Quantiles> values) {
        add(goal, op, "", shape, metric, unit, values, median -> median >= goal);
    }

    private void atMost(
            double goal,
            String op,
            String direction,
            String shape,
            String metric,
            String unit,
            Optional<Quantiles> values) {
        add(goal, op, direction, shape, metric, unit, values, median -> median <= goal);
    }

    private void add(
            double goal,
            String op,
            String direction,
            String shape,
            String metric,
            String unit,
            Optional<Quantiles> values,
            DoublePredicate met) {
        Map<String, @Nullable Object> more = new LinkedHashMap<>();
        if (goal != NO_GOAL) {
            more.put("goal", goal);
            values.ifPresent(found -> more.put("met", met.test(found.p50())));
        }
        if (values.isEmpty()) {
            more.put(Result.SKIPPED, "not all of its measurements are in this record");
        }
        found.add(new Result(PART, op, backend, direction, shape, metric, unit, values.orElse(null), more));
    }
}
