package io.github.elbo4j.validation;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendInfo;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.LinearKernels;
import io.github.elbo4j.backend.View;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
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

    /** Products on factors of 10 fraction bits, as TF32 takes them: right only where the backend says so. */
    @Test
    void productsOfShorterFactorsNeedTheirDeclaredError() {
        try (Backend java = Backends.open("java");
                KernelJudge judge = new KernelJudge()) {
            for (double declared : new double[] {0, 0x1p-9}) {
                Backend shorter = withShorterFactors(java, declared);
                // The bias gradient sums what is shortened here for the product beside it; a real backend sums the
                // original.
                List<String> failed = KernelCases.of("linear", 1).stream()
                        .flatMap(kernelCase -> judge
                                .compare(
                                        kernelCase,
                                        kernelCase.capacity(),
                                        KernelRun.eager(shorter, kernelCase, true),
                                        shorter,
                                        judge.expected(kernelCase, kernelCase.capacity()))
                                .stream())
                        .filter(comparison -> !comparison.passed())
                        .map(Comparison::describe)
                        .filter(text -> !text.contains(", db"))
                        .toList();
                if (declared == 0) {
                    assertThat(failed).hasSizeGreaterThan(100);
                } else {
                    assertThat(failed).isEmpty();
                }
            }
        }
    }

    private static Backend withShorterFactors(Backend backend, double declared) {
        BackendInfo info = backend.info();
        LinearKernels linear = proxy(LinearKernels.class, (method, arguments) -> {
            // The first two operands are the factors in every kernel of the family.
            float[] first = shorten((View) arguments[1]);
            float[] second = shorten((View) arguments[2]);
            try {
                return method.invoke(backend.linear(), arguments);
            } finally {
                ((View) arguments[1]).tensor().uploadFloats(first);
                ((View) arguments[2]).tensor().uploadFloats(second);
            }
        });
        return proxy(Backend.class, (method, arguments) -> switch (method.getName()) {
            case "linear" -> linear;
            case "info" -> new BackendInfo(info.name(), info.device(), info.numericProfile(), declared, 0, 1, 0, 0, 0);
            default -> method.invoke(backend, arguments);
        });
    }

    /** Rounds a view's numbers in place and gives back what its tensor held. */
    private static float[] shorten(View view) {
        float[] before = view.tensor().downloadFloats();
        float[] after = before.clone();
        for (long i = view.offset(); i < view.offset() + view.size(); i++) {
            after[(int) i] = Float.intBitsToFloat((Float.floatToRawIntBits(after[(int) i]) + 0x1000) & ~0x1FFF);
        }
        view.tensor().uploadFloats(after);
        return before;
    }

    @FunctionalInterface
    private interface Call {
        @Nullable
        Object run(Method method, @Nullable Object[] arguments) throws ReflectiveOperationException;
    }

    private static <T> T proxy(Class<T> type, Call call) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (_, method, arguments) -> call.run(method, arguments)));
    }
}
