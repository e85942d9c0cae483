package io.github.elbo4j.backend.nativecpu;

import static io.github.elbo4j.backend.nativecpu.NativeOperands.address;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.LossKernels;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.engine.Issuer;
import java.lang.foreign.Arena;

/** Likelihoods, and their sums over an epoch. */
final class NativeLossKernels implements LossKernels {
    private final Backend backend;
    private final Issuer<NativeCall> issuer;

    NativeLossKernels(Backend backend, Issuer<NativeCall> issuer) {
        this.backend = backend;
        this.issuer = issuer;
    }

    @Override
    public void bernoulliForward(Rows rows, Operand logits, Operand target, Operand logLikelihood) {
        KernelCall call = KernelCall.bernoulliForward(backend, rows, logits, target, logLikelihood);
        long ls = address(logits);
        long xs = address(target);
        long d = logits.columns();
        long sums = address(logLikelihood);
        issuer.issue(call, program -> NativeLibrary.bernoulliForward(program, rows.fold(), ls, xs, d, sums));
    }

    @Override
    public void bernoulliForwardBackward(
            Rows rows,
            Operand logits,
            Operand target,
            Scalar weight,
            Reduction reduction,
            Operand logLikelihood,
            Operand dLogits) {
        KernelCall call = KernelCall.bernoulliForwardBackward(
                backend, rows, logits, target, weight, reduction, logLikelihood, dLogits);
        long ls = address(logits);
        long xs = address(target);
        long d = logits.columns();
        long sums = address(logLikelihood);
        long dls = address(dLogits);
        issuer.issue(call, program -> {
            try (Arena arena = Arena.ofConfined()) {
                return NativeLibrary.bernoulliForwardBackward(
                        program,
                        rows.fold(),
                        ls,
                        xs,
                        d,
                        NativeOperands.scalar(arena, weight),
                        NativeCodes.of(reduction),
                        sums,
                        dls);
            }
        });
    }

    @Override
    public void accumulate(Rows rows, StepState state, String metric, Operand perRow) {
        KernelCall call = KernelCall.accumulate(backend, rows, state, metric, perRow);
        NativeStepMemory own = NativeStepMemory.of(state);
        long index = own.metric(metric);
        long haltName = own.haltName(perRow.name());
        long values = address(perRow);
        issuer.issue(call, program -> NativeLibrary.accumulate(program, rows.fold(), index, values, haltName));
    }
}
