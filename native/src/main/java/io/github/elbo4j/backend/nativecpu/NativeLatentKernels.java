package io.github.elbo4j.backend.nativecpu;

import static io.github.elbo4j.backend.nativecpu.NativeOperands.address;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.LatentKernels;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.engine.Issuer;
import java.lang.foreign.Arena;

/** The Gaussian latent. */
final class NativeLatentKernels implements LatentKernels {
    private final Backend backend;
    private final Issuer<NativeCall> issuer;

    NativeLatentKernels(Backend backend, Issuer<NativeCall> issuer) {
        this.backend = backend;
        this.issuer = issuer;
    }

    @Override
    public void reparameterizeForward(
            Rows rows, Operand muLogVar, Clamp clamp, Noise noise, StepState state, Operand z) {
        KernelCall call = KernelCall.reparameterizeForward(backend, rows, muLogVar, clamp, noise, state, z);
        long heads = address(muLogVar);
        long d = z.columns();
        long zs = address(z);
        issuer.issue(call, program -> {
            try (Arena arena = Arena.ofConfined()) {
                return NativeLibrary.reparameterizeForward(
                        program,
                        rows.fold(),
                        heads,
                        d,
                        clamp.low(),
                        clamp.high(),
                        NativeOperands.noise(arena, noise),
                        zs);
            }
        });
    }

    @Override
    public void reparameterizeBackward(
            Rows rows,
            Operand muLogVar,
            Clamp clamp,
            Noise noise,
            StepState state,
            Operand dz,
            Scalar klWeight,
            Reduction reduction,
            Operand dMuLogVar) {
        KernelCall call = KernelCall.reparameterizeBackward(
                backend, rows, muLogVar, clamp, noise, state, dz, klWeight, reduction, dMuLogVar);
        long heads = address(muLogVar);
        long d = dz.columns();
        long dzs = address(dz);
        long dHeads = address(dMuLogVar);
        issuer.issue(call, program -> {
            try (Arena arena = Arena.ofConfined()) {
                return NativeLibrary.reparameterizeBackward(
                        program,
                        rows.fold(),
                        heads,
                        d,
                        clamp.low(),
                        clamp.high(),
                        NativeOperands.noise(arena, noise),
                        dzs,
                        NativeOperands.scalar(arena, klWeight),
                        NativeCodes.of(reduction),
                        dHeads);
            }
        });
    }

    @Override
    public void gaussianKlForward(Rows rows, Operand muLogVar, Clamp clamp, Operand kl) {
        KernelCall call = KernelCall.gaussianKlForward(backend, rows, muLogVar, clamp, kl);
        long heads = address(muLogVar);
        long d = muLogVar.columns() / 2;
        long kls = address(kl);
        issuer.issue(
                call, program -> NativeLibrary.gaussianKlForward(program, heads, d, clamp.low(), clamp.high(), kls));
    }
}
