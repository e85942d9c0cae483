package io.github.elbo4j.validation;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ValidationTest {
    @ParameterizedTest
    @ValueSource(strings = {"fp32", "fp64"})
    void theReferencePasses(String precision) {
        try (Backend backend = Backends.open("java", Map.of("precision", precision, "threads", "2"))) {
            ValidationReport report = Validation.run(backend, 1);
            assertThat(report.passed()).as(report.table()).isTrue();
            assertThat(report.table()).contains("linearForward", "ok");
        }
    }
}
