package io.github.elbo4j.benchmarks;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.cli.Main;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.data.Digits;
import io.github.elbo4j.model.Losses;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Whether the plumbing holds: what doctor says, a backend that opens, a recorded step that runs, its latency. */
final class SmokePart implements Part {
    private static final int BATCH = 128;
    private static final int HIDDEN = 400;

    /** By how much the first loss may differ from the reference's: rounding of the products, see BackendInfo. */
    private static final Map<String, Double> LOSS_TOLERANCE = Map.of("fp32", 1e-5, "tf32", 1e-3, "bf16", 1e-2);

    @Override
    public void run(Kit kit) throws IOException {
        kit.row("doctor", null, "none", SmokePart::doctor);
        for (String precision : kit.precisions()) {
            if (!kit.wanted(precision + "/open")
                    && !kit.wanted(precision + "/step")
                    && !kit.wanted(precision + "/latency")) {
                continue;
            }
            long start = System.nanoTime();
            try (Backend backend = kit.open(precision, Map.of())) {
                double seconds = (System.nanoTime() - start) / 1e9;
                kit.row(
                        precision + "/open",
                        backend,
                        precision,
                        row -> row.put("seconds", seconds)
                                .put("self_test", "passed")
                                .put("product_error", backend.info().productError()));
                kit.row(precision + "/step", backend, precision, row -> step(kit, backend, precision, row));
                kit.row(precision + "/latency", backend, precision, row -> latency(kit, backend, row));
            } catch (RuntimeException | LinkageError e) {
                kit.write(precision + "/open", null, precision, new Row().put("error", String.valueOf(e)));
            }
        }
    }

    private static void doctor(Row row) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status;
        try (PrintStream o = new PrintStream(out, true, StandardCharsets.UTF_8);
                PrintStream e = new PrintStream(err, true, StandardCharsets.UTF_8)) {
            status = Main.run(new String[] {"doctor", "--json"}, o, e);
        }
        if (status != 0) {
            row.put("error", "doctor ended with " + status + ": " + err.toString(StandardCharsets.UTF_8));
        }
        row.put("doctor", out.toString(StandardCharsets.UTF_8).strip());
    }

    /** One training step, recorded and replayed, against the reference with the same weights and noise. */
    private static void step(Kit kit, Backend backend, String precision, Row row) {
        int hidden = kit.quick() ? 32 : HIDDEN;
        int batch = kit.quick() ? 8 : BATCH;
        Dataset data = Digits.generate(TrainingStep.SEED, 0, 4 * batch);
        double expected;
        try (Backend reference = Backends.open("java");
                TrainingStep step = new TrainingStep(reference, data, batch, hidden)) {
            step.schedule();
            step.run(1);
            expected = step.losses().loss();
        }
        try (TrainingStep step = new TrainingStep(backend, data, batch, hidden)) {
            step.schedule();
            step.run(1);
            Losses losses = step.losses();
            double off = Math.abs(losses.loss() - expected) / Math.abs(expected);
            double tolerance = LOSS_TOLERANCE.getOrDefault(precision, 0.0);
            row.put("loss", losses.loss())
                    .put("reference_loss", expected)
                    .put("relative_error", off)
                    .put("tolerance", tolerance)
                    .put("operations", step.explain().lines().count())
                    .put("explain", step.explain());
            if (!(off <= tolerance)) {
                row.put("error", "the first loss is not the reference's");
            }
        }
    }

    /** The smallest step there is, alone and in a row: what a launch costs. */
    private static void latency(Kit kit, Backend backend, Row row) {
        try (Workspace workspace = backend.workspace("latency")) {
            StepState state = workspace.stepState(TrainingStep.SEED, List.of(), 0, List.of());
            Replay replay = workspace.record(
                    state, Rows.of(1), recording -> recording.optimizer().advance(state));
            int count = kit.quick() ? 20 : 1000;
            double[] alone = new double[count];
            replay.run(count);
            replay.await();
            for (int i = 0; i < count; i++) {
                long start = System.nanoTime();
                replay.run(1);
                replay.await();
                alone[i] = (System.nanoTime() - start) / 1e3;
            }
            row.put("alone_us", Repeats.Spread.of(alone));
            row.put(
                    "in_a_row_us",
                    Repeats.of(kit.quick())
                            .measure(
                                    times -> {
                                        replay.run(times);
                                        replay.await();
                                    },
                                    1 << 16));
        }
    }
}
