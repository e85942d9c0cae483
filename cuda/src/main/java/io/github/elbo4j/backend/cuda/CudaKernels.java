package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DataKernels;
import io.github.elbo4j.backend.Kernels;
import io.github.elbo4j.backend.LatentKernels;
import io.github.elbo4j.backend.LinearKernels;
import io.github.elbo4j.backend.LossKernels;
import io.github.elbo4j.backend.OptimizerKernels;
import io.github.elbo4j.backend.engine.Issuer;

/**
 * The families of one backend and one issuer.
 *
 * @param data choosing and gathering rows
 * @param linear dense layers
 * @param latent the Gaussian latent
 * @param loss likelihoods and sums
 * @param optimizer updates
 */
record CudaKernels(
        DataKernels data, LinearKernels linear, LatentKernels latent, LossKernels loss, OptimizerKernels optimizer)
        implements Kernels {

    CudaKernels(Backend backend, Issuer<CudaCommand> issuer) {
        this(
                new CudaDataKernels(backend, issuer),
                new CudaLinearKernels(backend, issuer),
                new CudaLatentKernels(backend, issuer),
                new CudaLossKernels(backend, issuer),
                new CudaOptimizerKernels(backend, issuer));
    }
}
