package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.SessionContract;

class NativeSessionTest extends SessionContract {
    @Override
    protected Backend open() {
        return NativeFixture.open();
    }
}
