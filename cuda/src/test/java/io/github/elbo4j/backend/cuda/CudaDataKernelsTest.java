package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.DataKernelsContract;
import java.util.Map;

class CudaDataKernelsTest extends DataKernelsContract {
    @Override
    protected Backend open() {
        return CudaFixture.open(Map.of());
    }
}
