package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.StepStateContract;
import java.util.Map;

class CudaStepStateTest extends StepStateContract {
    @Override
    protected Backend open() {
        return CudaFixture.open(Map.of());
    }
}
