package io.github.elbo4j.backend.nativecpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.HostRows;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/**
 * Sessions that come and go, and calls without end, in memory that does not grow: a hundred thousand and a million with
 * {@code -Delbo4j.test.soak}, a hundredth of both in every build.
 */
class NativeSoakTest {
    private static final int FULL_SESSIONS = 100_000;
    private static final int FULL_CALLS = 1_000_000;
    private static final Path STATUS = Path.of("/proc/self/status");

    /** What the JVM's own memory may still do; a session that is left behind would be 40 KiB of native memory. */
    private static final long ALLOWED_KIB = 24 * 1024;

    private static int share(int full) {
        return System.getProperty("elbo4j.test.soak") == null ? full / 100 : full;
    }

    private static long residentKib() throws IOException {
        System.gc();
        return Files.readAllLines(STATUS).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void residentMemoryStaysAsItIs() throws IOException {
        NativeFixture.assumeAvailable();
        if (!Files.isReadable(STATUS)) {
            NativeFixture.skip("this system does not tell a process its resident memory in " + STATUS);
        }
        VaeConfig config = VaeConfig.builder()
                .input(new ImageShape(10, 10, 1))
                .hidden(40)
                .latent(5)
                .build();
        float[] x = new float[32 * 100];
        float[] means = new float[x.length];
        HostRows from = HostRows.of(x);
        HostRows to = HostRows.of(means);
        try (Backend backend = NativeFixture.open();
                Vae vae = Vae.create(backend, config, 3);
                FrozenModel model = FrozenModel.of(vae)) {
            long bytes = backend.info().bytesInUse();
            comeAndGo(model, from, to, share(FULL_SESSIONS) / 5);
            long before = residentKib();
            comeAndGo(model, from, to, share(FULL_SESSIONS));
            long afterSessions = residentKib();
            assertThat(backend.info().bytesInUse()).isEqualTo(bytes);
            assertThat(afterSessions - before).as("KiB grown by sessions").isLessThan(ALLOWED_KIB);
            try (InferenceSession session = model.session(32)) {
                for (int call = 0; call < share(FULL_CALLS); call++) {
                    session.reconstruct(from, 1 + call % 32, to);
                }
                long afterCalls = residentKib();
                assertThat(afterCalls - afterSessions).as("KiB grown by calls").isLessThan(ALLOWED_KIB);
                System.out.printf(
                        "%d sessions: %+d KiB, %d calls: %+d KiB%n",
                        share(FULL_SESSIONS), afterSessions - before, share(FULL_CALLS), afterCalls - afterSessions);
            }
        }
    }

    private static void comeAndGo(FrozenModel model, HostRows from, HostRows to, int sessions) {
        for (int i = 0; i < sessions; i++) {
            try (InferenceSession session = model.session(32)) {
                session.reconstruct(from, 1 + i % 32, to);
            }
        }
    }
}
