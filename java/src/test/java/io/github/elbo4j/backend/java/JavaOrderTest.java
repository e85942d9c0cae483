package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.testkit.OrderContract;
import java.util.Map;

class JavaOrderTest extends OrderContract {
    @Override
    protected Backend open() {
        return Backends.open("java", Map.of("threads", "2"));
    }
}
