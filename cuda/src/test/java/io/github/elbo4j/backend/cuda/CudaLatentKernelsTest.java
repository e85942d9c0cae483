package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.LatentKernelsContract;
import java.util.Map;

class CudaLatentKernelsTest extends LatentKernelsContract {
    @Override
    protected Backend open() {
        return CudaFixture.open(Map.of());
    }
}
