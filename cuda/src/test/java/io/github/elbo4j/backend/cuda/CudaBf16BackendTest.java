package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.BackendContract;
import java.util.Map;

class CudaBf16BackendTest extends BackendContract {
    @Override
    protected Backend open() {
        return CudaFixture.open(Map.of("precision", "bf16"));
    }
}
