package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.BackendProvider.Problem;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import jcuda.driver.JCudaDriver;

/**
 * What this process has of what the backend needs. Asked once; it never needs a GPU and never throws.
 *
 * @param problems what is missing, with remedies; empty when the backend can be opened
 * @param findings what was found, by name, in the order of looking
 */
record CudaProbe(List<Problem> problems, Map<String, String> findings) {
    /** The CUDA version of driver 580, as the driver counts: 13.0. */
    static final int LOWEST_DRIVER = 13_000;

    /** Made at the first use, by the loader of classes: one for all threads. */
    private static final class Once {
        static final CudaProbe RESULT = new Probing().run();
    }

    /** {@return what was found when it was first asked} */
    static CudaProbe result() {
        return Once.RESULT;
    }

    private static final class Probing {
        private final List<Problem> problems = new ArrayList<>();
        private final Map<String, String> findings = new LinkedHashMap<>();

        CudaProbe run() {
            try {
                look();
            } catch (RuntimeException | LinkageError e) {
                problems.add(new Problem("looking for CUDA failed: " + e, "report it with this line"));
            }
            return new CudaProbe(List.copyOf(problems), Collections.unmodifiableMap(new LinkedHashMap<>(findings)));
        }

        private void look() {
            Optional<Problem> platform = Obstacles.platform();
            if (platform.isPresent()) {
                problems.add(platform.get());
                return;
            }
            Optional<Problem> natives = JCudaNatives.load(JCudaNatives.Part.DRIVER);
            if (natives.isPresent()) {
                problems.add(natives.get());
            } else {
                driver();
                cublas();
            }
            kernels();
        }

        private void driver() {
            int[] version = new int[1];
            if (succeeded("cuDriverGetVersion", CudaCalls.driver(() -> JCudaDriver.cuDriverGetVersion(version)))) {
                String words = version[0] / 1000 + "." + version[0] % 1000 / 10;
                findings.put("driver", "NVIDIA driver for CUDA " + words);
                if (version[0] < LOWEST_DRIVER) {
                    problems.add(new Problem(
                            "the NVIDIA driver is too old: it is for CUDA " + words + ", the kernels need CUDA 13.0",
                            "update the NVIDIA driver to 580 or newer"));
                }
            }
            if (succeeded("cuInit", CudaCalls.driver(() -> JCudaDriver.cuInit(0)))) {
                devices();
            }
        }

        private boolean succeeded(String call, int code) {
            CudaStatus status = CudaStatus.driver(code);
            if (!status.success()) {
                problems.add(new Problem(
                        call + " failed with " + status.name() + " (" + code + "): " + status.meaning(),
                        status.remedy()));
            }
            return status.success();
        }

        private void devices() {
            try {
                List<CudaDevice> devices = CudaDevice.list();
                for (CudaDevice device : devices) {
                    findings.put("device " + device.ordinal(), device.words());
                }
                if (devices.isEmpty()) {
                    succeeded("cuDeviceGetCount", 100);
                } else if (devices.stream().noneMatch(each -> each.capability() >= CudaDevice.LOWEST_CAPABILITY)) {
                    problems.add(new Problem(
                            "no device has the compute capability that the kernels need, 7.5: "
                                    + devices.stream().map(CudaDevice::toString).collect(Collectors.joining(", ")),
                            "use a GPU of compute capability 7.5 or higher, or another backend"));
                }
            } catch (CudaException e) {
                succeeded("asking the driver for its devices", e.status().code());
            }
        }

        private void cublas() {
            CublasLoader.Loaded loaded = CublasLoader.load();
            loaded.library().ifPresent(library -> findings.put("cuBLAS", library.words()));
            loaded.problem().ifPresent(problems::add);
        }

        private void kernels() {
            try {
                CudaModule.image();
                List<String> targets = CudaModule.descriptors().targets();
                findings.put("kernels", targets.isEmpty() ? "present" : String.join(" ", targets));
            } catch (IOException | IllegalArgumentException e) {
                problems.add(new Problem(
                        "the CUDA kernels cannot be read: " + e.getMessage(),
                        "use a jar that was built where nvcc is (CUDA Toolkit 13.0)"));
            }
        }
    }
}
