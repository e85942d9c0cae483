package io.github.elbo4j.backend.nativecpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.nativecpu.NativeIsas.Isa;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeIsasTest {
    private static final NativeIsas ISAS =
            new NativeIsas(List.of(new Isa(0, "plain", true), new Isa(1, "wide", true), new Isa(2, "widest", false)));

    @Test
    void theBestIsTheLastThatTheCpuHas() {
        assertThat(ISAS.best(null).name()).isEqualTo("wide");
        assertThat(ISAS.names()).isEqualTo("plain, wide");
    }

    @Test
    void theCapIsTheBestToBeUsed() {
        assertThat(ISAS.best("plain").number()).isZero();
        assertThat(ISAS.best("wide").number()).isOne();
        assertThatThrownBy(() -> ISAS.best("widest"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("ELBO4J_MAX_ISA 'widest' is not supported by this CPU, which has plain, wide");
        assertThatThrownBy(() -> ISAS.best("Wide"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("ELBO4J_MAX_ISA 'Wide' is unknown; this CPU has plain, wide");
        assertThatThrownBy(() -> ISAS.best("")).hasMessageContaining("''");
    }

    @Test
    void theLibraryHasOneThatEveryCpuHasAndKnowsThisOne() throws IOException {
        List<Isa> supported = NativeFixture.isas();
        NativeIsas all = NativeIsas.ofLibrary();
        assertThat(all.all().getFirst().supported()).isTrue();
        assertThat(all.all()).extracting(Isa::name).doesNotHaveDuplicates();
        Path cpuinfo = Path.of("/proc/cpuinfo");
        if (Files.isReadable(cpuinfo)) {
            String text = Files.readString(cpuinfo);
            if (text.contains(" avx512f ") && text.contains(" avx512vl ") && text.contains(" avx512bw ")) {
                assertThat(supported).extracting(Isa::name).contains("x86-64-v3", "x86-64-v4");
            } else if (text.contains(" avx2 ") && text.contains(" fma ")) {
                assertThat(supported)
                        .extracting(Isa::name)
                        .contains("x86-64-v3")
                        .doesNotContain("x86-64-v4");
            }
        }
    }

    @Test
    void theCpuIsNamed(@TempDir Path folder) throws IOException {
        Path cpuinfo = Files.writeString(folder.resolve("cpuinfo"), """
                processor\t: 0
                model name\t: Some CPU @ 3 GHz
                processor\t: 1
                model name\t: Some other
                """);
        assertThat(CpuModel.read(cpuinfo)).isEqualTo("Some CPU @ 3 GHz");
        assertThat(CpuModel.read(folder.resolve("absent"))).isEqualTo(System.getProperty("os.arch"));
        assertThat(CpuModel.read(Files.writeString(cpuinfo, "Features: fp asimd\n")))
                .isEqualTo(System.getProperty("os.arch"));
    }
}
