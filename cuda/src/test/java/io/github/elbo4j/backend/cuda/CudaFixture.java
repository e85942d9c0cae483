package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import java.util.Map;

/** Backends for contract tests, on the device of this process. */
final class CudaFixture {
    private CudaFixture() {}

    /** {@return a backend; the calling test is skipped, or fails if CUDA is required, where there is no device} */
    static Backend open(Map<String, String> options) {
        EmulatedDevice.assumeAvailable();
        return Backends.open("cuda", options);
    }
}
