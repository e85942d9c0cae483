package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.SessionContract;
import java.util.Map;

class CudaSessionTest extends SessionContract {
    @Override
    protected Backend open() {
        return CudaFixture.open(Map.of());
    }
}
