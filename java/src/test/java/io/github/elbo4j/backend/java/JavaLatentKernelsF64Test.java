package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.testkit.LatentKernelsContract;
import java.util.Map;

class JavaLatentKernelsF64Test extends LatentKernelsContract {
    @Override
    protected Backend open() {
        return Backends.open("java", Map.of("precision", "fp64", "threads", "2"));
    }
}
