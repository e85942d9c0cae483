package io.github.elbo4j.benchmarks.jmh;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.benchmarks.KernelCases;
import io.github.elbo4j.benchmarks.KernelCases.KernelCase;
import io.github.elbo4j.benchmarks.jmh.Subject.Recorded;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/** The three products of a dense layer. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
// The first iteration compiles; the third is settled.
@Warmup(iterations = 3, time = 500, timeUnit = TimeUnit.MILLISECONDS)
// Short iterations: time is better spent on forks.
@Measurement(iterations = 5, time = 500, timeUnit = TimeUnit.MILLISECONDS)
// Memory lies elsewhere in every process; one fork would hide what that changes. The heap is fixed and touched, so that
// it does not grow into the measurement.
@Fork(
        value = 3,
        jvmArgsAppend = {"-Xms2g", "-Xmx2g", "-XX:+AlwaysPreTouch", "--enable-native-access=ALL-UNNAMED"})
// Backends have threads of their own; one caller drives them.
@Threads(1)
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH fills parameters, setUp the rest
public class LinearBenchmark {
    @Param("native")
    public String backend;

    @Param("1")
    public int threads;

    @Param({"linear-forward", "linear-backward-input", "linear-backward-weights"})
    public String kernel;

    /** Rows, the wide side and the narrow side: M1's layers, then M2's widest. */
    @Param({"128x784x400", "128x400x40", "128x400x20", "512x784x512", "512x512x256"})
    public String layer;

    private Backend opened;
    private Recorded recorded;

    /**
     * {@return the kernel on a layer}
     *
     * @param kernel name without a size
     * @param layer rows, wide side and narrow side, joined by x
     */
    public static KernelCase kernel(String kernel, String layer) {
        int[] sizes = java.util.Arrays.stream(layer.split("x", -1))
                .mapToInt(Integer::parseInt)
                .toArray();
        return KernelCases.layer("", sizes[0], sizes[1], sizes[2]).stream()
                .filter(each -> each.name().equals(kernel))
                .findFirst()
                .orElseThrow();
    }

    /** Opens the backend, records the product and compares its result with the reference's. */
    @Setup(Level.Trial)
    public void setUp() {
        KernelCase each = kernel(kernel, layer);
        opened = Subject.open(backend, threads);
        recorded = Recorded.of(opened, each, each.rows());
        Subject.requireReference(recorded, each);
    }

    /** Frees all of it. */
    @TearDown(Level.Trial)
    public void tearDown() {
        recorded.close();
        opened.close();
    }

    /** Runs the product. */
    @Benchmark
    public void run() {
        recorded.run(1);
    }
}
