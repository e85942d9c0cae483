package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.BackendException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import jcuda.driver.CUcontext;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CudaContextTest extends DeviceTest {
    @AfterEach
    void defaults() {
        if (context != null) {
            JCudaDriver.setExceptionsEnabled(false);
        }
    }

    private static CUcontext current() {
        CUcontext current = new CUcontext();
        assertThat(CudaCalls.driver(() -> JCudaDriver.cuCtxGetCurrent(current))).isZero();
        return current;
    }

    @Test
    void whatWasCurrentStaysCurrent() {
        assertThat(current()).isEqualTo(new CUcontext());
        CUcontext other = new CUcontext();
        CudaDevice device = context.device();
        assertThat(JCudaDriver.cuDevicePrimaryCtxRetain(other, device.handle())).isZero();
        assertThat(JCudaDriver.cuCtxPushCurrent(other)).isZero();
        stream.synchronize();
        try (CudaPool pool = new CudaPool(context, stream, true);
                CudaStaging staging = new CudaStaging(context, stream);
                CudaModule kernels = sound()) {
            CudaPool.Block x = floats(pool, staging, 1, 2);
            try (CudaGraph graph = CudaGraph.capture(
                    context,
                    stream,
                    stream,
                    () -> kernels.kernel("scale_by").launch(stream, 1, 1, 32, 1, x.address(), 2f, 2))) {
                graph.launch();
                assertThat(read(staging, x)).containsExactly(2, 4);
            }
            assertThatThrownBy(() -> pool.allocate("too much", 1L << 45)).isInstanceOf(BackendException.class);
        }
        assertThat(current()).isEqualTo(other);
        assertThat(JCudaDriver.cuCtxPopCurrent(new CUcontext())).isZero();
        assertThat(current()).as("nothing was left below").isEqualTo(new CUcontext());
        assertThat(JCudaDriver.cuDevicePrimaryCtxRelease(device.handle())).isZero();
    }

    @Test
    void itIsNeverResetAndItsFlagsAreNeverChanged() {
        context.close();
        assertThat(EmulatorControl.callCount("cuDevicePrimaryCtxReset_v2")).isZero();
        assertThat(EmulatorControl.callCount("cuDevicePrimaryCtxSetFlags_v2")).isZero();
        assertThat(EmulatorControl.callCount("cuCtxSetCurrent")).isZero();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void failuresAreOursWhetherJCudaThrowsOrNot(boolean exceptions) {
        JCudaDriver.setExceptionsEnabled(exceptions);
        for (int code : new int[] {1, 2, 400, 801, 12345}) {
            EmulatorControl.failNth("cuStreamSynchronize", 1, code);
            assertThatThrownBy(stream::synchronize)
                    .isInstanceOfSatisfying(
                            CudaException.class, e -> assertThat(e.status()).isEqualTo(CudaStatus.driver(code)));
        }
        stream.synchronize();
        assertThat(context.lost()).isFalse();
    }

    /** Every code that has words is understood from JCuda's exception; a code that JCuda lacks comes as its number. */
    @Test
    void everyCodeIsReadFromJCudasExceptions() {
        for (int code : CudaStatus.driverCodesKnown().keySet()) {
            int read = CudaCalls.driver(() -> {
                throw new jcuda.CudaException(jcuda.driver.CUresult.stringFor(code));
            });
            assertThat(read).isEqualTo(code);
        }
        for (int code : CudaStatus.cublasCodesKnown().keySet()) {
            int read = CudaCalls.cublas(() -> {
                throw new jcuda.CudaException(jcuda.jcublas.cublasStatus.stringFor(code));
            });
            assertThat(read).isEqualTo(code);
        }
        assertThat(CudaCalls.driver(() -> {
                    throw new jcuda.CudaException("no code");
                }))
                .isEqualTo(999);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aKernelThatLeavesItsMemoryEndsTheContextForTheProcess(boolean exceptions) {
        JCudaDriver.setExceptionsEnabled(exceptions);
        JCublas2.setExceptionsEnabled(exceptions);
        CudaPool pool = new CudaPool(context, stream, false);
        CudaStaging staging = new CudaStaging(context, stream);
        CudaModule kernels = broken();
        CudaBlas blas = new CudaBlas(context, pool, stream, Precision.FP32);
        CudaEvent event = CudaEvent.open(context);
        long memory = pool.allocate("numbers", 64 * 4).address();
        kernels.kernel("out_of_bounds").launch(stream, 1, 1, 96, 1, memory, 64);
        assertThatThrownBy(stream::synchronize)
                .isInstanceOf(CudaException.class)
                .hasMessageContainingAll("cuStreamSynchronize", "CUDA_ERROR_ILLEGAL_ADDRESS (700)", "restart");
        assertThat(EmulatorControl.lastFault().kernel()).isEqualTo("out_of_bounds");
        assertThat(context.lost()).isTrue();

        long pushes = EmulatorControl.callCount("cuCtxPushCurrent_v2");
        List<Runnable> calls = List.of(
                stream::synchronize,
                () -> event.record(stream),
                () -> pool.allocate("more", 4),
                () -> staging.download(memory, java.lang.foreign.MemorySegment.ofArray(new byte[4])),
                () -> kernels.kernel("trap_itself").launch(stream, 1, 1, 32, 1, memory),
                () -> blas.gemm(false, false, 1, 1, 1, memory, 1, memory, 1, false, memory, 1),
                () -> CudaGraph.capture(context, stream, stream, () -> {}),
                () -> CudaContext.open(context.device()));
        for (Runnable call : calls) {
            assertThatThrownBy(call::run)
                    .isInstanceOf(BackendException.class)
                    .hasMessageContainingAll(
                            "this process has lost", "cuStreamSynchronize", "700", "restart the process");
        }
        event.close();
        blas.close();
        kernels.close();
        staging.close();
        pool.close();
        stream.close();
        context.close();
        assertThat(EmulatorControl.callCount("cuCtxPushCurrent_v2"))
                .as("nothing native was called")
                .isEqualTo(pushes);
        JCublas2.setExceptionsEnabled(false);
    }

    @Test
    void theFirstCauseIsKept() {
        assertThatThrownBy(() -> context.check("first", 719)).isInstanceOf(CudaException.class);
        assertThatThrownBy(() -> context.check("second", 700)).isInstanceOf(CudaException.class);
        assertThatThrownBy(context::requireUsable).hasMessageContaining("first failed with CUDA_ERROR_LAUNCH_FAILED");
    }

    @Test
    void cublasFailuresAreToldFromALostContext() {
        context.enter();
        try {
            assertThatThrownBy(() -> context.checkBlas("cublasGemmEx", 15))
                    .hasMessageContaining("CUBLAS_STATUS_NOT_SUPPORTED");
            assertThat(context.lost()).isFalse();
            EmulatorControl.failNth("cuMemGetInfo_v2", 1, 700);
            assertThatThrownBy(() -> context.checkBlas("cublasGemmEx", 13))
                    .hasMessageContaining("CUDA_ERROR_ILLEGAL_ADDRESS");
            assertThat(context.lost()).isTrue();
        } finally {
            context.exit();
        }
    }

    @Test
    void aClosedContextRefuses() {
        context.close();
        context.close();
        assertThatThrownBy(context::enter)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is closed");
        assertThatThrownBy(stream::synchronize).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void twoOfThemShareTheDevice() {
        try (CudaContext second = CudaContext.open(context.device());
                CudaStream other = CudaStream.open(second)) {
            other.synchronize();
        }
        stream.synchronize();
    }

    @Test
    @SuppressWarnings("ThreadPriorityCheck")
    void virtualThreadsAlwaysFindTheirContext() throws InterruptedException {
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch start = new CountDownLatch(1);
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 200; t++) {
            threads.add(Thread.startVirtualThread(() -> {
                try {
                    start.await();
                    for (int i = 0; i < 20; i++) {
                        try (CudaEvent event = CudaEvent.open(context)) {
                            event.record(stream);
                            Thread.yield();
                            event.synchronize();
                        }
                    }
                } catch (RuntimeException | InterruptedException e) {
                    failures.add(e);
                }
            }));
        }
        start.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(failures).isEmpty();
    }

    @Test
    void eventsOrderStreamsAndTellTime() {
        try (CudaStream second = CudaStream.open(context);
                CudaEvent start = CudaEvent.open(context);
                CudaEvent done = CudaEvent.open(context);
                CudaPool pool = new CudaPool(context, stream, true);
                CudaStaging staging = new CudaStaging(context, stream);
                CudaModule kernels = sound()) {
            CudaPool.Block x = floats(pool, staging, 1, 1);
            for (int i = 0; i < 20; i++) {
                start.record(stream);
                kernels.kernel("scale_by").launch(stream, 1, 1, 32, 1, x.address(), 0f, 2);
                done.record(stream);
                second.waitFor(done);
                kernels.kernel("add_constant").launch(second, 1, 1, 32, 1, x.address(), 5f, 2);
                second.synchronize();
                assertThat(read(staging, x)).containsExactly(5, 5);
                assertThat(done.millisSince(start)).isNotNegative();
            }
        }
    }
}
