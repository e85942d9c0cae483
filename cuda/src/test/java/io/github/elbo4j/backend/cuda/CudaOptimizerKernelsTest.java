package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.OptimizerKernelsContract;
import java.util.Map;

class CudaOptimizerKernelsTest extends OptimizerKernelsContract {
    @Override
    protected Backend open() {
        return CudaFixture.open(Map.of());
    }
}
