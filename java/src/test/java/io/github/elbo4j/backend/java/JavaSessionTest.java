package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.testkit.SessionContract;
import java.util.Map;

class JavaSessionTest extends SessionContract {
    @Override
    protected Backend open() {
        return Backends.open("java", Map.of("precision", "fp32", "threads", "2"));
    }
}
