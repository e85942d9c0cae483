package io.github.elbo4j.benchmarks.jmh;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.benchmarks.KernelCases.KernelCase;
import io.github.elbo4j.benchmarks.jmh.Subject.Recorded;
import org.junit.jupiter.api.Test;

class SubjectTest {
    @Test
    void aKernelThatHasAlreadyRunIsNotWhatTheReferenceGives() {
        KernelCase sgd = KernelBenchmark.cases().stream()
                .filter(each -> each.name().equals("sgd"))
                .findFirst()
                .orElseThrow();
        try (Backend backend = Subject.open("java", 1);
                Recorded recorded = Recorded.of(backend, sgd, 100)) {
            assertThatCode(() -> Subject.requireReference(recorded, sgd)).doesNotThrowAnyException();
            // One more update of the weights than the reference's.
            assertThatThrownBy(() -> Subject.requireReference(recorded, sgd))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("sgd, tensor");
        }
    }

    @Test
    void whatIsNoNumberDiffers() {
        double[] expected = {1, 1000};
        assertThatCode(() -> Subject.requireClose("x", new double[] {1.001, 1000}, expected))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> Subject.requireClose("x", new double[] {1.1, 1000}, expected))
                .hasMessageContaining("x, element 0: 1.1 instead of 1.0");
        assertThatThrownBy(() -> Subject.requireClose("x", new double[] {1, Double.NaN}, expected))
                .hasMessageContaining("element 1");
    }

    @Test
    void anUnknownBackendIsNotReplaced() {
        assertThatThrownBy(() -> Subject.open("nosuch", 1)).hasMessageContaining("nosuch");
    }
}
