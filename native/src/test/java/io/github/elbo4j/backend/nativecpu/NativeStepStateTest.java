package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.testkit.StepStateContract;

class NativeStepStateTest extends StepStateContract {
    @Override
    protected Backend open() {
        return NativeFixture.open();
    }
}
