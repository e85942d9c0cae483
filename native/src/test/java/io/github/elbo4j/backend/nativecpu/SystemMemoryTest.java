package io.github.elbo4j.backend.nativecpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.BackendMemoryException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SystemMemoryTest {
    @TempDir
    Path folder;

    private SystemMemory memory() throws IOException {
        Path meminfo = Files.writeString(folder.resolve("meminfo"), """
                MemTotal:       24000000 kB
                MemFree:         1000000 kB
                MemAvailable:    2000000 kB
                """);
        return new SystemMemory(meminfo, folder);
    }

    @Test
    void theMachineTellsWhatItHas() throws IOException {
        assertThat(memory().available()).isEqualTo(2_000_000L * 1024);
        assertThat(new SystemMemory(folder.resolve("absent"), folder).available())
                .isGreaterThan(1L << 60);
    }

    @Test
    void aContainerMayHaveLess() throws IOException {
        Files.writeString(folder.resolve("memory.max"), "1000000\n");
        Files.writeString(folder.resolve("memory.stat"), "anon 400000\nfile 500000\nanon_thp 7\n");
        assertThat(memory().available()).isEqualTo(600_000);
        Files.writeString(folder.resolve("memory.stat"), "anon 1400000\n");
        assertThat(memory().available()).isZero();
        Files.writeString(folder.resolve("memory.max"), "max\n");
        assertThat(memory().available()).isEqualTo(2_000_000L * 1024);
    }

    @Test
    void olderContainersTellElsewhere() throws IOException {
        Path old = Files.createDirectory(folder.resolve("memory"));
        Files.writeString(old.resolve("memory.limit_in_bytes"), "5000\n");
        Files.writeString(old.resolve("memory.stat"), "cache 2000\nrss 1000\nrss_huge 0\n");
        assertThat(memory().available()).isEqualTo(4000);
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
