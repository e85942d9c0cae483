package io.github.elbo4j.backend.java;

import static io.github.elbo4j.backend.java.JavaMath.exp;
import static io.github.elbo4j.backend.java.JavaMath.expm1;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.LatentKernels;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.engine.Issuer;
import io.github.elbo4j.backend.engine.Workers;

/** The Gaussian latent in plain loops over rows. */
@SuppressWarnings("cast") // the binary64 twin casts to its own type
final class JavaLatentKernels implements LatentKernels {
    private static final int GRAIN = 1 << 9;

    private final Backend backend;
    private final Workers workers;
    private final Issuer<JavaStep> issuer;

    JavaLatentKernels(Backend backend, Workers workers, Issuer<JavaStep> issuer) {
        this.backend = backend;
        this.workers = workers;
        this.issuer = issuer;
    }

    // z = mu + exp(lv / 2) * epsilon
    @Override
    public void reparameterizeForward(
            Rows rows, Operand muLogVar, Clamp clamp, Noise noise, StepState state, Operand z) {
        KernelCall call = KernelCall.reparameterizeForward(backend, rows, muLogVar, clamp, noise, state, z);
        int d = (int) z.columns();
        int fold = rows.fold();
        int grain = GRAIN / (d * fold) + 1;
        int parts = workers.parts(rows.capacity(), grain);
        JavaNoise random = new JavaNoise(noise, JavaStepMemory.of(state), parts);
        float[] heads = JavaOperands.f32(muLogVar);
        float[] zs = JavaOperands.f32(z);
        int ho = JavaOperands.offset(muLogVar);
        int zo = JavaOperands.offset(z);
        JavaParts<double[]> epsilons = new JavaParts<>(parts, () -> new double[d]);
        Workers.Split split = workers.split(grain, (part, from, to) -> {
            double[] epsilon = epsilons.of(part);
            for (int b = from; b < to; b++) {
                for (int s = 0; s < fold; s++) {
                    random.normals(part, b, s, epsilon);
                    for (int j = 0; j < d; j++) {
                        float mu = heads[ho + b * 2 * d + j];
                        float lv = clamped(heads[ho + b * 2 * d + d + j], clamp);
                        zs[zo + (b * fold + s) * d + j] = mu + exp(0.5f * lv) * (float) epsilon[j];
                    }
                }
            }
        });
        issuer.issue(call, split::run);
    }

    // dmu     = sum_s dz                             + w * mu
    // dlogVar = sum_s dz * epsilon * exp(lv / 2) / 2 + w * expm1(lv) / 2
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
        int d = (int) dz.columns();
        int fold = rows.fold();
        int grain = GRAIN / (d * fold) + 1;
        int parts = workers.parts(rows.capacity(), grain);
        JavaNoise random = new JavaNoise(noise, JavaStepMemory.of(state), parts);
        float[] heads = JavaOperands.f32(muLogVar);
        float[] dzs = JavaOperands.f32(dz);
        float[] dHeads = JavaOperands.f32(dMuLogVar);
        int ho = JavaOperands.offset(muLogVar);
        int dzo = JavaOperands.offset(dz);
        int dho = JavaOperands.offset(dMuLogVar);
        JavaParts<double[]> epsilons = new JavaParts<>(parts, () -> new double[d]);
        JavaParts<float[]> sums = new JavaParts<>(parts, () -> new float[2 * d]);
        float[] w = new float[1];
        Workers.Split split = workers.split(grain, (part, from, to) -> {
            double[] epsilon = epsilons.of(part);
            // Of dz, then of dz * epsilon.
            float[] sum = sums.of(part);
            for (int b = from; b < to; b++) {
                java.util.Arrays.fill(sum, 0f);
                for (int s = 0; s < fold; s++) {
                    random.normals(part, b, s, epsilon);
                    for (int j = 0; j < d; j++) {
                        float g = dzs[dzo + (b * fold + s) * d + j];
                        sum[j] += g;
                        sum[d + j] += g * (float) epsilon[j];
                    }
                }
                for (int j = 0; j < d; j++) {
                    float mu = heads[ho + b * 2 * d + j];
                    float logVar = heads[ho + b * 2 * d + d + j];
                    float lv = clamped(logVar, clamp);
                    float dLogVar = sum[d + j] * (0.5f * exp(0.5f * lv)) + w[0] * (0.5f * expm1(lv));
                    dHeads[dho + b * 2 * d + j] = sum[j] + w[0] * mu;
                    dHeads[dho + b * 2 * d + d + j] = passed(dLogVar, logVar, clamp);
                }
            }
        });
        issuer.issue(call, active -> {
            w[0] = (float) (JavaStepMemory.value(klWeight) / (reduction == Reduction.MEAN ? active : 1));
            split.run(active);
        });
    }

    // kl = sum_j (mu^2 + (expm1(lv) - lv)) / 2
    @Override
    public void gaussianKlForward(Rows rows, Operand muLogVar, Clamp clamp, Operand kl) {
        KernelCall call = KernelCall.gaussianKlForward(backend, rows, muLogVar, clamp, kl);
        int d = (int) muLogVar.columns() / 2;
        float[] heads = JavaOperands.f32(muLogVar);
        float[] kls = JavaOperands.f32(kl);
        int ho = JavaOperands.offset(muLogVar);
        int ko = JavaOperands.offset(kl);
        int grain = GRAIN / d + 1;
        JavaParts<JavaRowSum> sums = new JavaParts<>(workers.parts(rows.capacity(), grain), JavaRowSum::new);
        Workers.Split split = workers.split(grain, (part, from, to) -> {
            JavaRowSum sum = sums.of(part);
            for (int b = from; b < to; b++) {
                sum.reset();
                for (int j = 0; j < d; j++) {
                    float mu = heads[ho + b * 2 * d + j];
                    float lv = clamped(heads[ho + b * 2 * d + d + j], clamp);
                    sum.add(j, 0.5f * (mu * mu + (expm1(lv) - lv)));
                }
                kls[ko + b] = sum.total();
            }
        });
        issuer.issue(call, split::run);
    }

    /** min(max(logVar, low), high); a NaN stays one. */
    private static float clamped(float logVar, Clamp clamp) {
        return Math.min(Math.max(logVar, (float) clamp.low()), (float) clamp.high());
    }

    /** Outside the range a gradient passes only if descent along it leads back. */
    private static float passed(float gradient, float logVar, Clamp clamp) {
        boolean leadsOut =
                (logVar < (float) clamp.low() && gradient > 0) || (logVar > (float) clamp.high() && gradient < 0);
        return leadsOut ? 0 : gradient;
    }
}
