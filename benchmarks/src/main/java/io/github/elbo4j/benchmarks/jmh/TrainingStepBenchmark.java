package io.github.elbo4j.benchmarks.jmh;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.benchmarks.TrainingStep;
import io.github.elbo4j.benchmarks.cpu.Workload;
import io.github.elbo4j.data.Dataset;
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

/** A whole training step, its data resident as bytes: gather, forward, loss, backward, check of the gradients, Adam. */
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
public class TrainingStepBenchmark {
    @Param("native")
    public String backend;

    @Param({"1", "2"})
    public int threads;

    @Param({"M1", "M2"})
    public Workload workload;

    private Backend opened;
    private TrainingStep step;

    /** Opens the backend, records the step and compares its first loss with the reference's. */
    @Setup(Level.Trial)
    public void setUp() {
        Dataset data = workload.data();
        opened = Subject.open(backend, threads);
        step = new TrainingStep(opened, data, workload.batch(), workload.config(), TrainingStep.SEED);
        step.schedule();
        step.run(1);
        double loss = step.losses().loss();
        try (Backend reference =
                        Subject.open(Subject.REFERENCE, Runtime.getRuntime().availableProcessors());
                TrainingStep expected =
                        new TrainingStep(reference, data, workload.batch(), workload.config(), TrainingStep.SEED)) {
            expected.schedule();
            expected.run(1);
            Subject.requireClose("first loss of " + workload, new double[] {loss}, new double[] {
                expected.losses().loss()
            });
        }
    }

    /** Fails if a step was not finite, and frees all of it. */
    @TearDown(Level.Trial)
    public void tearDown() {
        step.losses();
        step.close();
        opened.close();
    }

    /** Trains one batch and waits for it. */
    @Benchmark
    public void run() {
        step.scheduledRun(1);
    }
}
