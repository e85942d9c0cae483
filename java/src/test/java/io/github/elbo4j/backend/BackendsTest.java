package io.github.elbo4j.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.BackendProvider.Problem;
import io.github.elbo4j.backend.java.JavaProvider;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BackendsTest {
    private static final BackendProvider JAVA = new JavaProvider();

    private @Nullable String property;

    @BeforeEach
    void keepProperty() {
        property = System.getProperty(Backends.PROPERTY);
        System.clearProperty(Backends.PROPERTY);
    }

    @AfterEach
    void restoreProperty() {
        if (property == null) {
            System.clearProperty(Backends.PROPERTY);
        } else {
            System.setProperty(Backends.PROPERTY, property);
        }
    }

    /** A provider that opens what it is told to. */
    private record Stub(
            String name,
            int rank,
            int seamVersion,
            List<Problem> problems,
            Function<Map<String, String>, Backend> opening)
            implements BackendProvider {
        @Override
        public Map<String, String> options() {
            return Map.of("threads", "any");
        }

        @Override
        public Backend open(Map<String, String> options) {
            return opening.apply(options);
        }
    }

    private static Stub sound(String name, int rank) {
        return new Stub(name, rank, BackendProvider.SEAM_VERSION, List.of(), JAVA::open);
    }

    private static Stub refusing(String name, int rank) {
        List<Problem> problems = List.of(new Problem("no device", "buy one"), new Problem("no driver", "install it"));
        return new Stub(name, rank, BackendProvider.SEAM_VERSION, problems, options -> {
            throw new AssertionError("opened in spite of its problems");
        });
    }

    /** A backend whose self-test fails as soon as it begins. */
    private static Backend failing(Map<String, String> options) {
        Backend sound = JAVA.open(options);
        return (Backend) Proxy.newProxyInstance(
                Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("workspace")) {
                        throw new BackendException("z[0] is 2.0, expected 1.0");
                    }
                    return method.invoke(sound, arguments);
                });
    }

    @Test
    void theReferenceIsReportedAndOpens() {
        assertThat(Backends.report())
                .filteredOn(report -> report.name().equals("java"))
                .singleElement()
                .satisfies(report -> {
                    assertThat(report.available()).isTrue();
                    assertThat(report.options()).containsKeys("threads", "precision");
                });
        try (Backend backend = Backends.open("java")) {
            assertThat(backend.info().name()).isEqualTo("java");
            assertThat(backend.info().numericProfile()).isEqualTo("java-fp32");
            assertThat(backend.info().bytesInUse())
                    .as("the self-test leaves nothing")
                    .isZero();
            assertThat(backend.real()).isEqualTo(DType.F32);
        }
        try (Backend backend = Backends.open("java", Map.of("precision", "fp64", "threads", "3"))) {
            assertThat(backend.info().numericProfile()).isEqualTo("java-fp64");
            assertThat(backend.info().threads()).isEqualTo(3);
        }
        try (Backend backend = Backends.best()) {
            assertThat(backend.info().name()).isNotEmpty();
        }
    }

    @Test
    void unknownNamesAndOptionsAreRefusedWithTheKnownOnes() {
        assertThatThrownBy(() -> Backends.open("abacus"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("'abacus'", "java");
        assertThatThrownBy(() -> Backends.open("java", Map.of("colour", "red")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("'colour'", "threads", "precision");
        assertThatThrownBy(() -> Backends.best(Map.of("colour", "red")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'colour'");
        for (String threads : List.of("0", "-1", "many", "", "99999")) {
            assertThatThrownBy(() -> Backends.open("java", Map.of("threads", threads)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("'" + threads + "'", "1 to");
        }
        assertThatThrownBy(() -> Backends.open("java", Map.of("precision", "fp8")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'fp8'");
    }

    @Test
    void theHighestThatOpensWins() {
        List<BackendProvider> providers = List.of(
                refusing("broken", 30),
                new Stub("failing", 25, 1, List.of(), BackendsTest::failing),
                sound("good", 20),
                JAVA);
        try (Backend backend = Backends.best(providers, Map.of("threads", "2", "precision", "fp64"))) {
            assertThat(backend.info().threads()).isEqualTo(2);
            assertThat(backend.real())
                    .as("a provider is given only the options that it takes")
                    .isEqualTo(DType.F32);
        }
    }

    @Test
    void thePropertyForcesTheChoice() {
        List<BackendProvider> providers = List.of(sound("good", 20), refusing("broken", 10), JAVA);
        System.setProperty(Backends.PROPERTY, "java");
        try (Backend backend = Backends.best(providers, Map.of("precision", "fp64"))) {
            assertThat(backend.real()).isEqualTo(DType.F64);
        }
        System.setProperty(Backends.PROPERTY, "broken");
        assertThatThrownBy(() -> Backends.best(providers, Map.of()))
                .as("a forced backend is not replaced")
                .isInstanceOf(BackendUnavailableException.class);
        System.setProperty(Backends.PROPERTY, "abacus");
        assertThatThrownBy(Backends::best)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'abacus'");
    }

    @Test
    void everyReasonIsGivenWithItsRemedy() {
        List<BackendProvider> providers = List.of(refusing("broken", 30), refusing("other", 20));
        assertThatThrownBy(() -> Backends.open(providers, "broken", Map.of()))
                .isInstanceOf(BackendUnavailableException.class)
                .hasMessageContainingAll("'broken'", "no device", "buy one", "no driver", "install it")
                .satisfies(e ->
                        assertThat(((BackendUnavailableException) e).problems()).hasSize(2));
        assertThatThrownBy(() -> Backends.best(providers, Map.of()))
                .isInstanceOf(BackendUnavailableException.class)
                .hasMessageContainingAll("broken: no device", "other: no driver");
    }

    @Test
    void aJarOfAnotherVersionIsNotAsked() {
        Stub old = new Stub("old", 9, BackendProvider.SEAM_VERSION + 1, List.of(), options -> {
            throw new AssertionError("opened in spite of its version");
        });
        assertThatThrownBy(() -> Backends.open(List.of(old), "old", Map.of()))
                .isInstanceOf(BackendUnavailableException.class)
                .hasMessageContainingAll("seam version 2", "has 1", "jars of one elbo4j version");
    }

    @Test
    void aBackendThatFailsItsSelfTestIsNotHandedOut() {
        Stub failing = new Stub("failing", 9, BackendProvider.SEAM_VERSION, List.of(), BackendsTest::failing);
        assertThatThrownBy(() -> Backends.open(List.of(failing), "failing", Map.of()))
                .isInstanceOf(BackendUnavailableException.class)
                .hasMessageContainingAll("self-test", "z[0]", "choose another backend")
                .hasCauseInstanceOf(BackendException.class);
    }

    /** A backend whose products are wrong behind the sixteenth column only, where a first vector ends. */
    private static Backend wrongInTheTail(Map<String, String> options) {
        Backend sound = JAVA.open(options);
        LinearKernels linear = (LinearKernels) Proxy.newProxyInstance(
                Backend.class.getClassLoader(), new Class<?>[] {LinearKernels.class}, (proxy, method, arguments) -> {
                    Object result = method.invoke(sound.linear(), arguments);
                    if (method.getName().equals("linearForward") && arguments[5] instanceof Tensor y) {
                        float[] values = y.downloadFloats();
                        if (y.columns() > 16) {
                            values[16]++;
                        }
                        y.uploadFloats(values);
                    }
                    return result;
                });
        return (Backend) Proxy.newProxyInstance(
                Backend.class.getClassLoader(),
                new Class<?>[] {Backend.class},
                (proxy, method, arguments) ->
                        method.getName().equals("linear") ? linear : method.invoke(sound, arguments));
    }

    @Test
    void theSelfTestLooksBehindTheFirstVector() {
        Stub failing = new Stub("failing", 9, BackendProvider.SEAM_VERSION, List.of(), BackendsTest::wrongInTheTail);
        assertThatThrownBy(() -> Backends.open(List.of(failing), "failing", Map.of()))
                .isInstanceOf(BackendUnavailableException.class)
                .hasMessageContainingAll("self-test", "wide product[16]");
    }

    @Test
    void aProviderThatBreaksWhileOpeningIsUnavailableWithItsReason() {
        for (Throwable broken : List.of(new UnsatisfiedLinkError("no library"), new IllegalStateException("driver"))) {
            Stub stub = new Stub("broken", 9, BackendProvider.SEAM_VERSION, List.of(), options -> {
                throw BackendsTest.<RuntimeException>sneaky(broken);
            });
            assertThatThrownBy(() -> Backends.open(List.of(stub), "broken", Map.of()))
                    .isInstanceOf(BackendUnavailableException.class)
                    .hasMessageContainingAll("broken", String.valueOf(broken.getMessage()), "choose another")
                    .hasCause(broken);
            try (Backend next = Backends.best(List.of(stub, JAVA), Map.of())) {
                assertThat(next.info().name()).isEqualTo("java");
            }
        }
    }

    @Test
    void aProviderThatBreaksWhenAskedIsUnavailableAndHidesNoOther() {
        BackendProvider broken = (BackendProvider) Proxy.newProxyInstance(
                BackendProvider.class.getClassLoader(),
                new Class<?>[] {BackendProvider.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "name" -> "broken";
                    case "seamVersion" -> BackendProvider.SEAM_VERSION;
                    case "options" -> Map.of();
                    default -> throw new IllegalStateException("driver");
                });
        assertThatThrownBy(() -> Backends.open(List.of(broken), "broken", Map.of()))
                .isInstanceOf(BackendUnavailableException.class)
                .hasMessageContainingAll("'broken'", "driver", "choose another");
        try (Backend next = Backends.best(List.of(broken, JAVA), Map.of())) {
            assertThat(next.info().name()).isEqualTo("java");
        }
    }

    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // throws any throwable as it is
    private static <T extends Throwable> RuntimeException sneaky(Throwable throwable) throws T {
        throw (T) throwable;
    }
}
