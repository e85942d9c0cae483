package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.LossKernels;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.cuda.CudaLinearKernels.Forward;
import io.github.elbo4j.backend.engine.Issuer;
import java.util.List;

/** Likelihoods and their sums: {@code bernoulli.cu}, {@code accumulate.cu}. */
final class CudaLossKernels implements LossKernels {
    private static final int SUM_THREADS = 256;

    private final Backend backend;
    private final Issuer<CudaCommand> issuer;

    CudaLossKernels(Backend backend, Issuer<CudaCommand> issuer) {
        this.backend = backend;
        this.issuer = issuer;
    }

    @Override
    public void bernoulliForward(Rows rows, Operand logits, Operand target, Operand logLikelihood) {
        KernelCall call = KernelCall.bernoulliForward(backend, rows, logits, target, logLikelihood);
        CudaOperand from = CudaOperand.of(logits);
        CudaOperand wanted = CudaOperand.of(target);
        CudaOperand sums = CudaOperand.of(logLikelihood);
        issuer.issue(call, tape -> {
            tape.outputWithoutCopy(sums, true);
            tape.rows(
                    "bernoulli_forward_f32",
                    rows.total(),
                    from.columns(),
                    tape.active(),
                    rows.capacity(),
                    rows.fold(),
                    from.columns(),
                    from.address(),
                    wanted.address(),
                    sums.address());
        });
    }

    /** The log-likelihood and its gradient. */
    record BernoulliGradient(
            Rows rows,
            CudaOperand logits,
            CudaOperand target,
            long state,
            double weight,
            int slot,
            boolean mean,
            CudaOperand logLikelihood,
            CudaOperand dLogits)
            implements CudaCommand {
        @Override
        public void issue(CudaTape tape) {
            tape.outputWithoutCopy(logLikelihood, true);
            tape.rows(
                    "bernoulli_forward_backward_f32",
                    rows.total(),
                    logits.columns(),
                    tape.active(),
                    rows.capacity(),
                    rows.fold(),
                    logits.columns(),
                    logits.address(),
                    target.address(),
                    state,
                    weight,
                    slot,
                    mean ? 1 : 0,
                    logLikelihood.address(),
                    dLogits.address(),
                    tape.output(dLogits, true));
        }
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
        issuer.issue(
                call,
                new BernoulliGradient(
                        rows,
                        CudaOperand.of(logits),
                        CudaOperand.of(target),
                        weight instanceof Scalar.Slot slot
                                ? CudaStepMemory.of(slot.state()).address()
                                : 0,
                        CudaStepMemory.constant(weight),
                        CudaStepMemory.slot(weight),
                        reduction == Reduction.MEAN,
                        CudaOperand.of(logLikelihood),
                        CudaOperand.of(dLogits)));
    }

    /** The logits' bias, the log-likelihood and its gradient in one pass; the logits themselves are not stored. */
    record LinearBernoulliGradient(Forward layer, BernoulliGradient loss) implements CudaCommand {
        @Override
        public List<CudaOperand> factors() {
            return layer.factors();
        }

        @Override
        public void issue(CudaTape tape) {
            layer.product(tape);
            tape.outputWithoutCopy(layer.y(), false);
            tape.outputWithoutCopy(loss.logLikelihood(), true);
            tape.rows(
                    "linear_bernoulli_forward_backward_f32",
                    layer.rows().total(),
                    layer.y().columns(),
                    tape.active(),
                    layer.rows().capacity(),
                    layer.rows().fold(),
                    layer.y().columns(),
                    layer.b().address(),
                    layer.y().address(),
                    loss.target().address(),
                    loss.state(),
                    loss.weight(),
                    loss.slot(),
                    loss.mean() ? 1 : 0,
                    loss.logLikelihood().address(),
                    loss.dLogits().address(),
                    tape.output(loss.dLogits(), true));
        }
    }

    @Override
    public void accumulate(Rows rows, StepState state, String metric, Operand perRow) {
        KernelCall call = KernelCall.accumulate(backend, rows, state, metric, perRow);
        CudaStepMemory own = CudaStepMemory.of(state);
        CudaOperand values = CudaOperand.of(perRow);
        long name = own.names(List.of(perRow.name()));
        issuer.issue(
                call,
                tape -> tape.launch(
                        "accumulate_f32",
                        1,
                        1,
                        SUM_THREADS,
                        1,
                        tape.active(),
                        rows.capacity(),
                        rows.fold(),
                        own.address(),
                        own.metric(metric),
                        name,
                        values.address()));
    }
}
