/** What a CUDA backend on JCuda stands on: native libraries, cuBLAS, status codes. It provides no backend yet. */
module io.github.elbo4j.cuda {
    requires static org.jspecify;
    requires io.github.elbo4j;
    requires jcublas;
    requires jcuda;
}
