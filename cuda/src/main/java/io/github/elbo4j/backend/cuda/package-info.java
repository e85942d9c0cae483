/**
 * CUDA through JCuda: loading its native libraries and cuBLAS 12 or newer, and what the status codes mean.
 *
 * <p>Nothing here needs a GPU to be loaded or asked; what is missing becomes a
 * {@link io.github.elbo4j.backend.BackendProvider.Problem}. See {@code docs/gpu.md}.
 */
@NullMarked
package io.github.elbo4j.backend.cuda;

import org.jspecify.annotations.NullMarked;
