package io.github.elbo4j.benchmarks.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;

/** What the library promises of its CPU backend, computed from the results of one run beside the limits measured in it. */
final class Targets {
    static final String PART = "targets";

    /** Bytes; JMH's own objects, spread over the calls, are fewer. */
    private static final double SMALLEST_OBJECT = 8;

    /** Where a goal begins to be met. */
    private enum Bound {
        AT_LEAST,
        AT_MOST
    }

    private final Records records;
    private final String backend;
    private final List<Result> found = new ArrayList<>();

    private Targets(Records records, String backend) {
        this.records = records;
        this.backend = backend;
    }

    /** {@return the promises whose measurements are there} */
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
        }
    }

    private void speedup(String peer, String shape, double goal) {
        String metric = "speedup-over-" + peer;
        records.find(StepsPart.STEP, "", backend, shape, metric)
                .ifPresent(values -> add(StepsPart.STEP, "", shape, metric, "x", values, goal, Bound.AT_LEAST));
    }

    private void peakShares() {
        peakShare(Workload.M1, 1, 0.80);
        peakShare(Workload.M1, 2, 0);
        peakShare(Workload.M2, 1, 0.88);
        peakShare(Workload.M2, 2, 0);
    }

    private void peakShare(Workload workload, int threads, double goal) {
        String shape = StepsPart.shape(workload, threads);
        Optional<Quantiles> peak = limit("fma", "peak-t" + threads);
        Optional<Quantiles> rate = records.find(StepsPart.STEP, "", backend, shape, StepsPart.RATE);
        if (peak.isPresent() && rate.isPresent()) {
            double most = peak.get().p50();
            add(
                    StepsPart.STEP,
                    "",
                    shape,
                    "share-of-fma-peak",
                    "1",
                    rate.get().map(r -> r / most),
                    goal,
                    Bound.AT_LEAST);
        }
    }

    private void kernels() {
        perElement("bernoulli", "forward-backward", JmhPart.IN_CACHE, 1.0);
        // Whole rows of z.
        perElement("reparameterize", "forward", JmhPart.IN_CACHE / 20 * 20, 1.5);
        for (int threads : List.of(1, 2)) {
            String shape = JmhPart.OUT_OF_CACHE + "-t" + threads;
            Optional<Quantiles> copy = limit("copy", "out-of-cache-t" + threads);
            Optional<Quantiles> adam = records.find("adam", "", backend, shape, "rate");
            if (copy.isPresent() && adam.isPresent()) {
                double most = copy.get().p50();
                add("adam", "", shape, "share-of-copy", "1", adam.get().map(r -> r / most), 0.9, Bound.AT_LEAST);
            }
        }
    }

    private void perElement(String op, String direction, long elements, double goal) {
        String shape = elements + "-t1";
        DoubleUnaryOperator nanos = us -> us * 1e3 / elements;
        records.find(op, direction, backend, shape, "time")
                .ifPresent(time ->
                        add(op, direction, shape, "time-per-element", "ns", time.map(nanos), goal, Bound.AT_MOST));
    }

    private void encode() {
        String shape = "M1-b1-t1";
        Optional<Quantiles> read = limit("read", "weights-t1");
        for (String metric : List.of("time", "time-p99")) {
            Optional<Quantiles> time = records.find("encode", "", backend, shape, metric);
            if (read.isPresent() && time.isPresent()) {
                double least = Workload.M1.encoderBytes() / read.get().p50() / 1e3;
                double goal = metric.equals("time") ? 1.4 : 3;
                add(
                        "encode",
                        "",
                        shape,
                        metric + "-by-reading-weights",
                        "1",
                        time.get().map(us -> us / least),
                        goal,
                        Bound.AT_MOST);
            }
        }
        records.find("encode", "", backend, shape, "allocated")
                .ifPresent(bytes ->
                        add("encode", "", shape, "allocated-by-call", "B", bytes, SMALLEST_OBJECT, Bound.AT_MOST));
    }

    private Optional<Quantiles> limit(String op, String shape) {
        return records.find(op, "", MachinePart.MACHINE, shape, "rate");
    }

    /** Adds a promise; a goal of 0 is none, its number is for the reader. */
    private void add(
            String op,
            String direction,
            String shape,
            String metric,
            String unit,
            Quantiles values,
            double goal,
            Bound bound) {
        Result result = Result.of(PART, op, backend, direction, shape, metric, unit, values);
        if (goal > 0) {
            boolean met = bound == Bound.AT_LEAST ? values.p50() >= goal : values.p50() <= goal;
            result = result.with("goal", goal).with("met", met);
        }
        found.add(result);
    }
}
