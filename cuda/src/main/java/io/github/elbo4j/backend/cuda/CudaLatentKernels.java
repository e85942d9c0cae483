package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.LatentKernels;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.cuda.CudaLinearKernels.Forward;
import io.github.elbo4j.backend.engine.Issuer;
import java.util.List;

/** The Gaussian latent: {@code reparameterize.cu}, {@code gaussian_kl.cu}. */
final class CudaLatentKernels implements LatentKernels {
    private final Backend backend;
    private final Issuer<CudaCommand> issuer;

    CudaLatentKernels(Backend backend, Issuer<CudaCommand> issuer) {
        this.backend = backend;
        this.issuer = issuer;
    }

    /** z = mu + exp(lv / 2) * epsilon. */
    record Reparameterize(Rows rows, CudaOperand muLogVar, Clamp clamp, CudaNoise noise, CudaOperand z)
            implements CudaCommand {
        @Override
        public void issue(CudaTape tape) {
            tape.elements(
                    "reparameterize_forward_f32",
                    z.elements(),
                    4,
                    tape.active(),
                    rows.capacity(),
                    rows.fold(),
                    z.columns(),
                    muLogVar.address(),
                    (float) clamp.low(),
                    (float) clamp.high(),
                    noise.state(),
                    noise.rowIds(),
                    noise.rowKey(),
                    noise.purpose(),
                    z.address(),
                    tape.output(z, true));
        }
    }

    @Override
    public void reparameterizeForward(
            Rows rows, Operand muLogVar, Clamp clamp, Noise noise, StepState state, Operand z) {
        KernelCall call = KernelCall.reparameterizeForward(backend, rows, muLogVar, clamp, noise, state, z);
        issuer.issue(
                call,
                new Reparameterize(
                        rows, CudaOperand.of(muLogVar), clamp, CudaNoise.of(noise, state), CudaOperand.of(z)));
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
        CudaNoise random = CudaNoise.of(noise, state);
        CudaOperand heads = CudaOperand.of(muLogVar);
        CudaOperand gradient = CudaOperand.of(dz);
        CudaOperand target = CudaOperand.of(dMuLogVar);
        issuer.issue(
                call,
                tape -> tape.elements(
                        "reparameterize_backward_f32",
                        target.elements() / 2,
                        4,
                        tape.active(),
                        rows.capacity(),
                        rows.fold(),
                        gradient.columns(),
                        heads.address(),
                        (float) clamp.low(),
                        (float) clamp.high(),
                        random.state(),
                        random.rowIds(),
                        random.rowKey(),
                        random.purpose(),
                        gradient.address(),
                        CudaStepMemory.constant(klWeight),
                        CudaStepMemory.slot(klWeight),
                        reduction == Reduction.MEAN ? 1 : 0,
                        target.address(),
                        tape.output(target, true)));
    }

    /** kl = sum of (mu^2 + expm1(lv) - lv) / 2. */
    record GaussianKl(Rows rows, CudaOperand muLogVar, Clamp clamp, CudaOperand kl) implements CudaCommand {
        @Override
        public void issue(CudaTape tape) {
            tape.outputWithoutCopy(kl, true);
            tape.rows(
                    "gaussian_kl_forward_f32",
                    rows.capacity(),
                    muLogVar.columns() / 2,
                    tape.active(),
                    rows.capacity(),
                    muLogVar.columns() / 2,
                    muLogVar.address(),
                    (float) clamp.low(),
                    (float) clamp.high(),
                    kl.address());
        }
    }

    @Override
    public void gaussianKlForward(Rows rows, Operand muLogVar, Clamp clamp, Operand kl) {
        KernelCall call = KernelCall.gaussianKlForward(backend, rows, muLogVar, clamp, kl);
        issuer.issue(call, new GaussianKl(rows, CudaOperand.of(muLogVar), clamp, CudaOperand.of(kl)));
    }

    /** The heads' bias, the sample and the KL divergence in one pass over the heads. */
    record LinearLatent(Forward heads, Reparameterize sample, GaussianKl kl) implements CudaCommand {
        @Override
        public List<CudaOperand> factors() {
            return heads.factors();
        }

        @Override
        public void issue(CudaTape tape) {
            heads.product(tape);
            tape.outputWithoutCopy(kl.kl(), true);
            tape.rows(
                    "latent_forward_f32",
                    heads.rows().capacity(),
                    sample.z().columns(),
                    tape.active(),
                    heads.rows().capacity(),
                    sample.z().columns(),
                    heads.b().address(),
                    heads.y().address(),
                    tape.output(heads.y(), true),
                    (float) sample.clamp().low(),
                    (float) sample.clamp().high(),
                    sample.noise().state(),
                    sample.noise().rowIds(),
                    sample.noise().rowKey(),
                    sample.noise().purpose(),
                    sample.z().address(),
                    tape.output(sample.z(), true),
                    kl.kl().address());
        }
    }
}
