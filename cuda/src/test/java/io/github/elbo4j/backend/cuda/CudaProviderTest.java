package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CudaProviderTest {
    private final CudaProvider provider = new CudaProvider();

    @BeforeEach
    void device() {
        EmulatedDevice.load();
    }

    @Test
    void itSaysWhatItTakes() {
        assertThat(provider.name()).isEqualTo("cuda");
        assertThat(provider.rank()).isEqualTo(200);
        assertThat(provider.options()).containsOnlyKeys("precision", "device", "steps");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            precision | fp64 | backend 'cuda': precision 'fp64' is none of fp32, tf32, bf16
            precision | FP32 | backend 'cuda': precision 'FP32' is none of fp32, tf32, bf16
            steps     | 0    | backend 'cuda': steps '0' is not a number from 1 to 256
            steps     | 257  | backend 'cuda': steps '257' is not a number from 1 to 256
            steps     | many | backend 'cuda': steps 'many' is not a number from 1 to 256
            """)
    void impossibleOptionsAreRefusedFirst(String option, String value, String message) {
        assertThatThrownBy(() -> provider.open(Map.of(option, value)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    @Test
    void precisionsHaveTheirErrors() {
        assertThat(Precision.of("fp32").productError()).isZero();
        assertThat(Precision.of("tf32").productError()).isEqualTo(0x1p-9);
        assertThat(Precision.of("bf16").productError()).isEqualTo(0x1p-7);
        for (Precision each : Precision.values()) {
            assertThat(Precision.of(each.label())).isEqualTo(each);
        }
    }
}
