package io.github.elbo4j.backend.nativecpu;

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
record NativeKernels(
        DataKernels data, LinearKernels linear, LatentKernels latent, LossKernels loss, OptimizerKernels optimizer)
        implements Kernels {

    NativeKernels(Backend backend, Issuer<NativeCall> issuer) {
        Issuer<NativeCall> noting = (call, command) -> {
            NativeOperands.valuesWrittenUncounted(call).forEach(NativeValues::writtenByAnyKernel);
            issuer.issue(call, command);
        };
        this(
                new NativeDataKernels(backend, noting),
                new NativeLinearKernels(backend, noting),
                new NativeLatentKernels(backend, noting),
                new NativeLossKernels(backend, noting),
                new NativeOptimizerKernels(backend, noting));
    }
}
