package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendMemoryException;
import io.github.elbo4j.backend.BackendUnavailableException;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is left of a backend after a call of it has failed: everything. */
class CudaShortMemoryTest extends FailingDevice {
    private static final int ALLOC_FAILED = 3;
    private static final int MOST_TRIED = 24;

    /** Memory can be short in any call that makes something, not in cuMemAlloc alone. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "cuMemAlloc_v2",
                "cuMemsetD8Async",
                "cuMemcpyHtoDAsync_v2",
                "cuGraphInstantiateWithFlags",
                "cuGraphUpload",
                "cuGraphLaunch",
                "cuLaunchKernel",
                "cuEventCreate",
                "cuEventRecord",
                "cublasGemmEx"
            })
    void shortMemoryIsToldByItsTypeAndLeavesTheBackendUsable(String function) {
        int status = function.startsWith("cublas") ? ALLOC_FAILED : OUT_OF_MEMORY;
        // Unpooled, so that each block counts.
        System.setProperty(POOL, "off");
        try (Backend backend = open()) {
            DeviceLedger counting = DeviceLedger.open();
            List<Long> expected = use(backend);
            long calls = counting.calls().getOrDefault(function, 0L);
            assertThat(calls).isPositive();
            for (long n = 1; n <= calls; n += Math.max(1, calls / MOST_TRIED)) {
                String what = function + " failing at call " + n + " of " + calls;
                DeviceLedger ledger = DeviceLedger.open();
                EmulatorControl.failNth(function, n, status);
                Throwable thrown = catchThrowable(() -> use(backend));
                EmulatorControl.clearFailures();
                assertThat(thrown).as(what).isInstanceOf(BackendMemoryException.class);
                assertThat(backend.info().bytesInUse()).as(what).isZero();
                assertThat(ledger.left(function)).as("left by " + what).isEmpty();
            }
            assertThat(use(backend)).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"on", "off"})
    void everyAllocationOfOpeningCanFail(String pool) {
        System.setProperty(POOL, pool);
        DeviceLedger counting = DeviceLedger.open();
        open().close();
        long calls = counting.calls().getOrDefault("cuMemAlloc_v2", 0L);
        assertThat(calls).isPositive();
        int refused = 0;
        for (long n = 1; n <= calls; n += Math.max(1, calls / MOST_TRIED)) {
            DeviceLedger ledger = DeviceLedger.open();
            EmulatorControl.failNth("cuMemAlloc_v2", n, OUT_OF_MEMORY);
            Throwable thrown = catchThrowable(() -> open().close());
            EmulatorControl.clearFailures();
            // Where there is no room for a chunk, the pool asks for less, and gets it here.
            if (thrown != null || pool.equals("off")) {
                refused++;
                assertThat(thrown)
                        .as("allocation " + n + " of " + calls)
                        .isInstanceOf(BackendUnavailableException.class)
                        .hasMessageContaining("bytes");
            }
            assertThat(ledger.left("cuMemAlloc_v2"))
                    .as("left by allocation " + n)
                    .isEmpty();
        }
        assertThat(refused).isPositive();
        open().close();
    }

    /** Through the pinned buffers, which a failed transfer may leave in use. */
    @ParameterizedTest
    @ValueSource(strings = {"cuEventRecord", "cuMemcpyHtoDAsync_v2", "cuMemcpyDtoHAsync_v2", "cuEventSynchronize"})
    void aFailedTransferSpoilsNoOther(String function) {
        int size = Math.toIntExact(5 * CudaStaging.BUFFER / 2 / Float.BYTES);
        try (Backend backend = open();
                Workspace work = backend.workspace("transfers")) {
            Tensor old = filled(work, "old", size, -1);
            Tensor tensor = work.tensor("new", DType.F32, size);
            int failed = 0;
            for (int n = 1; n <= 3; n++) {
                for (boolean up : new boolean[] {true, false}) {
                    float[] numbers = numbers(size, 10 * n + (up ? 1 : 2));
                    EmulatorControl.failNth(function, n, DRIVER_FAILURE);
                    Throwable thrown = catchThrowable(() -> {
                        if (up) {
                            tensor.uploadFloats(numbers);
                        } else {
                            old.download(MemorySegment.ofArray(new float[size]), 0);
                        }
                    });
                    EmulatorControl.clearFailures();
                    failed += thrown == null ? 0 : 1;
                    tensor.uploadFloats(numbers);
                    assertThat(Arrays.equals(tensor.downloadFloats(), numbers))
                            .as("upload after call " + n + " of " + function + " failed")
                            .isTrue();
                    assertThat(Arrays.equals(old.downloadFloats(), numbers(size, -1)))
                            .isTrue();
                }
            }
            assertThat(failed).isPositive();
        }
    }

    private static Tensor filled(Workspace work, String name, int size, float value) {
        Tensor tensor = work.tensor(name, DType.F32, size);
        tensor.uploadFloats(numbers(size, value));
        return tensor;
    }

    private static float[] numbers(int size, float value) {
        float[] numbers = new float[size];
        Arrays.fill(numbers, value);
        return numbers;
    }
}
