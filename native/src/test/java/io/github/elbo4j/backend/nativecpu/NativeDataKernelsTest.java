package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.DataKernelsContract;

class NativeDataKernelsTest extends DataKernelsContract {
    @Override
    protected Backend open() {
        return NativeFixture.open();
    }
}
