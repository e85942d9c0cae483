package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.LossKernelsContract;

class NativeLossKernelsTest extends LossKernelsContract {
    @Override
    protected Backend open() {
        return NativeFixture.open();
    }
}
