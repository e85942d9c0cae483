package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.LinearKernelsContract;
import java.util.Map;

class CudaLinearKernelsTest extends LinearKernelsContract {
    @Override
    protected Backend open() {
        return CudaFixture.open(Map.of());
    }
}
