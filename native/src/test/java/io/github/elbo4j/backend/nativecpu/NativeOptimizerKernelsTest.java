package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.OptimizerKernelsContract;

class NativeOptimizerKernelsTest extends OptimizerKernelsContract {
    @Override
    protected Backend open() {
        return NativeFixture.open();
    }
}
