/**
 * The CUDA backend through JCuda: loading its native libraries and cuBLAS 12 or newer, the driver's objects, and what the
 * status codes mean.
 *
 * <p>{@code CudaContext} is the root: streams, events, memory ({@code CudaPool}), copies ({@code CudaStaging}), kernels,
 * matrix products ({@code CudaBlas}) and recorded work ({@code CudaGraph}) are made in it and closed before it. Each of
 * their calls makes the context current for itself, so they may be called from any thread, virtual ones too.
 *
 * <p>{@code CudaProbe} and {@code CudaProvider} need no GPU to be loaded or asked; what is missing becomes a
 * {@link io.github.elbo4j.backend.BackendProvider.Problem}. See {@code docs/gpu.md}.
 */
@NullMarked
package io.github.elbo4j.backend.cuda;

import org.jspecify.annotations.NullMarked;
