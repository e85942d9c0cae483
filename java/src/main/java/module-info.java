/** Variational autoencoders on the JVM: the API, the seam between models and backends, and the pure-Java reference. */
module io.github.elbo4j {
    requires static java.desktop;
    requires static transitive org.jspecify;
    requires de.siegmar.fastcsv;
    requires tools.jackson.core;

    exports io.github.elbo4j.backend;
    exports io.github.elbo4j.backend.engine;
    exports io.github.elbo4j.data;
    exports io.github.elbo4j.files;
    exports io.github.elbo4j.inference;
    exports io.github.elbo4j.model;
    exports io.github.elbo4j.training;
    exports io.github.elbo4j.validation;

    uses io.github.elbo4j.backend.BackendProvider;

    provides io.github.elbo4j.backend.BackendProvider with
            io.github.elbo4j.backend.java.JavaProvider;
}
