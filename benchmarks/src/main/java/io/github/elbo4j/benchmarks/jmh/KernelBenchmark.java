package io.github.elbo4j.benchmarks.jmh;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.benchmarks.KernelCases;
import io.github.elbo4j.benchmarks.KernelCases.KernelCase;
import io.github.elbo4j.benchmarks.jmh.Subject.Recorded;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/** One call of each kernel that is no product, recorded once and replayed in rows of {@link #RUNS}. */
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
public class KernelBenchmark {
    /** Calls of an invocation, so that the way into the backend is a small part of it. */
    static final int RUNS = 16;

    @Param("native")
    public String backend;

    @Param("1")
    public int threads;

    @Param({
        "gather-unit",
        "gather-bernoulli",
        "load-u8",
        "load-f32",
        "store",
        "reparameterize-forward",
        "reparameterize-backward",
        "gaussian-kl-forward",
        "bernoulli-forward",
        "bernoulli-forward-backward",
        "check-gradients",
        "sgd",
        "adam",
        "select-rows",
        "accumulate",
        "advance"
    })
    public String kernel;

    /** Elements of a call; those that are no matter of size ignore it. */
    @Param("50176")
    public long elements;

    private Backend opened;
    private Recorded recorded;

    /** {@return the kernels that a benchmark of this name measures} */
    public static List<KernelCase> cases() {
        return Stream.concat(KernelCases.ELEMENTWISE.stream(), KernelCases.PER_STEP.stream())
                .toList();
    }

    /** {@return the rows of a call} */
    public static long rows(KernelCase kernel, long elements) {
        return kernel.rows() > 0 ? kernel.rows() : Math.max(1, elements / kernel.columns());
    }

    /** Opens the backend, records the call and compares its result with the reference's. */
    @Setup(Level.Trial)
    public void setUp() {
        KernelCase each = cases().stream()
                .filter(candidate -> candidate.name().equals(kernel))
                .findFirst()
                .orElseThrow();
        opened = Subject.open(backend, threads);
        recorded = Recorded.of(opened, each, rows(each, elements));
        Subject.requireReference(recorded, each);
    }

    /** Frees all of it. */
    @TearDown(Level.Trial)
    public void tearDown() {
        recorded.close();
        opened.close();
    }

    /** Runs the kernel. */
    @Benchmark
    @OperationsPerInvocation(RUNS)
    public void run() {
        recorded.run(RUNS);
    }
}
