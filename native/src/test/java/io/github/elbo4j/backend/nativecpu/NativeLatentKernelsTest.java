package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.LatentKernelsContract;

class NativeLatentKernelsTest extends LatentKernelsContract {
    @Override
    protected Backend open() {
        return NativeFixture.open();
    }
}
