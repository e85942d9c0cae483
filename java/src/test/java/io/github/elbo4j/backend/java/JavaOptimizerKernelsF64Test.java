package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.testkit.OptimizerKernelsContract;
import java.util.Map;

class JavaOptimizerKernelsF64Test extends OptimizerKernelsContract {
    @Override
    protected Backend open() {
        return Backends.open("java", Map.of("precision", "fp64", "threads", "2"));
    }
}
