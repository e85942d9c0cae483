package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Map;
import java.util.function.IntSupplier;
import jcuda.driver.CUcontext;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Another user of CUDA in the process, with JCuda: neither is in the other's way. */
class CudaSharedDeviceTest {
    private static final int BYTES = 1 << 16;
    private static final CUcontext NONE = new CUcontext();

    private CudaDevice device;
    private final CUcontext context = new CUcontext();

    @BeforeEach
    void retain() {
        EmulatedDevice.assumeEmulated();
        EmulatorControl.clearFailures();
        EmulatorControl.reset();
        CudaContext.forgetLost();
        CudaFixture.open(Map.of()).close();
        device = CudaDevice.list().getFirst();
        assertThat(current()).as("left by another test").isEqualTo(NONE);
        call(() -> JCudaDriver.cuDevicePrimaryCtxRetain(context, device.handle()));
    }

    @AfterEach
    void release() {
        if (device != null) {
            call(() -> JCudaDriver.cuDevicePrimaryCtxRelease(device.handle()));
        }
    }

    private static void call(IntSupplier call) {
        assertThat(CudaCalls.driver(call)).isZero();
    }

    private static CUcontext current() {
        CUcontext current = new CUcontext();
        call(() -> JCudaDriver.cuCtxGetCurrent(current));
        return current;
    }

    private boolean active() {
        int[] flags = new int[1];
        int[] active = new int[1];
        call(() -> JCudaDriver.cuDevicePrimaryCtxGetState(device.handle(), flags, active));
        assertThat(flags).containsExactly(0);
        return active[0] == 1;
    }

    /** Memory, a stream and numbers of the other user's. */
    private static final class Other implements AutoCloseable {
        private final Arena arena = Arena.ofConfined();
        private final MemorySegment host = arena.allocate(BYTES);
        private final DevicePointer memory = new DevicePointer();
        private final CUstream stream = new CUstream();

        Other(int value) {
            call(() -> JCudaDriver.cuMemAlloc(memory, BYTES));
            call(() -> JCudaDriver.cuStreamCreate(stream, 0));
            call(() -> JCudaDriver.cuMemsetD8Async(memory, (byte) value, BYTES, stream));
        }

        void holds(int value) {
            call(() -> JCudaDriver.cuStreamSynchronize(stream));
            host.fill((byte) 0);
            call(() -> JCudaDriver.cuMemcpyDtoH(HostPointer.of(host), memory, BYTES));
            byte[] expected = new byte[BYTES];
            Arrays.fill(expected, (byte) value);
            assertThat(host.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(expected);
        }

        @Override
        public void close() {
            call(() -> JCudaDriver.cuStreamDestroy(stream));
            call(() -> JCudaDriver.cuMemFree(memory));
            arena.close();
        }
    }

    private void train(Backend backend) {
        try (TinyTraining training = new TinyTraining(backend, 1)) {
            training.run(3);
            training.bits();
        }
    }

    @Test
    void itsContextStaysCurrentAndItsMemoryItsOwn() {
        call(() -> JCudaDriver.cuCtxPushCurrent(context));
        try (Other other = new Other(7)) {
            Backend backend = Backends.open("cuda");
            assertThat(current()).isEqualTo(context);
            train(backend);
            assertThat(current()).isEqualTo(context);
            other.holds(7);
            try (Other later = new Other(9)) {
                backend.close();
                assertThat(current()).isEqualTo(context);
                assertThat(active()).isTrue();
                other.holds(7);
                later.holds(9);
            }
            // What was freed above is not ours to use again, and a new backend finds its own.
            try (Backend again = Backends.open("cuda")) {
                train(again);
                other.holds(7);
            }
            other.holds(7);
        }
        call(() -> JCudaDriver.cuCtxPopCurrent(new CUcontext()));
        assertThat(current()).as("what lay below").isEqualTo(NONE);
    }

    @Test
    void whereNoContextIsCurrentNoneIsAfterwards() {
        try (Backend backend = Backends.open("cuda")) {
            assertThat(current()).isEqualTo(NONE);
            train(backend);
            assertThat(current()).isEqualTo(NONE);
        }
        assertThat(current()).isEqualTo(NONE);
        assertThat(active()).isTrue();
    }

    @Test
    void theContextIsNeitherResetNorSetUpAnew() {
        DeviceLedger ledger = DeviceLedger.open();
        try (Backend backend = Backends.open("cuda");
                Backend second = Backends.open("cuda")) {
            train(backend);
            train(second);
        }
        assertThat(ledger.calls())
                .doesNotContainKeys(
                        "cuDevicePrimaryCtxReset_v2",
                        "cuDevicePrimaryCtxSetFlags_v2",
                        "cuCtxSetCurrent",
                        "cuCtxSynchronize",
                        "cuCtxCreate_v2",
                        "cuCtxDestroy_v2")
                .containsEntry("cuDevicePrimaryCtxRetain", 2L)
                .containsEntry("cuDevicePrimaryCtxRelease_v2", 2L);
        assertThat(ledger.left("")).isEmpty();
    }

    /** On a lost device the hold of the backend stays, so that it never takes the last one away from others. */
    @Test
    void aLostContextIsLeftToTheOtherUser() {
        Backend backend = Backends.open("cuda");
        DeviceLedger ledger = DeviceLedger.open();
        TinyTraining training = new TinyTraining(backend, 1);
        EmulatorControl.failNth("kernel", 3, 700);
        training.run(2);
        assertThat(org.assertj.core.api.Assertions.catchThrowable(training::bits))
                .isInstanceOf(CudaException.class);
        backend.close();
        assertThat(ledger.calls()).doesNotContainKey("cuDevicePrimaryCtxRelease_v2");
        assertThat(active()).isTrue();
        EmulatorControl.reset();
        CudaContext.forgetLost();
        // The one hold that the lost backend keeps.
        call(() -> JCudaDriver.cuDevicePrimaryCtxRelease(device.handle()));
    }
}
