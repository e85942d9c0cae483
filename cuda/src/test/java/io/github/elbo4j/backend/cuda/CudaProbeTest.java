package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.cuda.ChildJvm.Mode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What the provider says of machines with something missing, each in a JVM of its own. */
class CudaProbeTest {
    @TempDir
    Path folder;

    private Path classes;

    @BeforeEach
    void jarWithKernels() throws IOException {
        EmulatedDevice.assumeEmulated();
        classes = folder.resolve("classes");
        Path built = ChildJvm.folder(CudaStatus.class, "CudaStatus.class");
        try (Stream<Path> files = Files.walk(built)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path copy = classes.resolve(built.relativize(file).toString());
                Files.createDirectories(copy.getParent());
                Files.copy(file, copy);
            }
        }
        Path kernels = Files.createDirectories(resource(CudaModule.IMAGE).getParent());
        Files.copy(
                EmulatedDevice.file("sound.so"), kernels.resolve("elbo4j.fatbin"), StandardCopyOption.REPLACE_EXISTING);
        Files.writeString(kernels.resolve("kernels.txt"), "# sm_75 compute_75\nscale_by pfi\n");
    }

    private Path resource(String name) {
        return classes.resolve(name.substring(1));
    }

    private ChildJvm jvm(Mode mode) {
        return new ChildJvm(mode)
                .classes(classes)
                .environment("EMU_VERBOSE", "0")
                .option("-D" + CublasSearch.PROPERTY + "=" + EmulatedDevice.file("libcublas.so.12"));
    }

    private static Map<String, String> onDriver(ChildJvm jvm) throws Exception {
        return jvm.probe("probe", EmulatedDevice.file("libcuda.so.1").toString());
    }

    private static List<String> problems(Map<String, String> seen) {
        assertThat(seen).containsEntry("kept", "true");
        return IntStream.range(0, Integer.parseInt(String.valueOf(seen.get("problems"))))
                .mapToObj(i -> String.valueOf(seen.get("problem." + i)))
                .toList();
    }

    private static String only(Map<String, String> seen) {
        assertThat(problems(seen)).hasSize(1);
        assertThat(seen.get("open"))
                .startsWith("BackendUnavailableException: backend 'cuda' is not available: ")
                .contains(problems(seen).get(0));
        return problems(seen).get(0);
    }

    @ParameterizedTest
    @EnumSource
    void aMachineWithEverythingHasNoProblem(Mode mode) throws Exception {
        Map<String, String> seen = onDriver(jvm(mode));
        assertThat(problems(seen)).isEmpty();
        assertThat(seen)
                .containsEntry("findings", "driver,device 0,cuBLAS,kernels")
                .containsEntry("finding.driver", "NVIDIA driver for CUDA 13.0")
                .containsEntry(
                        "finding.cuBLAS",
                        "12 (" + EmulatedDevice.file("libcublas.so.12") + ", by -Delbo4j.cublas.path)")
                .containsEntry("finding.kernels", "sm_75 compute_75");
        assertThat(seen.get("finding.device.0")).contains(", compute capability 9.0, 2.0 GiB, GPU-");
        assertThat(seen.get("open")).startsWith("IllegalArgumentException: device '7' names no device");
    }

    @ParameterizedTest
    @EnumSource
    void withoutADriverOneThingIsMissing(Mode mode) throws Exception {
        if (ChildJvm.driverInstalled()) {
            Tools.skip("this machine has an NVIDIA driver");
        }
        Map<String, String> seen = jvm(mode).probe("probe");
        assertThat(only(seen))
                .startsWith("there is no NVIDIA driver: libcuda.so.1 was not found; install the NVIDIA driver, 580");
        assertThat(seen).containsEntry("findings", "kernels");
    }

    @Test
    void withoutCublas() throws Exception {
        Map<String, String> seen = onDriver(
                jvm(Mode.CLASS_PATH).option("-D" + CublasSearch.PROPERTY + "=" + folder.resolve("absent.so.12")));
        assertThat(only(seen)).contains("is not a cuBLAS 12 or newer (there is no such file)");
        assertThat(seen).containsEntry("findings", "driver,device 0,kernels");
    }

    @ParameterizedTest
    @EnumSource
    void aNewerCublasIsUsedThroughTheForwardingLibrary(Mode mode) throws Exception {
        Tools.need("gcc", "nm");
        Path cublas = EmulatedDevice.file("cublas13/libcublas.so.13");
        Map<String, String> seen = onDriver(jvm(mode).option("-D" + CublasSearch.PROPERTY + "=" + cublas));
        assertThat(problems(seen)).isEmpty();
        assertThat(seen)
                .containsEntry(
                        "finding.cuBLAS",
                        "13 (" + cublas + ", by -Delbo4j.cublas.path, through the forwarding library)");
    }

    /** Four functions where JCublas2 asks for all: calling another would end the process. */
    @Test
    void aCublasThatLacksFunctionsIsRefused() throws Exception {
        Tools.need("gcc", "nm");
        Path lt = Tools.library(folder.resolve("old"), "libcublasLt.so.12", "fake_cublas_lt.c");
        Path cublas = Tools.library(folder.resolve("old"), "libcublas.so.12", "fake_cublas.c", lt.toString());
        Map<String, String> seen = onDriver(jvm(Mode.CLASS_PATH).option("-D" + CublasSearch.PROPERTY + "=" + cublas));
        assertThat(only(seen))
                .containsPattern("libcublas.so.12, by .* lacks 4\\d\\d functions that JCublas2 asks for, cublas")
                .contains("install cuBLAS 12.6 or newer");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            34  | CUDA_ERROR_STUB_LIBRARY                   | remove the toolkit's stubs folder from LD_LIBRARY_PATH
            46  | CUDA_ERROR_DEVICE_UNAVAILABLE             | nvidia-smi -c DEFAULT
            100 | CUDA_ERROR_NO_DEVICE                      | CUDA_VISIBLE_DEVICES
            101 | CUDA_ERROR_INVALID_DEVICE                 | nvidia-smi -L
            802 | CUDA_ERROR_SYSTEM_NOT_READY               | nvidia-fabricmanager
            803 | CUDA_ERROR_SYSTEM_DRIVER_MISMATCH         | restart the machine
            804 | CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE | remove cuda-compat
            999 | CUDA_ERROR_UNKNOWN                        | Xid lines
            """)
    void aDriverThatDoesNotStartSaysWhy(int code, String name, String remedy) throws Exception {
        Map<String, String> seen = onDriver(jvm(Mode.CLASS_PATH).environment("EMU_INIT_RESULT", String.valueOf(code)));
        assertThat(only(seen))
                .startsWith("cuInit failed with " + name + " (" + code + "): ")
                .contains(remedy);
        assertThat(seen).containsEntry("findings", "driver,cuBLAS,kernels");
    }

    @Test
    void hiddenDevicesAreNoDevices() throws Exception {
        Map<String, String> seen = onDriver(jvm(Mode.CLASS_PATH).environment("CUDA_VISIBLE_DEVICES", ""));
        assertThat(only(seen)).contains("CUDA_ERROR_NO_DEVICE (100)", "CUDA_VISIBLE_DEVICES");
    }

    @Test
    void anOlderDriverIsToldFromItsVersion() throws Exception {
        Map<String, String> seen = onDriver(jvm(Mode.CLASS_PATH).environment("EMU_DRIVER_VERSION", "12040"));
        assertThat(only(seen))
                .isEqualTo("the NVIDIA driver is too old: it is for CUDA 12.4, the kernels need CUDA 13.0;"
                        + " update the NVIDIA driver to 580 or newer");
        assertThat(seen).containsEntry("finding.driver", "NVIDIA driver for CUDA 12.4");
    }

    @Test
    void anOlderDeviceIsNamed() throws Exception {
        Map<String, String> seen = onDriver(jvm(Mode.CLASS_PATH).environment("EMU_COMPUTE_CAPABILITY", "70"));
        assertThat(only(seen)).contains("no device has the compute capability", "7.5", "compute capability 7.0");
    }

    @Test
    void aJarWithoutKernelsSaysSo() throws Exception {
        for (String name : List.of(CudaModule.IMAGE, CudaModule.DESCRIPTORS)) {
            Files.delete(resource(name));
            Map<String, String> seen = onDriver(jvm(Mode.CLASS_PATH));
            assertThat(only(seen)).contains("they were not compiled into this jar", "built where nvcc is");
        }
    }

    @Test
    void everyReasonIsGiven() throws Exception {
        Files.delete(resource(CudaModule.IMAGE));
        Map<String, String> seen = onDriver(jvm(Mode.CLASS_PATH)
                .environment("EMU_DRIVER_VERSION", "12040")
                .environment("EMU_INIT_RESULT", "100")
                .option("-D" + CublasSearch.PROPERTY + "=" + folder.resolve("absent.so.12")));
        assertThat(problems(seen)).hasSize(4);
    }
}
