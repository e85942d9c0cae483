package io.github.elbo4j.benchmarks.jmh;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.benchmarks.TrainingStep;
import io.github.elbo4j.benchmarks.cpu.Workload;
import io.github.elbo4j.data.Digits;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.HostRows;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.inference.Score;
import io.github.elbo4j.model.Vae;
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

/** Calls of a session, from bytes in the caller's memory to floats on its heap, each timed: percentiles are what counts. */
// Percentiles come from single samples; what a call allocates from the other mode, as samples take memory as well.
@BenchmarkMode({Mode.SampleTime, Mode.AverageTime})
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
public class SessionBenchmark {
    /** Rows whose codes and scores are compared with the reference's. */
    private static final int COMPARED = 64;

    @Param("native")
    public String backend;

    @Param("1")
    public int threads;

    @Param("M1")
    public Workload workload;

    /** Rows of a call. */
    @Param({"1", "64", "4096"})
    public int batch;

    private Backend opened;
    private FrozenModel model;
    private InferenceSession session;
    private HostRows x;
    private float[] mu;
    private float[] scores;
    private HostRows toMu;
    private HostRows toLogVar;
    private HostRows toScores;

    /** Opens a session and compares codes and scores with the reference's. */
    @Setup(Level.Trial)
    public void setUp() {
        opened = Subject.open(backend, threads);
        model = freeze(opened);
        session = model.session(batch);
        x = HostRows.of(Digits.generate(TrainingStep.SEED, 0, batch).values(), DType.U8, 0, 0);
        mu = new float[batch * workload.latent()];
        scores = new float[batch * Score.COLUMNS];
        toMu = HostRows.of(mu);
        toLogVar = HostRows.of(new float[mu.length]);
        toScores = HostRows.of(scores);
        encode();
        score();
        requireReference();
    }

    private FrozenModel freeze(Backend on) {
        try (Vae vae = Vae.create(on, workload.config(), TrainingStep.SEED)) {
            return FrozenModel.of(vae);
        }
    }

    private void requireReference() {
        int rows = Math.min(batch, COMPARED);
        float[] expectedMu = new float[rows * workload.latent()];
        float[] expectedScores = new float[rows * Score.COLUMNS];
        try (Backend reference =
                        Subject.open(Subject.REFERENCE, Runtime.getRuntime().availableProcessors());
                FrozenModel same = freeze(reference);
                InferenceSession expected = same.session(rows)) {
            expected.encode(x, rows, HostRows.of(expectedMu), HostRows.of(new float[expectedMu.length]));
            expected.score(x, rows, TrainingStep.SEED, HostRows.of(expectedScores));
        }
        Subject.requireClose("codes", doubles(mu), doubles(expectedMu));
        Subject.requireClose("scores", doubles(scores), doubles(expectedScores));
    }

    private static double[] doubles(float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    /** Frees all of it. */
    @TearDown(Level.Trial)
    public void tearDown() {
        session.close();
        model.close();
        opened.close();
    }

    /** Encodes all rows. */
    @Benchmark
    public void encode() {
        session.encode(x, batch, toMu, toLogVar);
    }

    /** Scores all rows, one sample each. */
    @Benchmark
    public void score() {
        session.score(x, batch, TrainingStep.SEED, toScores);
    }
}
