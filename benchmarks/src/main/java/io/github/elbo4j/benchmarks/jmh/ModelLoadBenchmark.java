package io.github.elbo4j.benchmarks.jmh;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.benchmarks.TrainingStep;
import io.github.elbo4j.benchmarks.cpu.Workload;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.model.VaeFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

/** From a file in the page cache to a frozen model on the backend, and its end. */
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
public class ModelLoadBenchmark {
    @Param("native")
    public String backend;

    @Param("1")
    public int threads;

    @Param("M1")
    public Workload workload;

    private Backend opened;
    private Path folder;

    /** Writes the model and loads it once. */
    @Setup(Level.Trial)
    public void setUp() throws IOException {
        opened = Subject.open(backend, threads);
        folder = Files.createTempDirectory("model");
        try (Vae vae = Vae.create(opened, workload.config(), TrainingStep.SEED)) {
            VaeFiles.save(vae, folder);
        }
        if (!run().equals(workload.config())) {
            throw new IllegalStateException("the model that was loaded is not the one that was saved");
        }
    }

    /** Deletes the file and closes the backend. */
    @TearDown(Level.Trial)
    public void tearDown() throws IOException {
        Files.delete(folder.resolve(VaeFiles.WEIGHTS));
        Files.delete(folder.resolve(VaeFiles.CONFIG));
        Files.delete(folder);
        opened.close();
    }

    /** Loads the model and closes it; returns its configuration, so that the work is not removed. */
    @Benchmark
    public VaeConfig run() throws IOException {
        try (FrozenModel model = FrozenModel.load(opened, folder)) {
            return model.config();
        }
    }
}
