package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.LinearKernelsContract;

class NativeLinearKernelsTest extends LinearKernelsContract {
    @Override
    protected Backend open() {
        return NativeFixture.open();
    }
}
