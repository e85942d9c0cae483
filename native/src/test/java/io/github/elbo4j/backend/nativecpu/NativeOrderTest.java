package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.OrderContract;

class NativeOrderTest extends OrderContract {
    @Override
    protected Backend open() {
        return NativeFixture.open();
    }
}
