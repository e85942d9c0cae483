package io.github.elbo4j.benchmarks.cpu;

import io.github.elbo4j.benchmarks.KernelCases.KernelCase;
import io.github.elbo4j.benchmarks.jmh.KernelBenchmark;
import io.github.elbo4j.benchmarks.jmh.LinearBenchmark;
import io.github.elbo4j.benchmarks.jmh.ModelLoadBenchmark;
import io.github.elbo4j.benchmarks.jmh.SessionBenchmark;
import io.github.elbo4j.benchmarks.jmh.TrainingStepBenchmark;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.openjdk.jmh.util.Statistics;

/** The JMH suites on every backend, with the bytes that a call allocates on the Java heap. */
final class JmhPart {
    /** Each is a part of its own, as together they take longest. */
    static final List<String> SUITES = List.of("kernels", "bandwidth", "products", "step", "sessions", "load");

    /** Name of the profiler's result: bytes of the Java heap for each call. */
    private static final String ALLOCATED = "gc.alloc.rate.norm";

    /** Elements of a call whose operands stay in a core's own cache: 64 rows of pixels. */
    static final long IN_CACHE = 64 * 784;

    /** Elements of a call whose operands fit into no cache. */
    static final long OUT_OF_CACHE = 1 << 24;

    private static final long QUICK_ELEMENTS = 1568;
    private static final String QUICK_LAYER = "8x32x16";

    private JmhPart() {}

    /**
     * One call of JMH: a suite with values of its parameters; those not given keep the suite's own.
     *
     * @param suite class of benchmarks
     * @param parameters values by name
     */
    private record Selection(Class<?> suite, Map<String, List<String>> parameters) {}

    /** {@return what one of {@link #SUITES} finds} */
    static List<Result> run(String part, CpuOptions options, List<String> backends) {
        List<Result> results = new ArrayList<>();
        for (String backend : backends) {
            Selection selection = options.quick() ? quick(part) : full(part, options);
            // The reference is no matter of bandwidth, and would take long.
            if (part.equals("bandwidth") && backend.equals("java")) {
                continue;
            }
            try {
                for (RunResult each : new Runner(options(options, backend, selection)).run()) {
                    results.addAll(results(part, each));
                }
            } catch (RunnerException e) {
                results.add(
                        Result.without(Result.ERROR, part, selection.suite.getSimpleName(), backend, "", reason(e)));
            }
        }
        return results;
    }

    private static String reason(Throwable problem) {
        Throwable cause = problem;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause);
    }

    private static Selection quick(String part) {
        Map<String, List<String>> tiny = Map.of("workload", List.of(Workload.TINY.name()));
        return switch (part) {
            case "kernels", "bandwidth" ->
                new Selection(KernelBenchmark.class, Map.of("elements", List.of(Long.toString(QUICK_ELEMENTS))));
            case "products" -> new Selection(LinearBenchmark.class, Map.of("layer", List.of(QUICK_LAYER)));
            case "step" -> new Selection(TrainingStepBenchmark.class, with(tiny, "threads", List.of("1")));
            case "sessions" -> new Selection(SessionBenchmark.class, with(tiny, "batch", List.of("1", "8")));
            case "load" -> new Selection(ModelLoadBenchmark.class, tiny);
            default -> throw new IllegalArgumentException("no suite '" + part + "'");
        };
    }

    private static Selection full(String part, CpuOptions options) {
        Map<String, List<String>> threads = Map.of(
                "threads", options.threads().stream().map(String::valueOf).toList());
        return switch (part) {
            case "kernels" ->
                new Selection(KernelBenchmark.class, Map.of("elements", List.of(Long.toString(IN_CACHE))));
            case "bandwidth" -> {
                List<String> sized = KernelBenchmark.cases().stream()
                        .filter(each -> each.rows() == 0)
                        .map(KernelCase::name)
                        .toList();
                Map<String, List<String>> large = with(threads, "kernel", sized);
                yield new Selection(
                        KernelBenchmark.class, with(large, "elements", List.of(Long.toString(OUT_OF_CACHE))));
            }
            case "products" -> new Selection(LinearBenchmark.class, threads);
            case "step" -> new Selection(TrainingStepBenchmark.class, threads);
            case "sessions" -> new Selection(SessionBenchmark.class, Map.of());
            case "load" -> new Selection(ModelLoadBenchmark.class, Map.of());
            default -> throw new IllegalArgumentException("no suite '" + part + "'");
        };
    }

    private static Map<String, List<String>> with(Map<String, List<String>> some, String name, List<String> values) {
        Map<String, List<String>> all = new LinkedHashMap<>(some);
        all.put(name, values);
        return all;
    }

    private static org.openjdk.jmh.runner.options.Options options(
            CpuOptions options, String backend, Selection selection) {
        ChainedOptionsBuilder builder = new OptionsBuilder()
                .include(selection.suite.getName().replace(".", "\\.") + "\\.")
                .param("backend", backend)
                .addProfiler(GCProfiler.class)
                .shouldFailOnError(true);
        selection.parameters.forEach((name, values) -> builder.param(name, values.toArray(String[]::new)));
        if (options.quick()) {
            builder.forks(0)
                    .warmupIterations(0)
                    .measurementIterations(1)
                    .measurementTime(TimeValue.milliseconds(5))
                    .verbosity(VerboseMode.SILENT);
        }
        return builder.build();
    }

    private static List<Result> results(String part, RunResult run) {
        Label label = Label.of(part, run);
        Statistics micros = run.getPrimaryResult().getStatistics();
        Quantiles time = quantiles(micros);
        if (run.getParams().getMode() == Mode.SampleTime) {
            Quantiles p99 = Quantiles.of(micros.getPercentile(99));
            return List.of(label.result("time", "us", time), label.result("time-p99", "us", p99));
        }
        List<Result> results = new ArrayList<>();
        if (!label.sampled) {
            results.add(label.result("time", "us", time));
        }
        if (label.work > 0) {
            // Work in a microsecond is thousandths of a G in a second.
            results.add(label.result("rate", label.unit, time.map(us -> label.work / us / 1e3)));
        }
        var allocated = run.getSecondaryResults().get(ALLOCATED);
        if (allocated != null && allocated.getStatistics().getN() > 0) {
            results.add(label.result("allocated", "B", quantiles(allocated.getStatistics())));
        }
        return results;
    }

    private static Quantiles quantiles(Statistics statistics) {
        return new Quantiles(
                statistics.getPercentile(20),
                statistics.getPercentile(50),
                statistics.getPercentile(80),
                Math.toIntExact(statistics.getN()));
    }

    /**
     * What a benchmark's results are called.
     *
     * @param part that it is of
     * @param work bytes or operations of a call; 0 where there is no rate
     * @param unit of the rate
     * @param sampled whether its time comes from single samples
     */
    private record Label(
            String part,
            String op,
            String direction,
            String backend,
            String shape,
            double work,
            String unit,
            boolean sampled) {
        static Label of(String part, RunResult run) {
            var params = run.getParams();
            String suite = params.getBenchmark();
            String backend = params.getParam("backend");
            String threads = "-t" + params.getParam("threads");
            String method = suite.substring(suite.lastIndexOf('.') + 1);
            if (suite.startsWith(KernelBenchmark.class.getName())) {
                KernelCase kernel = KernelBenchmark.cases().stream()
                        .filter(each -> each.name().equals(params.getParam("kernel")))
                        .findFirst()
                        .orElseThrow();
                long rows = KernelBenchmark.rows(kernel, Long.parseLong(params.getParam("elements")));
                long elements = rows * kernel.columns();
                return kernel(part, kernel.name(), backend, elements + threads, kernel.perElement() * elements, "GB/s");
            }
            if (suite.startsWith(LinearBenchmark.class.getName())) {
                String layer = params.getParam("layer");
                KernelCase kernel = LinearBenchmark.kernel(params.getParam("kernel"), layer);
                return kernel(
                        part,
                        kernel.name(),
                        backend,
                        layer + threads,
                        kernel.perElement() * kernel.rows() * kernel.columns(),
                        "GFLOP/s");
            }
            Workload workload = Workload.of(params.getParam("workload"));
            if (suite.startsWith(TrainingStepBenchmark.class.getName())) {
                return new Label(
                        part, "training-step", "", backend, workload + threads, workload.flops(), "GFLOP/s", false);
            }
            if (suite.startsWith(SessionBenchmark.class.getName())) {
                String shape = workload + "-b" + params.getParam("batch") + threads;
                return new Label(part, method, "", backend, shape, 0, "", true);
            }
            return new Label(part, "model-load", "", backend, workload + threads, 0, "", false);
        }

        private static Label kernel(String part, String name, String backend, String shape, double work, String unit) {
            for (String direction : List.of("-forward", "-backward")) {
                int at = name.indexOf(direction);
                if (at > 0) {
                    return new Label(
                            part, name.substring(0, at), name.substring(at + 1), backend, shape, work, unit, false);
                }
            }
            return new Label(part, name, "", backend, shape, work, unit, false);
        }

        Result result(String metric, String resultUnit, Quantiles values) {
            return Result.of(part, op, backend, direction, shape, metric, resultUnit, values);
        }
    }
}
