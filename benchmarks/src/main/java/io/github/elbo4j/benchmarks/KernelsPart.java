package io.github.elbo4j.benchmarks;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Recording;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.benchmarks.KernelCases.Inputs;
import io.github.elbo4j.benchmarks.KernelCases.KernelCase;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Each kernel alone: time of one call and the bandwidth it reaches beside a copy of as many bytes. */
final class KernelsPart implements Part {
    private static final List<Long> SIZES = List.of(1_000_000L, 10_000_000L, 100_000_000L);
    private static final List<Long> QUICK_SIZES = List.of(10_000L);

    /** Elements of the calls that one replay holds, so that its launch does not count. */
    private static final long ELEMENTS_PER_REPLAY = 64_000_000;

    private static final int MOST_CALLS = 32;

    @Override
    public void run(Kit kit) throws IOException {
        Copies copies = Copies.measure(kit);
        for (String precision : kit.precisions()) {
            if (!missing(kit, precision)) {
                continue;
            }
            try (Backend backend = kit.open(precision, Map.of())) {
                // Ascending sizes: when time runs out, every kernel has the small ones.
                for (long size : sizes(kit)) {
                    for (KernelCase each : KernelCases.ELEMENTWISE) {
                        kit.row(
                                name(precision, each, size),
                                backend,
                                precision,
                                row -> elementwise(kit, backend, copies, each, size, row));
                    }
                }
                for (KernelCase each : KernelCases.products(kit.quick())) {
                    kit.row(name(precision, each, 0), backend, precision, row -> product(kit, backend, each, row));
                }
                for (KernelCase each : KernelCases.PER_STEP) {
                    kit.row(name(precision, each, 0), backend, precision, row -> perStep(kit, backend, each, row));
                }
            } catch (RuntimeException | LinkageError e) {
                kit.write(precision + "/open", null, precision, new Row().put("error", String.valueOf(e)));
            }
        }
    }

    private static List<Long> sizes(Kit kit) {
        return kit.quick() ? QUICK_SIZES : SIZES;
    }

    private static boolean missing(Kit kit, String precision) {
        return sizes(kit).stream()
                        .anyMatch(size -> KernelCases.ELEMENTWISE.stream()
                                .anyMatch(each -> kit.wanted(name(precision, each, size))))
                || KernelCases.products(kit.quick()).stream().anyMatch(each -> kit.wanted(name(precision, each, 0)))
                || KernelCases.PER_STEP.stream().anyMatch(each -> kit.wanted(name(precision, each, 0)));
    }

    private static String name(String precision, KernelCase each, long size) {
        return precision + "/" + each.name() + (size == 0 ? "" : "/" + size);
    }

    private static void elementwise(Kit kit, Backend backend, Copies copies, KernelCase each, long size, Row row) {
        long rows = Math.max(1, size / each.columns());
        long elements = rows * each.columns();
        double bytes = each.perElement() * elements;
        Repeats.Spread micros = time(kit, backend, each, rows, elements);
        double rate = bytes / micros.median() / 1e3;
        row.put("kernel", each.name())
                .put("rows", rows)
                .put("columns", each.columns())
                .put("elements", elements)
                .put("bytes_per_element", each.perElement())
                .put("draws_noise", each.noise())
                .put("call_us", micros)
                .put("gb_per_s", rate);
        copies.rate(bytes).ifPresent(copy -> row.put("copy_gb_per_s", copy).put("share_of_copy", rate / copy));
    }

    private static void product(Kit kit, Backend backend, KernelCase each, Row row) {
        Repeats.Spread micros = time(kit, backend, each, each.rows(), each.rows() * each.columns());
        double flops = each.perElement() * each.rows() * each.columns();
        row.put("kernel", each.name())
                .put("rows", each.rows())
                .put("columns", each.columns())
                .put("flop", flops)
                .put("call_us", micros)
                .put("tflops", flops / micros.median() / 1e6);
    }

    private static void perStep(Kit kit, Backend backend, KernelCase each, Row row) {
        row.put("kernel", each.name())
                .put("rows", each.rows())
                .put("call_us", time(kit, backend, each, each.rows(), ELEMENTS_PER_REPLAY));
    }

    /** {@return microseconds of one call} */
    private static Repeats.Spread time(Kit kit, Backend backend, KernelCase each, long rows, long elements) {
        int calls = each.once() || kit.quick() ? 1 : Math.clamp(ELEMENTS_PER_REPLAY / elements, 1, MOST_CALLS);
        try (Workspace workspace = backend.workspace(each.name())) {
            StepState state = workspace.stepState(TrainingStep.SEED, List.of(), 0, List.of("sum"));
            Consumer<Recording> call = each.prepare().apply(new Inputs(workspace, state, rows, each.columns()));
            try (Replay replay = workspace.record(state, Rows.of(rows), recording -> {
                for (int i = 0; i < calls; i++) {
                    call.accept(recording);
                }
            })) {
                Repeats.Spread micros = Repeats.of(kit.quick())
                        .measure(
                                times -> {
                                    replay.run(times);
                                    replay.await();
                                },
                                Long.MAX_VALUE);
                StepState.Halt halt = state.read().halt();
                if (halt != null) {
                    throw new IllegalStateException("halted, so later calls did nothing: " + halt);
                }
                return micros.dividedBy(calls);
            }
        }
    }
}
