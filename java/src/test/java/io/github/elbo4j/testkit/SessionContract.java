package io.github.elbo4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.HostRows;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.inference.Posterior;
import io.github.elbo4j.inference.Score;
import io.github.elbo4j.inference.SessionPool;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What holds of frozen models, their sessions and pools on every backend: one subclass for each. */
public abstract class SessionContract {
    private static final ImageShape SHAPE = new ImageShape(5, 4, 1);
    private static final int WIDTH = SHAPE.size();
    private static final int LATENT = 3;

    /** More than two blocks of any backend, and no multiple of one. */
    private static final int MANY = 523;

    private static final int THREADS = 8;
    private static final long SEED = 77;

    private Backend backend;
    private Vae vae;
    private FrozenModel model;

    /** For subclasses. */
    @SuppressWarnings("NullAway.Init") // opened before each test
    protected SessionContract() {}

    /** {@return a new instance of the backend under test} */
    protected abstract Backend open();

    @BeforeEach
    final void openOne() {
        backend = open();
        vae = Vae.create(backend, config(), 3);
        model = FrozenModel.of(vae);
    }

    @AfterEach
    final void closeOne() {
        model.close();
        vae.close();
        long left = backend.info().bytesInUse();
        backend.close();
        assertThat(left).as("bytes that sessions and models left behind").isZero();
    }

    private static VaeConfig config() {
        return VaeConfig.builder()
                .input(SHAPE)
                // Wide enough for products to be shared by threads.
                .hidden(150)
                .latent(LATENT)
                .activation(Activation.TANH)
                .build();
    }

    private static float[] inputs(int rows) {
        Random random = new Random(5);
        float[] x = new float[rows * WIDTH];
        for (int i = 0; i < x.length; i++) {
            // Byte values, so that bytes and numbers mean the same.
            x[i] = random.nextInt(256) / 255f;
        }
        return x;
    }

    private static byte[] bytes(float[] x) {
        byte[] bytes = new byte[x.length];
        for (int i = 0; i < x.length; i++) {
            bytes[i] = (byte) Math.round(x[i] * 255);
        }
        return bytes;
    }

    private static float[] row(float[] all, int row, int columns) {
        return Arrays.copyOfRange(all, row * columns, (row + 1) * columns);
    }

    /** Layers computed here, in double and one number at a time. */
    private double[] layer(String name, double[] x, boolean tanh) {
        Parameters parameters = vae.parameters();
        double[] values = parameters.values().downloadDoubles();
        int weight = (int) parameters.value(name + ".weight").offset();
        int bias = (int) parameters.value(name + ".bias").offset();
        double[] y = new double[(int) parameters.value(name + ".bias").size()];
        for (int o = 0; o < y.length; o++) {
            double sum = values[bias + o];
            for (int i = 0; i < x.length; i++) {
                sum += values[weight + o * x.length + i] * x[i];
            }
            y[o] = tanh ? Math.tanh(sum) : sum;
        }
        return y;
    }

    private double[] heads(double[] x) {
        return layer("heads", layer("encoder.0", x, true), false);
    }

    private double[] logits(double[] z) {
        return layer("logits", layer("decoder.0", z, true), false);
    }

    private static double[] wide(float[] values) {
        double[] wide = new double[values.length];
        Arrays.setAll(wide, i -> values[i]);
        return wide;
    }

    private double tolerance() {
        // Rounding of products of a few dozen terms of about one, or that of their shorter factors.
        return 1e-5 + 8 * backend.info().productError();
    }

    @Test
    final void theNumbersAreThoseOfTheFormulas() {
        float[] x = inputs(2);
        try (InferenceSession session = model.session(2, 3)) {
            Posterior posterior = session.encode(x);
            float[] reconstructed = session.reconstruct(x);
            List<Score> scores = session.score(x, SEED);
            for (int r = 0; r < 2; r++) {
                double[] input = wide(row(x, r, WIDTH));
                double[] heads = heads(input);
                double kl = 0;
                for (int j = 0; j < LATENT; j++) {
                    double lv = heads[LATENT + j];
                    assertThat(posterior.mu()[r * LATENT + j]).isCloseTo((float) heads[j], within((float) tolerance()));
                    assertThat(posterior.logVar()[r * LATENT + j]).isCloseTo((float) lv, within((float) tolerance()));
                    kl += (heads[j] * heads[j] + Math.expm1(lv) - lv) / 2;
                }
                double[] mean = logits(Arrays.copyOf(heads, LATENT));
                for (int p = 0; p < WIDTH; p++) {
                    double probability = 1 / (1 + Math.exp(-mean[p]));
                    assertThat(reconstructed[r * WIDTH + p])
                            .isCloseTo((float) probability, within((float) tolerance()));
                }
                double likelihood = 0;
                for (int s = 0; s < 3; s++) {
                    likelihood += logLikelihood(input, logits(sampled(heads, s))) / 3;
                }
                assertThat(scores.get(r).kl()).isCloseTo(kl, within(10 * tolerance()));
                assertThat(scores.get(r).logLikelihood()).isCloseTo(likelihood, within(WIDTH * tolerance()));
                assertThat(scores.get(r).elbo()).isCloseTo(likelihood - kl, within((WIDTH + 10) * tolerance()));
            }
            float[] codes = {0, 0, 0, 1, -2, 0.5f};
            float[] means = session.decode(codes);
            float[] decoded = new float[2 * WIDTH];
            session.decodeLogits(HostRows.of(codes), 2, HostRows.of(decoded));
            for (int i = 0; i < decoded.length; i++) {
                double logit = logits(wide(row(codes, i / WIDTH, LATENT)))[i % WIDTH];
                assertThat(decoded[i]).isCloseTo((float) logit, within((float) tolerance()));
                assertThat(means[i]).isCloseTo((float) (1 / (1 + Math.exp(-logit))), within((float) tolerance()));
            }
        }
    }

    /** Sample s of a score: common random numbers, row word and step word zero. */
    private static double[] sampled(double[] heads, int s) {
        double[] epsilon = new double[LATENT];
        io.github.elbo4j.backend.Normals.row(
                SEED,
                0,
                0,
                io.github.elbo4j.backend.Philox.stream(io.github.elbo4j.backend.Noise.Purpose.EPSILON, s),
                epsilon);
        double[] z = new double[LATENT];
        Arrays.setAll(z, j -> heads[j] + Math.exp(heads[LATENT + j] / 2) * epsilon[j]);
        return z;
    }

    private static double logLikelihood(double[] x, double[] logits) {
        double sum = 0;
        for (int p = 0; p < x.length; p++) {
            sum -= Math.max(logits[p], 0) - logits[p] * x[p] + Math.log1p(Math.exp(-Math.abs(logits[p])));
        }
        return sum;
    }

    @Test
    final void samplesAreKeyedByTheNumberOfTheRow() {
        float[] x = inputs(40);
        try (InferenceSession session = model.session(40)) {
            float[] z = session.sample(x, SEED, 1000);
            assertThat(session.sample(x, SEED, 1000)).isEqualTo(z);
            assertThat(session.sample(x, SEED + 1, 1000)).isNotEqualTo(z);
            // The seed's upper half counts.
            assertThat(session.sample(x, SEED + (1L << 40), 1000)).isNotEqualTo(z);
            assertThat(session.sample(row(x, 7, WIDTH), SEED, 1007)).isEqualTo(row(z, 7, LATENT));
            double[] heads = heads(wide(row(x, 7, WIDTH)));
            double[] epsilon = new double[LATENT];
            io.github.elbo4j.backend.Normals.row(
                    SEED,
                    1007,
                    0,
                    io.github.elbo4j.backend.Philox.stream(io.github.elbo4j.backend.Noise.Purpose.EPSILON, 0),
                    epsilon);
            for (int j = 0; j < LATENT; j++) {
                double expected = heads[j] + Math.exp(heads[LATENT + j] / 2) * epsilon[j];
                assertThat(z[7 * LATENT + j]).isCloseTo((float) expected, within((float) (20 * tolerance())));
            }
        }
    }

    /** Scores, posteriors and pictures of rows: the same bits in every batch, order and session. */
    @Test
    final void aRowsResultDependsOnNothingBesideIt() {
        float[] x = inputs(MANY);
        try (InferenceSession large = model.session(MANY, 2);
                InferenceSession small = model.session(7, 2);
                InferenceSession one = model.session(1, 2)) {
            List<Score> scores = large.score(x, SEED);
            Posterior posterior = large.encode(x);
            float[] pictures = large.reconstruct(x);
            for (int from = 0; from < MANY; from += 7) {
                int rows = Math.min(7, MANY - from);
                float[] part = Arrays.copyOfRange(x, from * WIDTH, (from + rows) * WIDTH);
                assertThat(small.score(part, SEED)).isEqualTo(scores.subList(from, from + rows));
                assertThat(small.encode(part).mu())
                        .isEqualTo(Arrays.copyOfRange(posterior.mu(), from * LATENT, (from + rows) * LATENT));
            }
            for (int r : new int[] {0, 1, 127, 128, 129, 255, 256, MANY - 1}) {
                assertThat(one.score(row(x, r, WIDTH), SEED)).containsExactly(scores.get(r));
                assertThat(one.encode(row(x, r, WIDTH)).logVar()).isEqualTo(row(posterior.logVar(), r, LATENT));
                assertThat(one.reconstruct(row(x, r, WIDTH))).isEqualTo(row(pictures, r, WIDTH));
            }
            float[] backwards = new float[x.length];
            for (int r = 0; r < MANY; r++) {
                System.arraycopy(x, r * WIDTH, backwards, (MANY - 1 - r) * WIDTH, WIDTH);
            }
            assertThat(large.score(backwards, SEED).reversed()).isEqualTo(scores);
            assertThat(large.score(x, SEED + 1)).isNotEqualTo(scores);
            assertThat(large.score(x, SEED)).isEqualTo(scores);
        }
    }

    @Test
    final void rowsLieAnywhereInAnyMemory() {
        int n = 9;
        float[] x = inputs(n);
        try (InferenceSession session = model.session(n);
                Arena arena = Arena.ofConfined()) {
            Posterior plain = session.encode(x);
            float[] pictures = session.reconstruct(x);
            float[] padded = new float[3 + n * (WIDTH + 2)];
            Arrays.fill(padded, Float.NaN);
            for (int r = 0; r < n; r++) {
                System.arraycopy(x, r * WIDTH, padded, 3 + r * (WIDTH + 2), WIDTH);
            }
            byte[] pixels = bytes(x);
            // At an odd address: no alignment is asked for.
            MemorySegment odd = arena.allocate(1 + 4L * padded.length).asSlice(1);
            MemorySegment.copy(padded, 0, odd, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, padded.length);
            MemorySegment raw = arena.allocateFrom(ValueLayout.JAVA_BYTE, pixels);
            List<HostRows> sources = List.of(
                    HostRows.of(padded, 3, WIDTH + 2),
                    HostRows.of(odd, DType.F32, 3, WIDTH + 2),
                    HostRows.of(odd.asReadOnly(), DType.F32, 3, WIDTH + 2),
                    HostRows.ofBytes(pixels),
                    HostRows.of(raw, DType.U8, 0, 0));
            for (HostRows source : sources) {
                float[] mu = new float[n * LATENT];
                float[] logVar = new float[n * (LATENT + 4) + 1];
                session.encode(source, n, HostRows.of(mu), HostRows.of(logVar, 1, LATENT + 4));
                assertThat(mu).as("%s", source).isEqualTo(plain.mu());
                for (int r = 0; r < n; r++) {
                    int at = 1 + r * (LATENT + 4);
                    assertThat(Arrays.copyOfRange(logVar, at, at + LATENT)).isEqualTo(row(plain.logVar(), r, LATENT));
                    assertThat(Arrays.copyOfRange(logVar, at + LATENT, at + LATENT + 4))
                            .as("what lies between the rows")
                            .containsOnly(0);
                }
                MemorySegment out = arena.allocate(4L * n * WIDTH);
                session.reconstruct(source, n, HostRows.of(out, DType.F32, 0, 0));
                assertThat(out.toArray(ValueLayout.JAVA_FLOAT)).isEqualTo(pictures);
                byte[] asBytes = new byte[n * WIDTH];
                session.reconstruct(source, n, HostRows.ofBytes(asBytes));
                assertThat(asBytes).isEqualTo(bytes(pictures));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 60, MANY})
    final void callsAllocateNothing(int rows) {
        try (InferenceSession session = model.session(rows, 2);
                Arena arena = Arena.ofShared()) {
            float[] x = inputs(rows);
            MemorySegment nativeX = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes(x));
            HostRows heapIn = HostRows.of(x);
            HostRows nativeIn = HostRows.of(nativeX, DType.U8, 0, 0);
            HostRows codes = HostRows.of(new float[rows * LATENT]);
            HostRows mu = HostRows.of(new float[rows * LATENT]);
            HostRows logVar = HostRows.of(new float[rows * LATENT]);
            HostRows heapOut = HostRows.of(new float[rows * WIDTH]);
            HostRows nativeOut = HostRows.of(arena.allocate(4L * rows * WIDTH), DType.F32, 0, 0);
            HostRows scores = HostRows.of(new float[rows * Score.COLUMNS]);
            Map<String, Runnable> calls = Map.of(
                    "encode, heap", () -> session.encode(heapIn, rows, mu, logVar),
                    "encode, native", () -> session.encode(nativeIn, rows, mu, logVar),
                    "sample", () -> session.sample(heapIn, rows, 5, 9, mu),
                    "decode, heap", () -> session.decode(codes, rows, heapOut),
                    "decode, native", () -> session.decode(codes, rows, nativeOut),
                    "decodeLogits", () -> session.decodeLogits(codes, rows, nativeOut),
                    "reconstruct", () -> session.reconstruct(nativeIn, rows, heapOut),
                    "score, heap", () -> session.score(heapIn, rows, 5, scores),
                    "score, native", () -> session.score(nativeIn, rows, 6, scores));
            calls.forEach((what, call) -> assertThat(HeapAllocations.of(call))
                    .as("bytes allocated by a call of %s on %s rows", what, rows)
                    .isZero());
        }
    }

    @Test
    final void manyThreadsWithASessionEachGetTheBitsOfOne() throws Exception {
        float[] x = inputs(50);
        List<Score> expected;
        Posterior posterior;
        try (InferenceSession session = model.session(50, 2)) {
            expected = session.score(x, SEED);
            posterior = session.encode(x);
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
            List<Future<?>> all = new ArrayList<>();
            for (int t = 0; t < THREADS; t++) {
                all.add(threads.submit(() -> {
                    try (InferenceSession session = model.session(50, 2)) {
                        for (int round = 0; round < 10; round++) {
                            assertThat(session.score(x, SEED)).isEqualTo(expected);
                            assertThat(session.encode(x).mu()).isEqualTo(posterior.mu());
                        }
                    }
                }));
            }
            for (Future<?> each : all) {
                each.get(120, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    final void wrongInputsAreNamedAndTheSessionServesOn() {
        float[] x = inputs(4);
        try (InferenceSession session = model.session(4)) {
            List<Score> right = session.score(x, SEED);
            for (float bad : new float[] {Float.NaN, -0.01f, 1.0001f, Float.POSITIVE_INFINITY}) {
                float[] wrong = x.clone();
                wrong[2 * WIDTH + 5] = bad;
                assertThatThrownBy(() -> session.score(wrong, SEED))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContainingAll("x:", String.valueOf(bad), "row 2", "column 5");
                assertThatThrownBy(() -> session.encode(wrong)).isInstanceOf(IllegalArgumentException.class);
            }
            assertThatThrownBy(() -> session.decode(new float[] {0, Float.NaN, 0}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("z:", "row 0", "column 1", "not finite");
            assertThatThrownBy(() -> session.encode(new float[WIDTH + 1])).hasMessageContaining("rows of 20");
            assertThatThrownBy(() -> session.encode(new float[0])).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> session.encode(inputs(5))).hasMessageContainingAll("5 rows", "1 to 4");
            HostRows rows = HostRows.of(x);
            HostRows room = HostRows.of(new float[4 * WIDTH]);
            assertThatThrownBy(() -> session.reconstruct(rows, 0, room)).hasMessageContaining("0 rows");
            assertThatThrownBy(() -> session.reconstruct(rows, 4, HostRows.of(new float[4 * WIDTH - 1])))
                    .hasMessageContainingAll("means", "do not fit");
            assertThatThrownBy(() -> session.reconstruct(HostRows.of(x, 1, 0), 4, room))
                    .hasMessageContainingAll("x", "do not fit");
            assertThatThrownBy(() -> session.reconstruct(rows, 4, HostRows.of(new float[4 * WIDTH], 0, WIDTH - 1)))
                    .hasMessageContainingAll("means", "overlap");
            assertThatThrownBy(() ->
                            session.decodeLogits(HostRows.of(new float[LATENT]), 1, HostRows.ofBytes(new byte[WIDTH])))
                    .hasMessageContaining("F32");
            assertThatThrownBy(() -> session.decode(HostRows.ofBytes(new byte[LATENT]), 1, room))
                    .hasMessageContaining("F32");
            assertThatThrownBy(() -> session.sample(rows, 4, 1, -1, room)).hasMessageContaining("firstRow");
            assertThatThrownBy(() -> session.sample(rows, 4, 1, (1L << 32) - 3, room))
                    .hasMessageContaining("firstRow");
            MemorySegment readOnly = MemorySegment.ofArray(new float[4 * WIDTH]).asReadOnly();
            assertThatThrownBy(() -> session.reconstruct(rows, 4, HostRows.of(readOnly, DType.F32, 0, 0)))
                    .hasMessageContaining("read-only");
            Arena arena = Arena.ofConfined();
            HostRows freed = HostRows.of(arena.allocate(4L * 4 * WIDTH, 4), DType.F32, 0, 0);
            arena.close();
            assertThatThrownBy(() -> session.encode(freed, 4, room, room)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> session.reconstruct(rows, 4, freed)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> HostRows.of(x, -1, 0)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> HostRows.of(MemorySegment.ofArray(x), DType.I64, 0, 0))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(session.score(x, SEED)).isEqualTo(right);
        }
        assertThatThrownBy(() -> model.session(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> model.session(1, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> model.session(1, 1 << 20)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    final void weightsThatAreNotFiniteDoNotServe() {
        float[] values = vae.parameters().values().downloadFloats();
        int bias = (int) vae.parameters().value("logits.bias").offset();
        values[bias + 4] = Float.NaN;
        vae.parameters().values().uploadFloats(values);
        long before = backend.info().bytesInUse();
        assertThatThrownBy(() -> FrozenModel.of(vae))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("logits.bias", "weight 4", "NaN");
        assertThat(backend.info().bytesInUse()).isEqualTo(before);
    }

    @Test
    final void aSnapshotNeverChangesAndOutlivesItsModel() {
        float[] x = inputs(3);
        InferenceSession session = model.session(3);
        List<Score> before = session.score(x, SEED);
        float[] values = vae.parameters().values().downloadFloats();
        Arrays.fill(values, 0.01f);
        vae.parameters().values().uploadFloats(values);
        assertThat(session.score(x, SEED)).isEqualTo(before);
        try (FrozenModel changed = FrozenModel.of(vae);
                InferenceSession other = changed.session(3)) {
            assertThat(other.score(x, SEED)).isNotEqualTo(before);
        }
        model.close();
        model.close();
        assertThatThrownBy(() -> model.session(3))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        assertThat(session.score(x, SEED)).isEqualTo(before);
        long held = backend.info().bytesInUse();
        session.close();
        session.close();
        assertThat(backend.info().bytesInUse()).isLessThan(held);
        assertThatThrownBy(() -> session.score(x, SEED))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    /** Handed from thread to thread it serves; two at once are found out, and neither gets a wrong number. */
    @Test
    final void overlapThrowsAndHandingOverDoesNot() throws Exception {
        float[] x = inputs(MANY);
        try (InferenceSession session = model.session(MANY, 2);
                ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<Score> expected = session.score(x, SEED);
            for (int i = 0; i < 4; i++) {
                assertThat(threads.submit(() -> session.score(x, SEED)).get()).isEqualTo(expected);
            }
            AtomicInteger refused = new AtomicInteger();
            AtomicBoolean end = new AtomicBoolean();
            CountDownLatch ready = new CountDownLatch(2);
            List<Future<?>> both = new ArrayList<>();
            for (int t = 0; t < 2; t++) {
                both.add(threads.submit(() -> {
                    ready.countDown();
                    ready.await();
                    for (int round = 0; round < 200_000 && !end.get(); round++) {
                        try {
                            assertThat(session.score(x, SEED)).isEqualTo(expected);
                        } catch (IllegalStateException e) {
                            assertThat(e).hasMessageContainingAll("in use by score", "thread");
                            refused.incrementAndGet();
                            end.set(true);
                        }
                    }
                    return true;
                }));
            }
            for (Future<?> each : both) {
                each.get(120, TimeUnit.SECONDS);
            }
            assertThat(refused.get()).isPositive();
            assertThat(session.score(x, SEED)).isEqualTo(expected);
        }
    }

    /** Calls go on while training changes the weights and snapshot after snapshot takes the place of the last. */
    @Test
    final void aPoolSwapsModelsWithoutDroppingACall() throws Exception {
        float[] x = inputs(6);
        List<List<Score>> known = new ArrayList<>();
        try (InferenceSession session = model.session(6)) {
            known.add(session.score(x, SEED));
        }
        AtomicBoolean end = new AtomicBoolean();
        AtomicInteger calls = new AtomicInteger();
        try (SessionPool pool = new SessionPool(model, 2, 6, 1);
                ExecutorService threads = Executors.newFixedThreadPool(4)) {
            model.close();
            List<Future<List<List<Score>>>> answers = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                answers.add(threads.submit(() -> {
                    List<List<Score>> seen = new ArrayList<>();
                    while (!end.get()) {
                        List<Score> scores = pool.call(session -> session.score(x, SEED));
                        if (seen.isEmpty() || !seen.getLast().equals(scores)) {
                            seen.add(scores);
                        }
                        calls.incrementAndGet();
                    }
                    return seen;
                }));
            }
            for (int swap = 0; swap < 4; swap++) {
                int before = calls.get();
                while (calls.get() < before + 20) {
                    Thread.sleep(1);
                }
                float[] values = vae.parameters().values().downloadFloats();
                values[(int) vae.parameters().value("logits.bias").offset()] += 1;
                vae.parameters().values().uploadFloats(values);
                try (FrozenModel next = FrozenModel.of(vae)) {
                    pool.swap(next);
                    try (InferenceSession session = next.session(6)) {
                        known.add(session.score(x, SEED));
                    }
                }
                assertThat(pool.<List<Score>>call(session -> session.score(x, SEED)))
                        .as("who borrows after a swap gets the new model")
                        .isEqualTo(known.getLast());
            }
            end.set(true);
            for (Future<List<List<Score>>> answer : answers) {
                // Every answer is that of one of the models, and none goes back to an older one.
                List<Integer> order = answer.get(60, TimeUnit.SECONDS).stream()
                        .map(known::indexOf)
                        .toList();
                assertThat(order).doesNotContain(-1).isSorted();
            }
            assertThat(pool.lent()).isZero();
            try (Vae wider = Vae.create(
                            backend,
                            VaeConfig.builder()
                                    .input(SHAPE)
                                    .hidden(150)
                                    .latent(4)
                                    .build(),
                            1);
                    FrozenModel misfit = FrozenModel.of(wider)) {
                assertThatThrownBy(() -> pool.swap(misfit))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("pool");
            }
        }
    }

    @Test
    final void aLeaseIsGivenBackOnceAndAClosedPoolLendsNothing() throws Exception {
        SessionPool pool = new SessionPool(model, 1, 2, 1);
        SessionPool.Lease lease = pool.borrow();
        InferenceSession session = lease.session();
        assertThatThrownBy(() -> pool.borrow(java.time.Duration.ofMillis(5)))
                .isInstanceOf(java.util.concurrent.TimeoutException.class)
                .hasMessageContaining("1 sessions");
        lease.close();
        lease.close();
        assertThat(pool.lent()).isZero();
        assertThatThrownBy(lease::session).isInstanceOf(IllegalStateException.class);
        // A lease that was given back stays so, whoever has the session now.
        SessionPool.Lease again = pool.borrow();
        lease.close();
        assertThat(pool.lent()).isEqualTo(1);
        assertThat(again.session().maxRows()).isEqualTo(2);
        assertThatThrownBy(lease::session).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> again.session().close())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("pool");
        Thread waiting = Thread.ofPlatform()
                .start(() -> assertThatThrownBy(pool::borrow)
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("closed"));
        while (waiting.getState() != Thread.State.WAITING) {
            Thread.onSpinWait();
        }
        pool.close();
        pool.close();
        waiting.join();
        // A call under way ends as it would have.
        assertThat(session.encode(inputs(1)).mu()).hasSize(LATENT);
        again.close();
        assertThatThrownBy(() -> session.encode(inputs(1))).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(pool::borrow).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> pool.swap(model)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> new SessionPool(model, 0, 1, 1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    final void theOracleAgrees() {
        float[] x = inputs(5);
        try (Backend oracle = Backends.open("java", Map.of("precision", "fp64", "threads", "1"));
                Vae twin = Vae.create(oracle, config(), 3);
                FrozenModel frozen = FrozenModel.of(twin);
                InferenceSession truth = frozen.session(5, 4);
                InferenceSession session = model.session(5, 4)) {
            List<Score> expected = truth.score(x, SEED);
            List<Score> found = session.score(x, SEED);
            for (int r = 0; r < 5; r++) {
                assertThat(found.get(r).elbo()).isCloseTo(expected.get(r).elbo(), within((WIDTH + 10) * tolerance()));
            }
        }
    }
}
