/** The CUDA backend on JCuda: native libraries, cuBLAS, the driver's objects, and what can go wrong, in words. */
module io.github.elbo4j.cuda {
    requires static org.jspecify;
    requires io.github.elbo4j;
    requires jcublas;
    requires jcuda;

    provides io.github.elbo4j.backend.BackendProvider with
            io.github.elbo4j.backend.cuda.CudaProvider;
}
