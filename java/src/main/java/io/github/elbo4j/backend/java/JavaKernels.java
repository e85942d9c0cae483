package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels;
import io.github.elbo4j.backend.Kernels;
import io.github.elbo4j.backend.LatentKernels;
import io.github.elbo4j.backend.LinearKernels;
import io.github.elbo4j.backend.LossKernels;
import io.github.elbo4j.backend.OptimizerKernels;

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

    JavaKernels(JavaBackend backend, JavaIssuer issuer) {
        boolean narrow = backend.real() == DType.F32;
        this(
                narrow ? new JavaDataKernels(backend, issuer) : new JavaDataKernelsF64(backend, issuer),
                narrow ? new JavaLinearKernels(backend, issuer) : new JavaLinearKernelsF64(backend, issuer),
                narrow ? new JavaLatentKernels(backend, issuer) : new JavaLatentKernelsF64(backend, issuer),
                narrow ? new JavaLossKernels(backend, issuer) : new JavaLossKernelsF64(backend, issuer),
                narrow ? new JavaOptimizerKernels(backend, issuer) : new JavaOptimizerKernelsF64(backend, issuer));
    }
}
