package io.github.elbo4j.benchmarks;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.data.Digits;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.HostRows;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.inference.Score;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Times of single calls of sessions, from the caller's memory and back to it. */
final class LatencyPart implements Part {
    private static final List<Integer> BATCHES = List.of(1, 64, 4096);
    /** The last is more than a block of any backend. */
    private static final List<Integer> QUICK_BATCHES = List.of(1, 8, 300);

    private static final int THREADS = 8;
    private static final int OPENINGS = 9;
    private static final int QUICK_OPENINGS = 2;

    /** What a call does. */
    private enum Operation {
        ENCODE,
        DECODE,
        SCORE;

        String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Where and as what pictures lie: the inputs of encode and score, the outputs of decode. */
    private enum Pictures {
        U8_NATIVE("u8-native"),
        F32_HEAP("f32-heap");

        private final String label;

        Pictures(String label) {
            this.label = label;
        }
    }

    /**
     * One row of measurements.
     *
     * @param batch rows of a call, and the most of its session
     * @param threads callers at the same time, each with a session
     * @param operation what is called
     * @param pictures on which memory
     */
    private record Work(int batch, int threads, Operation operation, Pictures pictures) {
        String name(String precision) {
            return precision + "/b" + batch + (threads == 1 ? "" : "-t" + threads) + "/" + operation.label() + "/"
                    + pictures.label;
        }
    }

    /**
     * How long a call is repeated.
     *
     * @param warmNanos first, unmeasured
     * @param nanos measured, until there are as many calls as wanted
     * @param calls as many as are wanted
     * @param mostNanos measured at most, however few calls those are
     */
    private record Effort(long warmNanos, long nanos, int calls, long mostNanos) {
        static Effort of(boolean quick) {
            return quick
                    ? new Effort(1_000_000, 2_000_000, 3, 50_000_000)
                    : new Effort(1_000_000_000, 2_000_000_000, 200, 10_000_000_000L);
        }
    }

    @Override
    public void run(Kit kit) throws IOException {
        for (String precision : kit.precisions()) {
            if (!missing(kit, precision)) {
                continue;
            }
            try (Backend backend = kit.open(precision, Map.of());
                    FrozenModel model = model(kit, backend)) {
                for (int batch : batches(kit)) {
                    kit.row(opening(precision, batch), backend, precision, row -> open(kit, model, batch, row));
                }
                for (Work work : works(kit)) {
                    kit.row(work.name(precision), backend, precision, row -> measure(kit, model, work, row));
                }
            } catch (RuntimeException | LinkageError e) {
                kit.write(precision + "/open", null, precision, new Row().put("error", String.valueOf(e)));
            }
        }
    }

    private static boolean missing(Kit kit, String precision) {
        return batches(kit).stream().anyMatch(batch -> kit.wanted(opening(precision, batch)))
                || works(kit).stream().anyMatch(work -> kit.wanted(work.name(precision)));
    }

    private static String opening(String precision, int batch) {
        return precision + "/b" + batch + "/open-session";
    }

    private static List<Integer> batches(Kit kit) {
        return kit.quick() ? QUICK_BATCHES : BATCHES;
    }

    private static List<Work> works(Kit kit) {
        List<Work> works = new ArrayList<>();
        for (int batch : batches(kit)) {
            for (Operation operation : Operation.values()) {
                for (Pictures pictures : Pictures.values()) {
                    works.add(new Work(batch, 1, operation, pictures));
                }
            }
        }
        for (Operation operation : Operation.values()) {
            works.add(new Work(1, THREADS, operation, Pictures.U8_NATIVE));
        }
        return works;
    }

    /** {@return a model with fresh weights, whose values do not change what a call costs} */
    private static FrozenModel model(Kit kit, Backend backend) {
        VaeConfig config = kit.quick()
                ? VaeConfig.builder().hidden(16).latent(2).build()
                : VaeConfig.builder().build();
        try (Vae vae = Vae.create(backend, config, TrainingStep.SEED)) {
            return FrozenModel.of(vae);
        }
    }

    private static void open(Kit kit, FrozenModel model, int batch, Row row) {
        double[] micros = new double[kit.quick() ? QUICK_OPENINGS : OPENINGS];
        long bytes = 0;
        // The first one compiles and loads, and does not count.
        for (int i = -1; i < micros.length; i++) {
            long before = model.backend().info().bytesInUse();
            long start = System.nanoTime();
            InferenceSession session = model.session(batch);
            long took = System.nanoTime() - start;
            bytes = model.backend().info().bytesInUse() - before;
            session.close();
            if (i >= 0) {
                micros[i] = took / 1e3;
            }
        }
        row.put("batch", batch).put("open_us", Repeats.Spread.of(micros)).put("session_bytes", bytes);
    }

    private static void measure(Kit kit, FrozenModel model, Work work, Row row) throws Exception {
        row.put("operation", work.operation.label())
                .put("batch", work.batch)
                .put("threads", work.threads)
                .put("pictures", work.pictures.label);
        List<InferenceSession> sessions = new ArrayList<>();
        try (Arena memory = Arena.ofShared()) {
            List<Runnable> calls = new ArrayList<>();
            for (int i = 0; i < work.threads; i++) {
                sessions.add(model.session(work.batch));
                calls.add(call(work, sessions.getLast(), memory));
            }
            Effort effort = Effort.of(kit.quick());
            calls.forEach(call -> warmUp(call, effort));
            Latencies all = new Latencies();
            double callsPerSecond = 0;
            for (Latencies each : together(calls, effort)) {
                all.add(each);
                callsPerSecond += each.count() / each.seconds();
            }
            all.into(row);
            row.put("rows_per_second", work.batch * callsPerSecond);
        } finally {
            sessions.forEach(InferenceSession::close);
        }
    }

    /** {@return a call on all rows, with memory of its own} */
    private static Runnable call(Work work, InferenceSession session, Arena memory) {
        int n = work.batch;
        int latent = session.config().latent();
        return switch (work.operation) {
            case ENCODE -> {
                HostRows x = inputs(work);
                HostRows mu = HostRows.of(new float[n * latent]);
                HostRows logVar = HostRows.of(new float[n * latent]);
                yield () -> session.encode(x, n, mu, logVar);
            }
            case DECODE -> {
                HostRows z = codes(n * latent);
                HostRows means = outputs(work, memory);
                yield () -> session.decode(z, n, means);
            }
            case SCORE -> {
                HostRows x = inputs(work);
                HostRows scores = HostRows.of(new float[n * Score.COLUMNS]);
                yield () -> session.score(x, n, TrainingStep.SEED, scores);
            }
        };
    }

    private static HostRows inputs(Work work) {
        Dataset digits = Digits.generate(TrainingStep.SEED, 0, work.batch);
        MemorySegment pixels = digits.values();
        if (work.pictures == Pictures.U8_NATIVE) {
            return HostRows.of(pixels, DType.U8, 0, 0);
        }
        float[] numbers = new float[Math.toIntExact(pixels.byteSize())];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (pixels.get(ValueLayout.JAVA_BYTE, i) & 0xFF) / 255f;
        }
        return HostRows.of(numbers);
    }

    private static HostRows codes(int count) {
        Random random = new Random(TrainingStep.SEED);
        float[] codes = new float[count];
        for (int i = 0; i < count; i++) {
            codes[i] = (float) random.nextGaussian();
        }
        return HostRows.of(codes);
    }

    private static HostRows outputs(Work work, Arena memory) {
        int elements = work.batch * TrainingStep.INPUT;
        return work.pictures == Pictures.U8_NATIVE
                ? HostRows.of(memory.allocate(elements), DType.U8, 0, 0)
                : HostRows.of(new float[elements]);
    }

    private static void warmUp(Runnable call, Effort effort) {
        long start = System.nanoTime();
        do {
            call.run();
        } while (System.nanoTime() - start < effort.warmNanos);
    }

    /** {@return the times of each call, on a thread of its own, all begun at once} */
    private static List<Latencies> together(List<Runnable> calls, Effort effort) throws Exception {
        CountDownLatch begin = new CountDownLatch(1);
        try (ExecutorService threads = Executors.newFixedThreadPool(calls.size())) {
            List<Future<Latencies>> running = new ArrayList<>();
            for (Runnable call : calls) {
                running.add(threads.submit(() -> {
                    begin.await();
                    return repeat(call, effort);
                }));
            }
            begin.countDown();
            List<Latencies> ended = new ArrayList<>();
            for (Future<Latencies> each : running) {
                ended.add(each.get());
            }
            return ended;
        }
    }

    private static Latencies repeat(Runnable call, Effort effort) {
        Latencies times = new Latencies();
        long start = System.nanoTime();
        long took = 0;
        while (took < effort.nanos || (times.count() < effort.calls && took < effort.mostNanos)) {
            long before = System.nanoTime();
            call.run();
            long after = System.nanoTime();
            times.add(after - before);
            took = after - start;
        }
        return times;
    }
}
