package io.github.elbo4j.benchmarks.jmh;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.Recording;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.benchmarks.KernelCases.Inputs;
import io.github.elbo4j.benchmarks.KernelCases.KernelCase;
import io.github.elbo4j.benchmarks.TrainingStep;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Opens what a benchmark measures, and makes sure that it is that and does the work. */
final class Subject {
    static final String REFERENCE = "java";

    /**
     * By how much a result may differ, as a share of the largest. This only proves that the work was done: how exact it
     * is, the contract tests say.
     */
    private static final double TOLERANCE = 1e-5;

    /** Elements compared at a time. */
    private static final long PART = 1 << 20;

    private Subject() {}

    /** {@return the backend of a name, never another} */
    static Backend open(String name, int threads) {
        boolean threaded = Backends.report().stream()
                .anyMatch(
                        report -> report.name().equals(name) && report.options().containsKey("threads"));
        Backend backend = Backends.open(name, threaded ? Map.of("threads", Integer.toString(threads)) : Map.of());
        String opened = backend.info().name();
        if (!opened.equals(name)) {
            backend.close();
            throw new IllegalStateException("asked for backend '" + name + "', got '" + opened + "'");
        }
        return backend;
    }

    /**
     * One kernel, recorded.
     *
     * @param inputs what it works on
     * @param replay holds one call
     */
    record Recorded(Inputs inputs, Replay replay) implements AutoCloseable {
        static Recorded of(Backend backend, KernelCase kernel, long rows) {
            Workspace workspace = backend.workspace(kernel.name());
            try {
                StepState state = workspace.stepState(TrainingStep.SEED, List.of(), 0, List.of("sum"));
                Inputs inputs = new Inputs(workspace, state, rows, kernel.columns());
                Consumer<Recording> call = kernel.prepare().apply(inputs);
                return new Recorded(inputs, workspace.record(state, Rows.of(rows), call));
            } catch (RuntimeException | Error e) {
                workspace.close();
                throw e;
            }
        }

        void run(long times) {
            replay.run(times);
            replay.await();
        }

        @Override
        public void close() {
            replay.close();
            inputs.workspace().close();
        }
    }

    /** Fails unless a kernel's first call gives what the reference gives. */
    static void requireReference(Recorded subject, KernelCase kernel) {
        try (Backend reference = open(REFERENCE, Runtime.getRuntime().availableProcessors());
                Recorded expected = Recorded.of(reference, kernel, subject.inputs.rows())) {
            expected.run(1);
            subject.run(1);
            requireClose(kernel.name() + ", sum", sums(subject), sums(expected));
            for (int i = 0; i < expected.inputs.results().size(); i++) {
                requireClose(
                        kernel.name(),
                        subject.inputs.results().get(i),
                        expected.inputs.results().get(i));
            }
        }
    }

    /** Compares in parts, as the largest tensors do not fit into the heap. */
    private static void requireClose(String kernel, Tensor found, Tensor expected) {
        double largest = 0;
        for (long from = 0; from < expected.size(); from += PART) {
            largest = Math.max(largest, largest(numbers(expected, from)));
        }
        for (long from = 0; from < expected.size(); from += PART) {
            String what = kernel + ", tensor '" + found.name() + "' from " + from;
            requireClose(what, numbers(found, from), numbers(expected, from), largest);
        }
    }

    private static double[] sums(Recorded recorded) {
        StepState.Snapshot snapshot = recorded.inputs.state().read();
        if (snapshot.halt() != null) {
            throw new IllegalStateException("halted, so later calls did nothing: " + snapshot.halt());
        }
        return new double[] {snapshot.sums().getOrDefault("sum", 0.0), snapshot.step()};
    }

    private static double[] numbers(Tensor tensor, long from) {
        double[] numbers = new double[Math.toIntExact(Math.min(PART, tensor.size() - from))];
        try (Arena host = Arena.ofConfined()) {
            MemorySegment copy =
                    host.allocate((long) numbers.length * tensor.type().bytes(), 64);
            tensor.download(copy, from);
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = switch (tensor.type()) {
                    case F32 -> copy.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                    case F64 -> copy.getAtIndex(ValueLayout.JAVA_DOUBLE, i);
                    case I64 -> copy.getAtIndex(ValueLayout.JAVA_LONG, i);
                    default -> throw new IllegalArgumentException("no results of type " + tensor.type());
                };
            }
        }
        return numbers;
    }

    private static double largest(double[] numbers) {
        return Arrays.stream(numbers).map(Math::abs).max().orElse(0);
    }

    /** Fails where numbers differ; written so that what is not a number differs. */
    static void requireClose(String what, double[] found, double[] expected) {
        requireClose(what, found, expected, largest(expected));
    }

    private static void requireClose(String what, double[] found, double[] expected, double largest) {
        for (int i = 0; i < expected.length; i++) {
            double off = Math.abs(found[i] - expected[i]);
            if (!(off <= TOLERANCE * largest)) {
                throw new IllegalStateException(what + ", element " + i + ": " + found[i] + " instead of "
                        + expected[i] + " of backend '" + REFERENCE + "'; the timing of a wrong result is worth"
                        + " nothing, run ./elbo4j validate");
            }
        }
    }
}
