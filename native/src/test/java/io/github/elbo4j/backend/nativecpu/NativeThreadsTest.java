package io.github.elbo4j.backend.nativecpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.HostRows;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.inference.Score;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.testkit.TrainingRig;
import io.github.elbo4j.testkit.WorkerThreads;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Many callers of one backend, several backends, and workers that have nothing to do. */
class NativeThreadsTest {
    private static final String WORKER = "elbo4j-native-worker";
    private static final int CALLERS = 8;
    private static final int CALLS = 20;
    private static final int BATCH = 64;
    private static final ImageShape SHAPE = new ImageShape(28, 28, 1);

    private static final VaeConfig CONFIG =
            VaeConfig.builder().input(SHAPE).hidden(400).latent(20).build();

    private static Backend open(int threads) {
        return NativeFixture.open(Map.of("threads", String.valueOf(threads)));
    }

    /** All that a caller gets from a session of his own, bit for bit. */
    private static ByteBuffer work(FrozenModel model, int caller) {
        Random random = new Random(caller);
        float[] x = new float[BATCH * SHAPE.size()];
        float[] mu = new float[BATCH * CONFIG.latent()];
        float[] logVar = new float[mu.length];
        float[] means = new float[x.length];
        float[] scores = new float[BATCH * Score.COLUMNS];
        int floats = mu.length + logVar.length + means.length + scores.length;
        ByteBuffer all = ByteBuffer.allocate(CALLS * floats * Float.BYTES);
        try (InferenceSession session = model.session(BATCH)) {
            for (int call = 0; call < CALLS; call++) {
                for (int i = 0; i < x.length; i++) {
                    x[i] = random.nextFloat();
                }
                HostRows rows = HostRows.of(x);
                int n = 1 + random.nextInt(BATCH);
                session.encode(rows, n, HostRows.of(mu), HostRows.of(logVar));
                session.reconstruct(rows, n, HostRows.of(means));
                session.score(rows, n, call, HostRows.of(scores));
                for (float[] output : List.of(mu, logVar, means, scores)) {
                    all.asFloatBuffer().put(output);
                    all.position(all.position() + output.length * Float.BYTES);
                }
            }
        }
        return all.flip();
    }

    private static <T> List<T> atOnce(List<Callable<T>> bodies) throws Exception {
        CountDownLatch gate = new CountDownLatch(1);
        List<T> results = new ArrayList<>();
        try (ExecutorService callers = Executors.newFixedThreadPool(bodies.size())) {
            List<Future<T>> running = new ArrayList<>();
            for (Callable<T> body : bodies) {
                running.add(callers.submit(() -> {
                    gate.await();
                    return body.call();
                }));
            }
            gate.countDown();
            for (Future<T> each : running) {
                results.add(each.get(2, TimeUnit.MINUTES));
            }
        }
        return results;
    }

    /** They share the weights, and whoever comes first makes the transposed copies that all of them read. */
    @Test
    void sessionsAtOnceGetTheBitsOfOneAlone() throws Exception {
        List<ByteBuffer> alone = new ArrayList<>();
        try (Backend backend = open(1);
                Vae vae = Vae.create(backend, CONFIG, 3);
                FrozenModel model = FrozenModel.of(vae)) {
            for (int caller = 0; caller < CALLERS; caller++) {
                alone.add(work(model, caller));
            }
        }
        for (int threads : new int[] {1, 2, 3}) {
            try (Backend backend = open(threads);
                    Vae vae = Vae.create(backend, CONFIG, 3);
                    FrozenModel model = FrozenModel.of(vae)) {
                List<Callable<ByteBuffer>> bodies = new ArrayList<>();
                for (int caller = 0; caller < CALLERS; caller++) {
                    int number = caller;
                    bodies.add(() -> work(model, number));
                }
                assertThat(atOnce(bodies)).as("with %s threads", threads).isEqualTo(alone);
            }
        }
    }

    @Test
    void trainingsOnBackendsOfTheirOwnGetTheBitsOfOneAlone() throws Exception {
        double[] alone;
        try (TrainingRig rig = new TrainingRig(open(1))) {
            rig.run(TrainingRig.STEPS);
            alone = rig.values();
        }
        List<Callable<double[]>> bodies = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            int threads = 1 + i % 3;
            bodies.add(() -> {
                try (TrainingRig rig = new TrainingRig(open(threads))) {
                    for (int step = 0; step < TrainingRig.STEPS; step++) {
                        rig.run(1);
                    }
                    return rig.values();
                }
            });
        }
        assertThat(atOnce(bodies)).allSatisfy(values -> assertThat(values).containsExactly(alone));
    }

    /** The caller may fail for want of stack or memory before its run begins. */
    @Test
    void helpersOfARunThatNeverBeganComeBack() throws Exception {
        NativeFixture.assumeAvailable();
        long program = NativeLibrary.programCreate(0, 2, 1, 0);
        try {
            Thread helper = Thread.ofPlatform().daemon().start(() -> NativeLibrary.programHelp(program, 1));
            NativeLibrary.programEnd(program, 0);
            assertThat(helper.join(Duration.ofMillis(100)))
                    .as("helps with a run that has not begun")
                    .isFalse();
            NativeLibrary.programEnd(program, 1);
            assertThat(helper.join(Duration.ofSeconds(10))).as("comes back").isTrue();
        } finally {
            NativeLibrary.programDestroy(program);
        }
    }

    @Test
    void idleWorkersComputeNothingAndAClosedBackendHasNone() throws Exception {
        WorkerThreads before = WorkerThreads.named(WORKER);
        WorkerThreads own;
        try (Backend backend = open(3);
                Vae vae = Vae.create(backend, CONFIG, 3);
                FrozenModel model = FrozenModel.of(vae)) {
            work(model, 1);
            own = WorkerThreads.named(WORKER).without(before);
            assertThat(own.threads())
                    .as("workers that have helped")
                    .isNotEmpty()
                    .hasSizeLessThanOrEqualTo(2);
            // What they were doing last may still be ending.
            Thread.sleep(50);
            long used = own.cpuNanos();
            Thread.sleep(300);
            assertThat(own.cpuNanos() - used)
                    .as("ns computed in 300 ms with nothing to do")
                    .isLessThan(TimeUnit.MILLISECONDS.toNanos(3));
        }
        for (Thread worker : own.threads()) {
            assertThat(worker.join(Duration.ofSeconds(10)))
                    .as("a worker of a closed backend ends")
                    .isTrue();
        }
    }
}
