package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.BackendContract;

class NativeBackendTest extends BackendContract {
    @Override
    protected Backend open() {
        return NativeFixture.open();
    }
}
