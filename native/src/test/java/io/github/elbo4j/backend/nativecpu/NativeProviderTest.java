package io.github.elbo4j.backend.nativecpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendInfo;
import io.github.elbo4j.backend.Backends;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NativeProviderTest {
    private final NativeProvider provider = new NativeProvider();

    @Test
    void itSaysWhatItTakes() {
        assertThat(provider.name()).isEqualTo("native");
        assertThat(provider.rank()).isEqualTo(100);
        assertThat(provider.options()).containsOnlyKeys("threads", "precision", "isa");
    }

    @ParameterizedTest
    @CsvSource({"0", "1025", "-1", "many", "''"})
    void impossibleThreadsAreRefused(String threads) {
        assertThatThrownBy(() -> provider.open(Map.of("threads", threads)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("backend 'native': threads '" + threads + "' is not a number from 1 to 1024");
    }

    @Test
    void thereIsOnePrecision() {
        assertThatThrownBy(() -> provider.open(Map.of("precision", "fp64")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("backend 'native': precision 'fp64' is not fp32");
        try (Backend backend = NativeFixture.open(Map.of("precision", "fp32"))) {
            assertThat(backend.info().numericProfile()).isEqualTo("native-fp32-1");
        }
    }

    @Test
    void anUnknownInstructionSetIsRefusedWithTheNamesOfTheOthers() {
        NativeFixture.assumeAvailable();
        assertThatThrownBy(() -> Backends.open("native", Map.of("isa", "avx9")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("backend 'native': isa 'avx9' is unknown; this CPU has "
                        + NativeProbe.result().isas().names());
    }

    @Test
    void aBackendSaysWhatItIs() {
        for (NativeIsas.Isa isa : NativeFixture.isas()) {
            try (Backend backend = NativeFixture.open(Map.of("isa", isa.name(), "threads", "2"))) {
                BackendInfo info = backend.info();
                assertThat(info.name()).isEqualTo("native");
                assertThat(info.device()).isEqualTo(isa.name() + " on " + CpuModel.name() + ", 2 threads");
                assertThat(info.numericProfile()).isEqualTo("native-fp32-1");
                assertThat(info.productError()).isZero();
                assertThat(info.rowBlock()).isZero();
                assertThat(info.threads()).isEqualTo(2);
            }
        }
    }

    @Test
    void doctorIsToldWhatWasFound() {
        NativeFixture.assumeAvailable();
        assertThat(provider.findings())
                .containsOnlyKeys(
                        "library", "ABI version", "CPU", "instruction sets", NativeIsas.CAP_VARIABLE, "in use")
                .containsEntry("ABI version", "1");
        assertThat(provider.options().get("isa"))
                .contains(NativeProbe.result().isas().names());
    }

    @Test
    void itComesBeforeTheReference() {
        assertThat(Backends.report()).extracting(Backends.Report::name).containsSubsequence("native", "java");
        NativeFixture.assumeAvailable();
        if (Backends.report().getFirst().name().equals("native")) {
            try (Backend best = Backends.best()) {
                assertThat(best.info().name()).isEqualTo("native");
            }
        }
    }
}
