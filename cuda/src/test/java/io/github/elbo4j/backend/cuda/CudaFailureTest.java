package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendException;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.model.Vae;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every function of the driver and of cuBLAS that the backend calls fails in its turn; nothing else is lost by it. */
class CudaFailureTest extends FailingDevice {
    private static final int CUBLAS_FAILURE = 14;

    /** Calls that only end something: what goes wrong there is no reason to fail. */
    private static final Set<String> ENDING = ending();

    private static final Set<String> ESSENTIAL = Set.of(
            "cuMemAlloc_v2",
            "cuLaunchKernel",
            "cuGraphLaunch",
            "cuStreamEndCapture",
            "cuMemcpyHtoDAsync_v2",
            "cublasGemmEx",
            "cublasSetWorkspace_v2");

    /** What a use calls, and how often before anything of it is closed. */
    private record Calls(Map<String, Long> used, Map<String, Long> all) {
        static final Calls COUNTED = count();

        private static Calls count() {
            DeviceLedger ledger = DeviceLedger.open();
            Map<String, Long> used;
            try (Backend backend = open();
                    TinyTraining training = new TinyTraining(backend, 3)) {
                run(training);
                try (Served _ = Served.of(training.vae())) {
                    used = ledger.calls();
                }
            }
            Map<String, Long> all = ledger.calls();
            // Called by the emulated cuBLAS, not by us.
            all.remove("cuCtxGetCurrent");
            return new Calls(used, all);
        }
    }

    private static Set<String> ending() {
        Set<String> ending = new TreeSet<>(DeviceLedger.RELEASES.values());
        ending.remove("cuStreamEndCapture");
        ending.add("cuGraphDestroy");
        ending.add("cuStreamSynchronize");
        return ending;
    }

    private static void run(TinyTraining training) {
        training.run(5);
        training.bits();
        training.replay().await();
    }

    /** A session that has served more rows than a block, then fewer with another seed. */
    private record Served(FrozenModel frozen, InferenceSession session) implements AutoCloseable {
        static Served of(Vae vae) {
            FrozenModel frozen = FrozenModel.of(vae);
            try {
                InferenceSession session = frozen.session(200);
                try {
                    int width = vae.config().input().size();
                    session.score(new float[200 * width], 1);
                    session.score(new float[3 * width], 2);
                    return new Served(frozen, session);
                } catch (RuntimeException e) {
                    session.close();
                    throw e;
                }
            } catch (RuntimeException e) {
                frozen.close();
                throw e;
            }
        }

        @Override
        public void close() {
            session.close();
            frozen.close();
        }
    }

    /** Fails one call of what {@link Calls} counts; gives what was thrown. */
    private static @Nullable Throwable failing(String function, long n) {
        String what = function + " failing at call " + n;
        DeviceLedger ledger = DeviceLedger.open();
        EmulatorControl.failNth(function, n, status(function));
        Throwable thrown = catchThrowable(() -> {
            try (Backend backend = open();
                    TinyTraining training = new TinyTraining(backend, 3)) {
                run(training);
                Served.of(training.vae()).close();
            }
        });
        assertThat(ledger.calls().getOrDefault(function, 0L))
                .as("calls, " + what)
                .isGreaterThanOrEqualTo(n);
        EmulatorControl.clearFailures();
        // Without the context current nothing can be freed.
        if (thrown != null || !function.equals("cuCtxPushCurrent_v2")) {
            assertThat(ledger.left(function)).as("left by " + what).isEmpty();
        }
        for (Throwable each = thrown; each != null; each = each.getCause()) {
            assertThat(each).as(what).isInstanceOf(BackendException.class);
            assertThat(each.getSuppressed()).as("thrown by close after " + what).isEmpty();
        }
        return thrown;
    }

    private static int status(String function) {
        return function.startsWith("cublas") ? CUBLAS_FAILURE : DRIVER_FAILURE;
    }

    static Stream<String> functions() {
        EmulatedDevice.assumeEmulated();
        open().close();
        return Calls.COUNTED.all().keySet().stream();
    }

    @Test
    void nothingIsLeftWhereNothingFails() {
        DeviceLedger ledger = DeviceLedger.open();
        whole();
        assertThat(ledger.left("")).isEmpty();
        assertThat(ledger.calls().keySet())
                .containsAll(ESSENTIAL)
                .containsAll(DeviceLedger.RELEASES.keySet())
                .containsAll(DeviceLedger.RELEASES.values());
    }

    /** The first call, the second, the last in use, and the last of all, which is one of close. */
    @ParameterizedTest
    @MethodSource("functions")
    void aFailureIsNamedAndClosingIsQuiet(String function) {
        long used = Calls.COUNTED.used().getOrDefault(function, 0L);
        long all = Calls.COUNTED.all().getOrDefault(function, 0L);
        String name = function.replaceFirst("(WithFlags)?(_v\\d)?$", "");
        for (long n : new TreeSet<>(List.of(1L, 2L, used))) {
            if (n < 1 || n > used) {
                continue;
            }
            Throwable thrown = failing(function, n);
            if (ENDING.contains(function)) {
                assertThat(thrown).as(function + " failing at call " + n).isNull();
            } else {
                assertThat(thrown)
                        .as(function + " failing at call " + n)
                        .hasMessageContainingAll(name, String.valueOf(status(function)));
            }
        }
        if (all > used) {
            assertThat(failing(function, all))
                    .as(function + " failing in close")
                    .isNull();
        }
        assertThat(whole()).isEqualTo(Expected.BITS);
    }

    /** Computed once nothing fails any more. */
    private static final class Expected {
        static final List<Long> BITS = whole();
    }
}
