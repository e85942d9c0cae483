package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.HostRows;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.stream.Stream;

/**
 * Opens and closes sessions, then calls one again and again, then one whose calls are worth several threads, and prints how
 * much resident memory the second half of each added. What leaks, leaks in each part of it; what the JVM still compiles, it
 * compiles in a few: so the parts that grew most are left out, and the others speak for them.
 */
final class Soak {
    static final Path STATUS = Path.of("/proc/self/status");
    private static final Path TASKS = Path.of("/proc/self/task");
    private static final VaeConfig SMALL = VaeConfig.builder()
            .input(new ImageShape(10, 10, 1))
            .hidden(40)
            .latent(5)
            .build();
    private static final int ROWS = 32;
    /** Some hundred million multiplications a call. */
    private static final VaeConfig LARGE =
            VaeConfig.builder().hidden(256).latent(16).build();

    private static final int MANY_ROWS = 256;
    private static final int PARTS = 9;
    private static final int LEFT_OUT = 2;

    private Soak() {}

    /** Takes the number of sessions, of calls, and of calls by several threads. */
    public static void main(String[] arguments) throws IOException {
        try (Backend backend = Backends.open("native", Map.of("threads", "2"))) {
            try (Caller small = new Caller(backend, SMALL, ROWS)) {
                print("sessions", Integer.parseInt(arguments[0]), small::comeAndGo);
                print("calls", Integer.parseInt(arguments[1]), small::call);
            }
            try (Caller large = new Caller(backend, LARGE, MANY_ROWS)) {
                print("helped", Integer.parseInt(arguments[2]), large::call);
            }
            System.out.println("probe.helpers=" + helperTicks());
            System.out.println("probe.bytes=" + backend.info().bytesInUse());
        }
    }

    private static void print(String what, int times, IntConsumer work) throws IOException {
        work.accept(times - times / 2);
        long[] grown = new long[PARTS];
        long before = residentKib();
        for (int part = 0; part < PARTS; part++) {
            work.accept(times / 2 / PARTS);
            long now = residentKib();
            grown[part] = now - before;
            before = now;
        }
        System.out.println("probe." + what + ".parts=" + Arrays.toString(grown));
        Arrays.sort(grown);
        long others = Arrays.stream(grown).limit(PARTS - LEFT_OUT).sum();
        System.out.println("probe." + what + "=" + PARTS * others / (PARTS - LEFT_OUT));
    }

    /** CPU time of the backend's own threads. */
    private static long helperTicks() throws IOException {
        long ticks = 0;
        try (Stream<Path> tasks = Files.list(TASKS)) {
            for (Path task : tasks.toList()) {
                if (Files.readString(task.resolve("comm")).startsWith("elbo4j-native")) {
                    // Behind the name in parentheses; user and system time are the 12th and 13th number after it.
                    String[] numbers = Files.readString(task.resolve("stat"))
                            .replaceFirst(".*\\) ", "")
                            .split(" ", -1);
                    ticks += Long.parseLong(numbers[11]) + Long.parseLong(numbers[12]);
                }
            }
        }
        return ticks;
    }

    /** A model and its callers. */
    private static final class Caller implements AutoCloseable {
        private final Vae vae;
        private final FrozenModel model;
        private final InferenceSession session;
        private final int rows;
        private final HostRows from;
        private final HostRows to;

        Caller(Backend backend, VaeConfig config, int rows) {
            this.vae = Vae.create(backend, config, 3);
            this.model = FrozenModel.of(vae);
            this.session = model.session(rows);
            this.rows = rows;
            float[] x = new float[rows * config.input().size()];
            this.from = HostRows.of(x);
            this.to = HostRows.of(x.clone());
        }

        void comeAndGo(int times) {
            for (int i = 0; i < times; i++) {
                try (InferenceSession each = model.session(rows)) {
                    each.reconstruct(from, 1 + i % rows, to);
                }
            }
        }

        void call(int times) {
            for (int i = 0; i < times; i++) {
                session.reconstruct(from, 1 + i % rows, to);
            }
        }

        @Override
        public void close() {
            session.close();
            model.close();
            vae.close();
        }
    }

    private static long residentKib() throws IOException {
        System.gc();
        return Files.readAllLines(STATUS).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElseThrow();
    }
}
