package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelDescriptorsTest {
    @Test
    void namesLettersAndTargets() {
        KernelDescriptors read = KernelDescriptors.parse("# sm_75 sm_90 compute_75\nadam_f32 pplifd\n\nnothing\nu u\n");
        assertThat(read.targets()).containsExactly("sm_75", "sm_90", "compute_75");
        assertThat(read.kernels()).isEqualTo(Map.of("adam_f32", "pplifd", "nothing", "", "u", "u"));
        assertThat(KernelDescriptors.parse("a p\n").targets()).isEmpty();
        assertThat(KernelDescriptors.parse("#\na p\n").targets()).isEmpty();
        assertThat(KernelDescriptors.parse("").kernels()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a x", "a  p", "1a p", "a p p", "a-b p", "a p\n# late", "a p\na p"})
    void whatIsNoDescriptorIsRefusedWithItsLine(String text) {
        assertThatThrownBy(() -> KernelDescriptors.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("kernels.txt, line " + text.lines().count());
    }
}
