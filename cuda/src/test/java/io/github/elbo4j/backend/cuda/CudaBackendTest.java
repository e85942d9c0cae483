package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.BackendContract;
import java.util.Map;

class CudaBackendTest extends BackendContract {
    @Override
    protected Backend open() {
        return CudaFixture.open(Map.of());
    }
}
