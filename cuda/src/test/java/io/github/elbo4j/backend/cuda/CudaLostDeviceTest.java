package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendException;
import io.github.elbo4j.backend.BackendUnavailableException;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.InferenceSession;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The device is lost in the middle of everything: the process hears of it once with its cause, and nothing hangs. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CudaLostDeviceTest {
    private static final int ILLEGAL_ADDRESS = 700;
    private static final long JOIN_SECONDS = 30;
    private static final String POOL = "elbo4j.cuda.pool";

    @BeforeEach
    @AfterEach
    void renew() {
        System.clearProperty(POOL);
        EmulatedDevice.assumeEmulated();
        EmulatorControl.clearFailures();
        EmulatorControl.reset();
        CudaContext.forgetLost();
    }

    private static Backend open() {
        return Backends.open("cuda", Map.of("steps", "4"));
    }

    /** Two workspaces of one backend, another backend on the same device, and all that can be asked of them. */
    private static final class Everything {
        private final Backend backend = open();
        private final Backend neighbour = open();
        private final TinyTraining first = new TinyTraining(backend, 1);
        private final TinyTraining second = new TinyTraining(backend, 2);
        private final TinyTraining beside = new TinyTraining(neighbour, 3);
        private final Workspace work = backend.workspace("more");
        private final Tensor rows = work.tensor("rows", DType.F32, 4, 8);
        private final Tensor sums = work.tensor("sums", DType.F32, 4);

        private final FrozenModel frozen = FrozenModel.of(first.vae());
        private final InferenceSession session = frozen.session(2);

        Everything() {
            for (TinyTraining each : List.of(first, second, beside)) {
                each.run(5);
                each.bits();
                each.schedule(18);
            }
        }

        List<ThrowingCallable> calls() {
            List<ThrowingCallable> calls = new ArrayList<>();
            for (TinyTraining each : List.of(first, second, beside)) {
                Tensor values = each.vae().parameters().values();
                calls.add(() -> each.replay().run(1));
                calls.add(() -> each.replay().run(9));
                calls.add(() -> each.replay().await());
                calls.add(() -> each.state().read());
                calls.add(() -> each.state().resetMetrics());
                calls.add(() -> each.state().reseed(3));
                calls.add(() -> each.state().schedule(0, new double[4]));
                calls.add(values::downloadFloats);
                calls.add(() -> values.uploadFloats(new float[Math.toIntExact(values.size())]));
                calls.add(() -> FrozenModel.of(each.vae()));
                calls.add(() -> frozen.session(2));
                calls.add(() -> session.reconstruct(new float[12]));
                calls.add(() -> each.work().tensor("late", DType.F32, 3));
                calls.add(() -> each.work()
                        .record(
                                each.state(),
                                Rows.of(2),
                                step -> step.optimizer().advance(each.state())));
            }
            calls.add(() -> work.parameters(List.of(Parameters.Spec.trained("w", "all", 2, 2)), 2));
            calls.add(() -> work.stepState(1, List.of(), 0, List.of()));
            calls.add(() -> backend.loss().bernoulliForward(Rows.of(4), rows, rows, sums));
            calls.add(() -> new TinyTraining(backend, 4));
            calls.add(() -> new TinyTraining(neighbour, 4));
            return calls;
        }

        void close() {
            first.replay().close();
            session.close();
            frozen.close();
            rows.close();
            work.close();
            second.close();
            second.replay().close();
            first.close();
            backend.close();
            backend.close();
            // With a workspace left open.
            neighbour.close();
            beside.close();
        }
    }

    private static void isOver(Everything everything, String cause) {
        for (ThrowingCallable call : everything.calls()) {
            long begin = System.nanoTime();
            assertThatThrownBy(call)
                    .isInstanceOf(BackendException.class)
                    .hasMessageContainingAll("this process has lost", cause, "restart the process");
            assertThat(System.nanoTime() - begin).isLessThan(TimeUnit.SECONDS.toNanos(5));
        }
        long native0 = EmulatorControl.callCount("cuCtxPushCurrent_v2");
        everything.close();
        assertThat(EmulatorControl.callCount("cuCtxPushCurrent_v2"))
                .as("calls on a lost device")
                .isEqualTo(native0);
        assertThatThrownBy(() -> Backends.open("cuda"))
                .isInstanceOf(BackendUnavailableException.class)
                .hasMessageContainingAll("this process has lost", cause, "restart the process");
        try (Backend other = Backends.best()) {
            assertThat(other.info().name()).isNotEqualTo("cuda");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "kernel, 1, 700",
        "kernel, 2, 716",
        "kernel, 17, 719",
        "kernel, 150, 700",
        "gemm, 1, 719",
        "gemm, 9, 700",
        "gemm, 100, 702",
    })
    void aFaultInTheMiddleOfARun(String what, long n, int status) {
        Everything everything = new Everything();
        EmulatorControl.failNth(what, n, status);
        everything.first.replay().run(9);
        everything.second.replay().run(9);
        assertThatThrownBy(() -> everything.second.replay().await())
                .isInstanceOf(CudaException.class)
                .hasMessageContainingAll(
                        "cuEventSynchronize", CudaStatus.driver(status).name(), String.valueOf(status))
                .hasMessageContaining("restart");
        isOver(everything, CudaStatus.driver(status).name());
    }

    /** A call may be the first to hear of what an earlier one, or another user of the device, has broken. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "cuCtxPushCurrent_v2",
                "cuMemAlloc_v2",
                "cuMemsetD8Async",
                "cuMemcpyHtoDAsync_v2",
                "cuMemcpyDtoHAsync_v2",
                "cuLaunchKernel",
                "cuGraphLaunch",
                "cuGraphUpload",
                "cuGraphInstantiateWithFlags",
                "cuStreamBeginCapture_v2",
                "cuStreamEndCapture",
                "cuStreamWaitEvent",
                "cuEventCreate",
                "cuEventRecord",
                "cuEventSynchronize"
            })
    void anyCallMayBeTheFirstToTell(String function) {
        // Unpooled, so that a recording allocates.
        System.setProperty(POOL, "off");
        Everything everything = new Everything();
        EmulatorControl.failNth(function, 1, ILLEGAL_ADDRESS);
        Throwable thrown = catchThrowable(() -> {
            try (TinyTraining training = new TinyTraining(everything.backend, 5)) {
                training.run(9);
                training.bits();
                training.replay().await();
            }
        });
        assertThat(thrown).isInstanceOf(CudaException.class).hasMessageContaining("700");
        assertThat(thrown.getSuppressed()).isEmpty();
        isOver(everything, "CUDA_ERROR_ILLEGAL_ADDRESS");
    }

    /** As when the emulated device finds that bytes behind an allocation were written. */
    @ParameterizedTest
    @ValueSource(strings = {"cuMemFree_v2", "cuStreamSynchronize", "cuGraphExecDestroy", "cuEventDestroy_v2"})
    void aLossThatClosingFindsIsToldByTheNextCall(String function) {
        System.setProperty(POOL, "off");
        Everything everything = new Everything();
        TinyTraining training = new TinyTraining(everything.backend, 5);
        EmulatorControl.failNth(function, 1, ILLEGAL_ADDRESS);
        training.run(9);
        training.replay().await();
        training.close();
        isOver(everything, "CUDA_ERROR_ILLEGAL_ADDRESS");
    }

    @Test
    void threadsThatWaitComeBack() throws InterruptedException {
        Backend backend = open();
        List<TinyTraining> trainings = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            trainings.add(new TinyTraining(backend, i));
        }
        trainings.forEach(training -> training.schedule(4));
        trainings.forEach(training -> training.replay().run(4));
        // The first of them has more kernels than that.
        EmulatorControl.failNth("kernel", 40, ILLEGAL_ADDRESS);
        List<Throwable> thrown = Collections.synchronizedList(new ArrayList<>());
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < trainings.size(); i++) {
            TinyTraining training = trainings.get(i);
            Runnable wait =
                    () -> thrown.add(catchThrowable(() -> training.replay().await()));
            threads.add(
                    i % 2 == 0
                            ? Thread.startVirtualThread(wait)
                            : Thread.ofPlatform().start(wait));
        }
        for (Thread thread : threads) {
            assertThat(thread.join(java.time.Duration.ofSeconds(JOIN_SECONDS)))
                    .as("a wait that ends")
                    .isTrue();
        }
        assertThat(thrown)
                .hasSize(trainings.size())
                .allSatisfy(each -> assertThat(each)
                        .isInstanceOf(BackendException.class)
                        .hasMessageContainingAll("CUDA_ERROR_ILLEGAL_ADDRESS", "restart the process"));
        trainings.forEach(TinyTraining::close);
        backend.close();
    }

    /** While threads record, allocate and close, whatever they are in: they get the one exception, and closing none. */
    @ParameterizedTest
    @ValueSource(ints = {150, 700, 2000, 5000})
    void threadsInTheMiddleOfAnythingComeBack(int kernels) throws InterruptedException {
        Backend backend = open();
        EmulatorControl.failNth("kernel", kernels, ILLEGAL_ADDRESS);
        List<Throwable> thrown = Collections.synchronizedList(new ArrayList<>());
        List<Throwable> closing = Collections.synchronizedList(new ArrayList<>());
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            int seed = i;
            Runnable work = () -> {
                Throwable failure = null;
                while (failure == null) {
                    failure = catchThrowable(() -> {
                        TinyTraining training = new TinyTraining(backend, seed);
                        try {
                            training.run(7);
                            training.bits();
                        } finally {
                            Throwable quiet = catchThrowable(training::close);
                            if (quiet != null) {
                                closing.add(quiet);
                            }
                        }
                    });
                }
                thrown.add(failure);
            };
            threads.add(
                    i % 2 == 0
                            ? Thread.startVirtualThread(work)
                            : Thread.ofPlatform().start(work));
        }
        for (Thread thread : threads) {
            assertThat(thread.join(java.time.Duration.ofSeconds(JOIN_SECONDS)))
                    .as("a thread that ends")
                    .isTrue();
        }
        assertThat(closing).isEmpty();
        assertThat(thrown)
                .hasSize(threads.size())
                .allSatisfy(each -> assertThat(each)
                        .isInstanceOf(BackendException.class)
                        .hasMessageContainingAll("CUDA_ERROR_ILLEGAL_ADDRESS", "restart the process")
                        // cuBLAS hides the cause behind a status of its own.
                        .satisfies(failure -> assertThat(failure.getSuppressed())
                                .allSatisfy(hidden -> assertThat(hidden).hasMessageContaining("CUBLAS_STATUS"))));
        backend.close();
    }
}
