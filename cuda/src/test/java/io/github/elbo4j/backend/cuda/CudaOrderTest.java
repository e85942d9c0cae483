package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.OrderContract;
import java.util.Map;

class CudaOrderTest extends OrderContract {
    @Override
    protected Backend open() {
        return CudaFixture.open(Map.of());
    }
}
