package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.LossKernelsContract;
import java.util.Map;

class CudaLossKernelsTest extends LossKernelsContract {
    @Override
    protected Backend open() {
        return CudaFixture.open(Map.of());
    }
}
