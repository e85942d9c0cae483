package io.github.elbo4j.backend.nativecpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Sessions that come and go, calls without end, and calls by several threads, in memory that does not grow. */
class NativeSoakTest {
    private static final int SESSIONS = 100_000;
    private static final int CALLS = 1_000_000;
    private static final int HELPED_CALLS = 10_000;

    /** A heap that is all there from the beginning: what grows is something else. */
    private static final List<String> FIXED_HEAP =
            List.of("-Xms96m", "-Xmx96m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC");

    /** Of a half, by seven ninths of it that grew least; a session that is left behind would be more than 40 KiB. */
    private static final long ALLOWED_KIB = 2 * 1024;

    @Test
    void residentMemoryStaysAsItIs() throws Exception {
        NativeFixture.assumeAvailable();
        if (!Files.isReadable(Soak.STATUS)) {
            NativeFixture.skip("this system does not tell a process its resident memory in " + Soak.STATUS);
        }
        ChildJvm jvm = new ChildJvm(ChildJvm.Mode.CLASS_PATH).limitSeconds(3600);
        FIXED_HEAP.forEach(jvm::option);
        Map<String, String> seen =
                jvm.run(Soak.class, String.valueOf(SESSIONS), String.valueOf(CALLS), String.valueOf(HELPED_CALLS));
        System.out.printf(
                "KiB grown in each part of the second half of %d sessions: %s, of %d calls: %s, of %d calls by two threads: %s%n",
                SESSIONS,
                seen.get("sessions.parts"),
                CALLS,
                seen.get("calls.parts"),
                HELPED_CALLS,
                seen.get("helped.parts"));
        assertThat(seen).containsEntry("bytes", "0");
        assertThat(Long.parseLong(seen.getOrDefault("helpers", "0")))
                .as("CPU time of helpers")
                .isPositive();
        for (String part : List.of("sessions", "calls", "helped")) {
            assertThat(Long.parseLong(seen.getOrDefault(part, "")))
                    .as("KiB grown by " + part)
                    .isLessThan(ALLOWED_KIB);
        }
    }
}
