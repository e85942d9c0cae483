package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.testkit.LinearKernelsContract;
import java.util.Map;

class JavaLinearKernelsF64Test extends LinearKernelsContract {
    @Override
    protected Backend open() {
        return Backends.open("java", Map.of("precision", "fp64", "threads", "2"));
    }
}
