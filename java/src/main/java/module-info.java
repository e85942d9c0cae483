/** x. */
module io.github.elbo4j {
    requires static transitive org.jspecify;
    requires tools.jackson.core;

    exports io.github.elbo4j.backend;
}
