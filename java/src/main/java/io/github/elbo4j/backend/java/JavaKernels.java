package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels;
import io.github.elbo4j.backend.Kernels;
import io.github.elbo4j.backend.LatentKernels;
import io.github.elbo4j.backend.LinearKernels;
import io.github.elbo4j.backend.LossKernels;
import io.github.elbo4j.backend.OptimizerKernels;
import io.github.elbo4j.backend.engine.Issuer;
import io.github.elbo4j.backend.engine.Workers;

/**
 * The families of one backend and one issuer.
 *
 * @param data choosing and gathering rows
 * @param linear dense layers
 * @param latent the Gaussian latent
 * @param loss likelihoods and sums
 * @param optimizer updates
 */
record JavaKernels(
        DataKernels data, LinearKernels linear, LatentKernels latent, LossKernels loss, OptimizerKernels optimizer)
        implements Kernels {

    JavaKernels(Backend backend, Workers workers, Issuer<JavaStep> issuer) {
        boolean narrow = backend.real() == DType.F32;
        this(
                narrow
                        ? new JavaDataKernels(backend, workers, issuer)
                        : new JavaDataKernelsF64(backend, workers, issuer),
                narrow
                        ? new JavaLinearKernels(backend, workers, issuer)
                        : new JavaLinearKernelsF64(backend, workers, issuer),
                narrow
                        ? new JavaLatentKernels(backend, workers, issuer)
                        : new JavaLatentKernelsF64(backend, workers, issuer),
                narrow
                        ? new JavaLossKernels(backend, workers, issuer)
                        : new JavaLossKernelsF64(backend, workers, issuer),
                narrow
                        ? new JavaOptimizerKernels(backend, workers, issuer)
                        : new JavaOptimizerKernelsF64(backend, workers, issuer));
    }
}
