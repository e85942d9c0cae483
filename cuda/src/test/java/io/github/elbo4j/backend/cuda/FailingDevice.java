package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Tensor;
import java.util.List;
import java.util.Map;
import jcuda.driver.CUcontext;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** Holds the device as another CUDA user would: what a backend leaves behind would go with the context otherwise. */
abstract class FailingDevice {
    static final int OUT_OF_MEMORY = 2;
    static final int DRIVER_FAILURE = 304;
    static final String POOL = "elbo4j.cuda.pool";

    private CudaDevice device;

    @BeforeEach
    void hold() {
        EmulatedDevice.assumeEmulated();
        // Loads what is loaded once in a process.
        open().close();
        device = CudaDevice.list().getFirst();
        assertThat(JCudaDriver.cuDevicePrimaryCtxRetain(new CUcontext(), device.handle()))
                .isZero();
    }

    @AfterEach
    void letGo() {
        System.clearProperty(POOL);
        if (device != null) {
            EmulatorControl.clearFailures();
            popWhatIsLeft();
            assertThat(JCudaDriver.cuDevicePrimaryCtxRelease(device.handle())).isZero();
            assertThat(EmulatorControl.counter("violations")).isZero();
            assertThat(EmulatorControl.counter("unpinned_async_copies")).isZero();
        }
    }

    /** Where cuCtxPopCurrent was made to fail, the context stayed current on this thread. */
    private static void popWhatIsLeft() {
        CUcontext current = new CUcontext();
        JCudaDriver.cuCtxGetCurrent(current);
        while (!current.equals(new CUcontext())) {
            JCudaDriver.cuCtxPopCurrent(new CUcontext());
            JCudaDriver.cuCtxGetCurrent(current);
        }
    }

    static Backend open() {
        return Backends.open("cuda", Map.of("steps", "2"));
    }

    /** {@return the bits of a recording in both its graphs and of a call at once, all closed again} */
    static List<Long> use(Backend backend) {
        try (TinyTraining training = new TinyTraining(backend, 3)) {
            training.run(5);
            Tensor sums = training.work().tensor("sums", DType.F32, 3);
            Tensor rows = training.work().tensor("rows", DType.F32, 3, 40);
            backend.loss().bernoulliForward(Rows.of(3), rows, rows, sums);
            List<Long> bits = training.bits();
            for (float sum : sums.downloadFloats()) {
                bits.add((long) Float.floatToRawIntBits(sum));
            }
            training.replay().await();
            return bits;
        }
    }

    static List<Long> whole() {
        try (Backend backend = open()) {
            return use(backend);
        }
    }
}
