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
import java.util.Map;

/** Opens and closes sessions, then calls one again and again, and prints how much resident memory each of both added. */
final class Soak {
    static final Path STATUS = Path.of("/proc/self/status");
    private static final int ROWS = 32;
    private static final ImageShape SHAPE = new ImageShape(10, 10, 1);

    private Soak() {}

    /** Takes the number of sessions and the number of calls. */
    public static void main(String[] arguments) throws IOException {
        int sessions = Integer.parseInt(arguments[0]);
        int calls = Integer.parseInt(arguments[1]);
        VaeConfig config = VaeConfig.builder().input(SHAPE).hidden(40).latent(5).build();
        float[] x = new float[ROWS * SHAPE.size()];
        HostRows from = HostRows.of(x);
        HostRows to = HostRows.of(x.clone());
        try (Backend backend = Backends.open("native", Map.of());
                Vae vae = Vae.create(backend, config, 3);
                FrozenModel model = FrozenModel.of(vae)) {
            long bytes = backend.info().bytesInUse();
            comeAndGo(model, from, to, 1000);
            long before = residentKib();
            comeAndGo(model, from, to, sessions);
            long between = residentKib();
            System.out.println("probe.sessions=" + (between - before));
            System.out.println("probe.bytes=" + (backend.info().bytesInUse() - bytes));
            try (InferenceSession session = model.session(ROWS)) {
                call(session, from, to, 10_000);
                between = residentKib();
                call(session, from, to, calls);
                System.out.println("probe.calls=" + (residentKib() - between));
            }
        }
    }

    private static void comeAndGo(FrozenModel model, HostRows from, HostRows to, int sessions) {
        for (int i = 0; i < sessions; i++) {
            try (InferenceSession session = model.session(ROWS)) {
                session.reconstruct(from, 1 + i % ROWS, to);
            }
        }
    }

    private static void call(InferenceSession session, HostRows from, HostRows to, int calls) {
        for (int i = 0; i < calls; i++) {
            session.reconstruct(from, 1 + i % ROWS, to);
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
