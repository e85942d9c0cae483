package io.github.elbo4j.backend.java;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.validation.Comparison;
import io.github.elbo4j.validation.KernelCase;
import io.github.elbo4j.validation.KernelCases;
import io.github.elbo4j.validation.KernelOutcome;
import io.github.elbo4j.validation.KernelRun;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JavaThreadsTest {
    @ParameterizedTest
    @ValueSource(strings = {"fp32", "fp64"})
    void theBitsDoNotDependOnTheThreads(String precision) {
        try (Backend one = Backends.open("java", Map.of("precision", precision, "threads", "1"));
                Backend three = Backends.open("java", Map.of("precision", precision, "threads", "3"))) {
            for (KernelCase kernelCase : KernelCases.all(2)) {
                KernelOutcome alone = KernelRun.eager(one, kernelCase);
                KernelOutcome shared = KernelRun.eager(three, kernelCase);
                alone.outputs().forEach((role, values) -> {
                    Comparison same = Comparison.exact(kernelCase + ", " + role, shared.output(role), values);
                    assertThat(same.passed()).as(same.describe()).isTrue();
                });
                assertThat(shared.state()).isEqualTo(alone.state());
            }
        }
    }
}
