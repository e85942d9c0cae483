package io.github.elbo4j.benchmarks;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.data.Digits;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** Microseconds of a training step, data on the backend, nothing read back between steps. */
final class StepsPart implements Part {
    /** Training rows, as many as MNIST has. */
    private static final int ROWS = 60_000;

    private static final int QUICK_ROWS = 512;

    /**
     * One measured size.
     *
     * @param batch rows of a step
     * @param hidden width of both hidden layers
     */
    record Shape(int batch, int hidden) {
        String label() {
            return "b" + batch + "-h" + hidden;
        }
    }

    private static final List<Shape> SHAPES = List.of(
            new Shape(20, 400), new Shape(128, 400), new Shape(512, 400), new Shape(4096, 400), new Shape(4096, 4096));
    private static final List<Shape> QUICK_SHAPES = List.of(new Shape(8, 16), new Shape(16, 8));

    static List<Shape> shapes(boolean quick) {
        return quick ? QUICK_SHAPES : SHAPES;
    }

    /** {@return the data that ours and the peers train on} */
    static Dataset data(boolean quick) {
        return Digits.generate(TrainingStep.SEED, 0, quick ? QUICK_ROWS : ROWS);
    }

    @Override
    public void run(Kit kit) throws IOException {
        Dataset data = data(kit.quick());
        for (String precision : kit.precisions()) {
            measure(kit, data, precision, "default", Map.of());
            if (kit.takes("steps")) {
                measure(kit, data, precision, "1", Map.of("steps", "1"));
            }
        }
    }

    private static void measure(Kit kit, Dataset data, String precision, String perLaunch, Map<String, String> options)
            throws IOException {
        List<Shape> shapes = shapes(kit.quick()).stream()
                .filter(shape -> kit.wanted(name(precision, shape, perLaunch)))
                .toList();
        if (shapes.isEmpty()) {
            return;
        }
        try (Backend backend = kit.open(precision, options)) {
            for (Shape shape : shapes) {
                kit.row(name(precision, shape, perLaunch), backend, precision, row -> {
                    row.put("batch", shape.batch).put("hidden", shape.hidden).put("steps_per_launch", perLaunch);
                    measure(kit, backend, data, shape, row);
                });
            }
        } catch (RuntimeException | LinkageError e) {
            kit.write(precision + "/open", null, precision, new Row().put("error", String.valueOf(e)));
        }
    }

    private static void measure(Kit kit, Backend backend, Dataset data, Shape shape, Row row) {
        try (TrainingStep step = new TrainingStep(backend, data, shape.batch, shape.hidden)) {
            step.schedule();
            step.run(1);
            row.put("parameters", step.parameters());
            row.put("loss_first", step.losses().loss());
            step.run(89);
            step.losses();
            step.run(10);
            // Ten steps, so that the noise of epsilon is small beside a difference that matters.
            row.put("loss_91_to_100", step.losses().loss());
            Repeats.Spread micros = Repeats.of(kit.quick()).measure(step::scheduledRun, TrainingStep.mostSteps());
            row.put("step_us", micros);
            row.put("rows_per_second", shape.batch / micros.median() * 1e6);
            row.put("tflops", flops(shape) / micros.median() / 1e6);
            row.put("bytes_peak", backend.info().bytesPeak());
            step.losses();
        }
    }

    /** Operations of a step's products: forward, weights' and inputs' gradients; the first layer has no input gradient. */
    private static double flops(Shape shape) {
        double input = (double) TrainingStep.INPUT * shape.hidden;
        double heads = 2.0 * TrainingStep.LATENT * shape.hidden;
        double latent = (double) TrainingStep.LATENT * shape.hidden;
        return 2.0 * shape.batch * (2 * input + 3 * heads + 3 * latent + 3 * input);
    }

    private static String name(String precision, Shape shape, String perLaunch) {
        return precision + "/" + shape.label() + "/steps-" + perLaunch;
    }
}
