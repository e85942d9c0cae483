package io.github.elbo4j.backend.java;

import static io.github.elbo4j.backend.java.JavaMath.sqrt;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.OptimizerKernels;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.View;
import io.github.elbo4j.backend.engine.Issuer;
import io.github.elbo4j.backend.engine.Workers;

/** Updates in plain loops over the arena. */
@SuppressWarnings("cast") // the binary64 twin casts to its own type
final class JavaOptimizerKernels implements OptimizerKernels {
    private static final int GRAIN = 1 << 15;

    private final Backend backend;
    private final Workers workers;
    private final Issuer<JavaStep> issuer;

    JavaOptimizerKernels(Backend backend, Workers workers, Issuer<JavaStep> issuer) {
        this.backend = backend;
        this.workers = workers;
        this.issuer = issuer;
    }

    @Override
    public void checkGradients(Parameters parameters, String group, StepState state) {
        KernelCall call = KernelCall.checkGradients(backend, parameters, group, state);
        JavaStepMemory own = JavaStepMemory.of(state);
        float[] gradients = JavaOperands.f32(parameters.gradients());
        issuer.issue(call, ignored -> {
            for (Parameters.Spec spec : parameters.specs()) {
                if (own.halted() || !spec.trained() || !spec.group().equals(group)) {
                    continue;
                }
                View view = parameters.gradient(spec.name());
                int start = (int) view.offset();
                int size = (int) view.size();
                int firstBad = -1;
                int bad = 0;
                for (int i = 0; i < size; i++) {
                    // The negation catches NaN as well.
                    if (!(Math.abs(gradients[start + i]) <= MAX_GRADIENT)) {
                        firstBad = bad == 0 ? i : firstBad;
                        bad++;
                    }
                }
                if (bad > 0) {
                    own.halt(view.name(), firstBad, bad);
                }
            }
        });
    }

    // m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  w = w - lr / c1 * m / (sqrt(v) / sqrt(c2) + epsilon)
    @Override
    public void adam(
            Parameters parameters,
            String group,
            StepState state,
            Scalar learningRate,
            Scalar correction1,
            Scalar correction2,
            double beta1,
            double beta2,
            double epsilon) {
        KernelCall call = KernelCall.adam(
                backend, parameters, group, state, learningRate, correction1, correction2, beta1, beta2, epsilon);
        JavaStepMemory own = JavaStepMemory.of(state);
        float[] w = JavaOperands.f32(parameters.values());
        float[] gradients = JavaOperands.f32(parameters.gradients());
        float[] m = JavaOperands.f32(parameters.moment(0));
        float[] v = JavaOperands.f32(parameters.moment(1));
        int start = (int) parameters.groupOffset(group);
        int size = (int) parameters.groupSize(group);
        float b1 = (float) beta1;
        float b2 = (float) beta2;
        float oneMinusB1 = (float) (1 - beta1);
        float oneMinusB2 = (float) (1 - beta2);
        float eps = (float) epsilon;
        float[] stepSize = new float[1];
        float[] sqrtC2 = new float[1];
        Workers.Split split = workers.split(GRAIN, (part, from, to) -> {
            float rate = stepSize[0];
            float root = sqrtC2[0];
            for (int i = start + from; i < start + to; i++) {
                float g = gradients[i];
                m[i] = normalOrZero(b1 * m[i] + oneMinusB1 * g);
                v[i] = normalOrZero(b2 * v[i] + oneMinusB2 * (g * g));
                w[i] = w[i] - rate * (m[i] / (sqrt(v[i]) / root + eps));
            }
        });
        issuer.issue(call, ignored -> {
            if (own.halted()) {
                return;
            }
            stepSize[0] = (float) (JavaStepMemory.value(learningRate) / JavaStepMemory.value(correction1));
            sqrtC2[0] = (float) StrictMath.sqrt(JavaStepMemory.value(correction2));
            split.run(size);
        });
    }

    /** A subnormal moment would decay no further, and slow every step from then on. */
    private static float normalOrZero(float moment) {
        return Math.abs(moment) < Float.MIN_NORMAL ? 0 : moment;
    }

    // w = w - lr * g
    @Override
    public void sgd(Parameters parameters, String group, StepState state, Scalar learningRate) {
        KernelCall call = KernelCall.sgd(backend, parameters, group, state, learningRate);
        JavaStepMemory own = JavaStepMemory.of(state);
        float[] w = JavaOperands.f32(parameters.values());
        float[] gradients = JavaOperands.f32(parameters.gradients());
        int start = (int) parameters.groupOffset(group);
        int size = (int) parameters.groupSize(group);
        float[] lr = new float[1];
        Workers.Split split = workers.split(GRAIN, (part, from, to) -> {
            float rate = lr[0];
            for (int i = start + from; i < start + to; i++) {
                w[i] = w[i] - rate * gradients[i];
            }
        });
        issuer.issue(call, ignored -> {
            if (own.halted()) {
                return;
            }
            lr[0] = (float) JavaStepMemory.value(learningRate);
            split.run(size);
        });
    }

    @Override
    public void advance(StepState state) {
        KernelCall call = KernelCall.advance(backend, state);
        JavaStepMemory own = JavaStepMemory.of(state);
        issuer.issue(call, ignored -> own.advance());
    }
}
