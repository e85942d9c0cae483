package io.github.elbo4j.backend.cuda;

/**
 * A stream with a cuBLAS handle and workspace of its own, so that products of two lanes never meet in one workspace.
 *
 * @param stream where operations go
 * @param blas bound to the stream
 */
record CudaLane(CudaStream stream, CudaBlas blas) {}
