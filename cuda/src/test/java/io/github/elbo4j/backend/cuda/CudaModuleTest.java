package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.BackendException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class CudaModuleTest extends DeviceTest {
    @Test
    void everyTypeOfArgumentArrives() {
        try (CudaPool pool = new CudaPool(context, stream, false);
                CudaStaging staging = new CudaStaging(context, stream);
                CudaModule kernels = sound()) {
            CudaPool.Block out = pool.allocate("numbers", 40);
            kernels.kernel("echo_arguments")
                    .launch(stream, 1, 1, 32, 1, out.address(), -7, 0xfffffff0, -(1L << 40) - 3, 0.1f, Math.PI);
            double[] seen = new double[5];
            staging.download(out.address(), MemorySegment.ofArray(seen));
            assertThat(seen).containsExactly(-7, 4294967280.0, -(double) (1L << 40) - 3, 0.1f, Math.PI);
        }
    }

    @Test
    void wrongArgumentsNeverReachTheDriver() {
        try (CudaModule kernels = sound()) {
            CudaModule.Kernel scale = kernels.kernel("scale_by");
            long launches = EmulatorControl.callCount("cuLaunchKernel");
            assertThatThrownBy(() -> scale.launch(stream, 1, 1, 32, 1, 1L, 2f))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("kernel scale_by takes 3 arguments (pfi), not 2");
            assertThatThrownBy(() -> scale.launch(stream, 1, 1, 32, 1, 1L, 2f, 3, 4))
                    .hasMessage("kernel scale_by takes 3 arguments (pfi), not 4");
            assertThatThrownBy(() -> scale.launch(stream, 1, 1, 32, 1, 1, 2f, 3))
                    .hasMessage("kernel scale_by (pfi): argument 0 is 1, not a Long");
            assertThatThrownBy(() -> scale.launch(stream, 1, 1, 32, 1, 1L, 2.0, 3))
                    .hasMessage("kernel scale_by (pfi): argument 1 is 2.0, not a Float");
            assertThatThrownBy(() -> scale.launch(stream, 1, 1, 32, 1, 1L, 2f, 3L))
                    .hasMessage("kernel scale_by (pfi): argument 2 is 3, not a Integer");
            int[][] impossible = {
                {0, 1, 32, 1},
                {1, 0, 32, 1},
                {1, 1, 0, 1},
                {1, 1, 32, 0},
                {1, 65_536, 32, 1},
                {1, 1, 1025, 1},
                {1, 1, 512, 3},
                {1, 1, 65_536, 65_536},
                {-1, 1, 32, 1}
            };
            for (int[] each : impossible) {
                assertThatThrownBy(() -> scale.launch(stream, each[0], each[1], each[2], each[3], 1L, 2f, 3))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContaining("no device runs a grid of");
            }
            assertThat(EmulatorControl.callCount("cuLaunchKernel")).isEqualTo(launches);
            assertThatThrownBy(() -> kernels.kernel("scale"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("no kernel 'scale'");
        }
    }

    @Test
    void aLaunchThatFailsNamesItsKernel() {
        try (CudaPool pool = new CudaPool(context, stream, true);
                CudaModule kernels = sound()) {
            long x = pool.allocate("numbers", 128).address();
            EmulatorControl.failNth("cuLaunchKernel", 1, 719);
            assertThatThrownBy(() -> kernels.kernel("scale_by").launch(stream, 1, 1, 32, 1, x, 2f, 32))
                    .isInstanceOf(CudaException.class)
                    .hasMessageContaining("cuLaunchKernel of scale_by failed with CUDA_ERROR_LAUNCH_FAILED (719)");
            assertThat(context.lost()).isTrue();
        }
    }

    @Test
    void anImageWithoutADescribedKernelIsRefused() {
        KernelDescriptors more = KernelDescriptors.parse("scale_by pfi\nabsent_f32 p\n");
        assertThatThrownBy(() -> CudaModule.load(context, image("sound.so"), more))
                .isInstanceOf(CudaException.class)
                .hasMessageContainingAll(
                        "cuModuleGetFunction of absent_f32", "CUDA_ERROR_NOT_FOUND", "jars of one version");
        assertThat(EmulatorControl.kernels()).as("unloaded again").isEmpty();
    }

    @Test
    void anImageForNothingIsRefused() {
        assertThatThrownBy(() -> CudaModule.load(context, new byte[100], SOUND))
                .isInstanceOf(BackendException.class)
                .hasMessageContaining("CUDA_ERROR_INVALID_IMAGE");
    }

    @Test
    void aClosedModuleLaunchesNothing() {
        CudaModule kernels = sound();
        CudaModule.Kernel scale = kernels.kernel("scale_by");
        kernels.close();
        kernels.close();
        assertThatThrownBy(() -> scale.launch(stream, 1, 1, 32, 1, 1L, 2f, 3))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
    }

    /** The emulated device deduces the letters from the C++ types. */
    @Test
    void theEmulatedDeviceTellsNamesAndTypes() {
        try (CudaModule kernels = sound()) {
            assertThat(kernels.kernel("scale_by")).isNotNull();
            String loaded = EmulatorControl.kernels();
            SOUND.kernels().forEach((name, codes) -> assertThat(loaded.lines()).contains(name + " " + codes));
        }
        assertThat(EmulatorControl.kernels()).isEmpty();
    }

    @Test
    void theDescriptorsOfTheJarAreThoseOfItsKernels() throws IOException {
        if (CudaModule.class.getResource(CudaModule.DESCRIPTORS) == null
                || !java.nio.file.Files.exists(EmulatedDevice.file("elbo4j_kernels.so"))) {
            Tools.skip("this build has no kernels");
        }
        KernelDescriptors descriptors = CudaModule.descriptors();
        try (CudaModule kernels = CudaModule.load(context)) {
            String described = descriptors.kernels().entrySet().stream()
                    .map(each -> each.getKey() + " " + each.getValue() + "\n")
                    .sorted()
                    .collect(Collectors.joining());
            assertThat(described).isEqualTo(EmulatorControl.kernels());
            descriptors.kernels().keySet().forEach(kernels::kernel);
        }
    }
}
