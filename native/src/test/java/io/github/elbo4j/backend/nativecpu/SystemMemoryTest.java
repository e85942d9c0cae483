package io.github.elbo4j.backend.nativecpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.BackendMemoryException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SystemMemoryTest {
    @TempDir
    Path root;

    private Path write(String name, String content) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(Objects.requireNonNull(file.getParent()));
        return Files.writeString(file, content);
    }

    private long available() {
        return new SystemMemory(root).available();
    }

    @BeforeEach
    void describeTheMachine() throws IOException {
        write("proc/meminfo", """
                MemTotal:       24000000 kB
                MemFree:         1000000 kB
                MemAvailable:    2000000 kB
                """);
    }

    @Test
    void theMachineTellsWhatItHas() throws IOException {
        assertThat(available()).isEqualTo(2_000_000L * 1024);
        Files.delete(root.resolve("proc/meminfo"));
        assertThat(available()).isGreaterThan(1L << 60);
    }

    @Test
    void aContainerMayHaveLess() throws IOException {
        write("sys/fs/cgroup/memory.max", "1000000\n");
        write("sys/fs/cgroup/memory.stat", "anon 400000\nfile 500000\nanon_thp 7\n");
        assertThat(available()).isEqualTo(600_000);
        write("sys/fs/cgroup/memory.stat", "anon 1400000\n");
        assertThat(available()).isZero();
        write("sys/fs/cgroup/memory.max", "max\n");
        assertThat(available()).isEqualTo(2_000_000L * 1024);
    }

    @Test
    void aGroupMayHaveLessThanThoseAroundIt() throws IOException {
        write("proc/self/cgroup", "0::/system.slice/app.service/worker\n");
        write("sys/fs/cgroup/system.slice/memory.max", "9000\n");
        write("sys/fs/cgroup/system.slice/memory.stat", "anon 2000\n");
        write("sys/fs/cgroup/system.slice/app.service/memory.max", "max\n");
        assertThat(available()).isEqualTo(7000);
        write("sys/fs/cgroup/system.slice/app.service/worker/memory.max", "6000\n");
        assertThat(available()).isEqualTo(6000);
        // A neighbour's.
        write("sys/fs/cgroup/user.slice/memory.max", "1\n");
        write("memory.max", "1\n");
        assertThat(available()).isEqualTo(6000);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0::/../../other\n", "0::/of/the/host\n", "0::/\n", "nonsense\n", ""})
    void aContainerThatDoesNotSeeItsGroupAsksTheTop(String membership) throws IOException {
        write("proc/self/cgroup", membership);
        write("sys/fs/cgroup/memory.max", "5000\n");
        write("sys/other/memory.max", "1\n");
        assertThat(available()).isEqualTo(5000);
    }

    @Test
    void olderContainersTellElsewhere() throws IOException {
        write("proc/self/cgroup", "12:cpu,cpuacct:/elsewhere\n4:memory:/docker/id\n1:name=systemd:/x\n");
        write("sys/fs/cgroup/memory/docker/id/memory.limit_in_bytes", "5000\n");
        write("sys/fs/cgroup/memory/docker/id/memory.stat", "cache 2000\nrss 700\ntotal_rss 1000\ntotal_rss_huge 0\n");
        assertThat(available()).isEqualTo(4000);
        write("sys/fs/cgroup/memory/memory.limit_in_bytes", "3000\n");
        assertThat(available()).isEqualTo(3000);
    }

    @Test
    void whatTheMachineDoesNotHaveIsRefusedBeforeItIsUsed() {
        NativeFixture.assumeAvailable();
        assertThatThrownBy(() -> NativeMemory.block("'x'", 1L << 45))
                .isInstanceOf(BackendMemoryException.class)
                .hasMessageContaining("'x'")
                .hasMessageContaining(String.valueOf(1L << 45));
    }
}
