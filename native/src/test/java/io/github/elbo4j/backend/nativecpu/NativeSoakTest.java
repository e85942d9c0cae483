package io.github.elbo4j.backend.nativecpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Sessions that come and go, and calls without end, in memory that does not grow: a hundred thousand and a million with
 * {@code -Delbo4j.test.soak}, a hundredth of both in every build.
 */
class NativeSoakTest {
    private static final int SESSIONS = 100_000;
    private static final int CALLS = 1_000_000;

    /** A heap that is all there from the beginning: what grows is something else. */
    private static final List<String> FIXED_HEAP =
            List.of("-Xms96m", "-Xmx96m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC");

    /** For what the JVM compiles meanwhile; a session that is left behind would be more than 40 KiB. */
    private static final long ALLOWED_KIB = 16 * 1024;

    @Test
    void residentMemoryStaysAsItIs() throws Exception {
        NativeFixture.assumeAvailable();
        if (!Files.isReadable(Soak.STATUS)) {
            NativeFixture.skip("this system does not tell a process its resident memory in " + Soak.STATUS);
        }
        int share = System.getProperty("elbo4j.test.soak") == null ? 100 : 1;
        ChildJvm jvm = new ChildJvm(ChildJvm.Mode.CLASS_PATH).limitSeconds(3600);
        FIXED_HEAP.forEach(jvm::option);
        Map<String, String> seen = jvm.run(Soak.class, String.valueOf(SESSIONS / share), String.valueOf(CALLS / share));
        System.out.printf(
                "%d sessions: %s KiB, %d calls: %s KiB%n",
                SESSIONS / share, seen.get("sessions"), CALLS / share, seen.get("calls"));
        assertThat(seen).containsEntry("bytes", "0");
        assertThat(Long.parseLong(seen.getOrDefault("sessions", "")))
                .as("KiB grown by sessions")
                .isLessThan(ALLOWED_KIB);
        assertThat(Long.parseLong(seen.getOrDefault("calls", "")))
                .as("KiB grown by calls")
                .isLessThan(ALLOWED_KIB);
    }
}
