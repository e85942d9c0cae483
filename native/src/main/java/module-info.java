/** The native CPU backend: kernels in C++ behind a C interface, called by the JDK's own foreign functions. */
module io.github.elbo4j.nativecpu {
    requires static org.jspecify;
    requires io.github.elbo4j;

    provides io.github.elbo4j.backend.BackendProvider with
            io.github.elbo4j.backend.nativecpu.NativeProvider;
}
