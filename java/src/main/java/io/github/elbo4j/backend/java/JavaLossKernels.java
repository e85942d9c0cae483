package io.github.elbo4j.backend.java;

import static io.github.elbo4j.backend.java.JavaMath.exp;
import static io.github.elbo4j.backend.java.JavaMath.log1p;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.LossKernels;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.engine.Issuer;
import io.github.elbo4j.backend.engine.Workers;

/** Likelihoods in plain loops over rows, and their sums over an epoch. */
@SuppressWarnings("cast") // the binary64 twin casts to its own type
final class JavaLossKernels implements LossKernels {
    private static final int GRAIN = 1 << 9;

    private final Backend backend;
    private final Workers workers;
    private final Issuer<JavaStep> issuer;

    JavaLossKernels(Backend backend, Workers workers, Issuer<JavaStep> issuer) {
        this.backend = backend;
        this.workers = workers;
        this.issuer = issuer;
    }

    // logLikelihood = -sum_j (max(l, 0) - l * x + log1p(exp(-|l|)))
    @Override
    public void bernoulliForward(Rows rows, Operand logits, Operand target, Operand logLikelihood) {
        KernelCall call = KernelCall.bernoulliForward(backend, rows, logits, target, logLikelihood);
        int d = (int) logits.columns();
        int fold = rows.fold();
        float[] ls = JavaOperands.f32(logits);
        float[] xs = JavaOperands.f32(target);
        float[] sums = JavaOperands.f32(logLikelihood);
        int lo = JavaOperands.offset(logits);
        int xo = JavaOperands.offset(target);
        int so = JavaOperands.offset(logLikelihood);
        int grain = GRAIN / d + 1;
        JavaParts<JavaRowSum> rowSums = new JavaParts<>(workers.parts(rows.total(), grain), JavaRowSum::new);
        Workers.Split split = workers.split(grain, (part, from, to) -> {
            JavaRowSum sum = rowSums.of(part);
            for (int r = from; r < to; r++) {
                sum.reset();
                for (int j = 0; j < d; j++) {
                    float l = ls[lo + r * d + j];
                    float x = xs[xo + r / fold * d + j];
                    sum.add(j, Math.max(l, 0f) - l * x + log1p(exp(-Math.abs(l))));
                }
                sums[so + r] = -sum.total();
            }
        });
        issuer.issue(call, active -> split.run(active * fold));
    }

    // ... and dLogits = w * (sigmoid(l) - x), sigmoid from the same exponential
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
        int d = (int) logits.columns();
        int fold = rows.fold();
        float[] ls = JavaOperands.f32(logits);
        float[] xs = JavaOperands.f32(target);
        float[] sums = JavaOperands.f32(logLikelihood);
        float[] dls = JavaOperands.f32(dLogits);
        int lo = JavaOperands.offset(logits);
        int xo = JavaOperands.offset(target);
        int so = JavaOperands.offset(logLikelihood);
        int dlo = JavaOperands.offset(dLogits);
        int grain = GRAIN / d + 1;
        JavaParts<JavaRowSum> rowSums = new JavaParts<>(workers.parts(rows.total(), grain), JavaRowSum::new);
        float[] w = new float[1];
        Workers.Split split = workers.split(grain, (part, from, to) -> {
            JavaRowSum sum = rowSums.of(part);
            for (int r = from; r < to; r++) {
                sum.reset();
                for (int j = 0; j < d; j++) {
                    float l = ls[lo + r * d + j];
                    float x = xs[xo + r / fold * d + j];
                    float e = exp(-Math.abs(l));
                    float sigmoid = l >= 0 ? 1 / (1 + e) : e / (1 + e);
                    sum.add(j, Math.max(l, 0f) - l * x + log1p(e));
                    dls[dlo + r * d + j] = w[0] * (sigmoid - x);
                }
                sums[so + r] = -sum.total();
            }
        });
        issuer.issue(call, active -> {
            w[0] = (float) (JavaStepMemory.value(weight) / (reduction == Reduction.MEAN ? active : 1));
            split.run(active * fold);
        });
    }

    // metric += sum over ascending rows, in double
    @Override
    public void accumulate(Rows rows, StepState state, String metric, Operand perRow) {
        KernelCall call = KernelCall.accumulate(backend, rows, state, metric, perRow);
        JavaStepMemory own = JavaStepMemory.of(state);
        int index = own.metric(metric);
        float[] values = JavaOperands.f32(perRow);
        int vo = JavaOperands.offset(perRow);
        issuer.issue(call, active -> {
            if (own.halted()) {
                return;
            }
            double sum = own.sum(index);
            int firstBad = -1;
            int bad = 0;
            for (int r = 0; r < active * rows.fold(); r++) {
                sum += values[vo + r];
                if (!Float.isFinite(values[vo + r])) {
                    firstBad = bad == 0 ? r : firstBad;
                    bad++;
                }
            }
            if (bad > 0) {
                own.halt(perRow.name(), firstBad, bad);
            } else {
                own.add(index, sum);
            }
        });
    }
}
