package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.StepState.Snapshot;
import io.github.elbo4j.model.VaeGraph;
import io.github.elbo4j.validation.Comparison;
import io.github.elbo4j.validation.KernelCase;
import io.github.elbo4j.validation.KernelCases;
import io.github.elbo4j.validation.KernelOutcome;
import io.github.elbo4j.validation.KernelRun;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole training steps: against the reference, and against each other in every way that they can be issued. */
class CudaTrainingTest {
    /** Products that a gradient of the rig passes through, forward and back, one after the other. */
    private static final int DEPTH = 6;

    private static TrainingRig cuda(Map<String, String> options) {
        return new TrainingRig(CudaFixture.open(options));
    }

    private static Backend java(String precision) {
        return Backends.open("java", Map.of("precision", precision));
    }

    private static double loss(Snapshot state) {
        return state.mean(VaeGraph.KL) - state.mean(VaeGraph.LOG_LIKELIHOOD);
    }

    @Test
    void theFreeRunningLossFollowsTheReference() {
        try (TrainingRig reference = new TrainingRig(java("fp32"));
                TrainingRig cuda = cuda(Map.of())) {
            double worst = 0;
            for (int step = 0; step < TrainingRig.STEPS; step++) {
                double right = loss(reference.run(1));
                double actual = loss(cuda.run(1));
                assertThat(actual).as("loss after step %d", step).isCloseTo(right, within(1e-5 * right));
                worst = Math.max(worst, Math.abs(actual - right) / right);
            }
            System.out.printf("20 steps on %s: loss within %.1e of the reference%n", cuda.backend.info(), worst);
            assertThat(cuda.state.read().rows())
                    .isEqualTo(reference.state.read().rows());
            assertThat(cuda.explain()).contains("merged", "second branch", "16 kernels and 11 products a step");
        }
    }

    /**
     * Gradients and one update from the same state, step by step. A gradient may be off by twice the error of the plain
     * float path, and by what products of shorter factors add in each layer it passes; the update by what Adam makes of
     * that. Where factors are shorter the layers are smooth: a ReLU whose input lies that close to zero has a derivative of
     * its own.
     */
    @ParameterizedTest
    @EnumSource(Precision.class)
    void eachStepFromTheSameStateAgreesWithTheReference(Precision precision) {
        Activation activation = precision == Precision.FP32 ? Activation.RELU : Activation.SILU;
        try (TrainingRig truth = new TrainingRig(java("fp64"), activation);
                TrainingRig plain = new TrainingRig(java("fp32"), activation);
                TrainingRig cuda =
                        new TrainingRig(CudaFixture.open(Map.of("precision", precision.label())), activation)) {
            for (int step = 0; step < TrainingRig.STEPS; step++) {
                plain.copy(truth);
                // Back again: what binary32 cannot hold would make the steps begin with different weights.
                truth.copy(plain);
                cuda.copy(plain);
                double[] before = plain.values();
                double[] m = plain.moment(0);
                double[] v = plain.moment(1);
                truth.run(1);
                plain.run(1);
                cuda.run(1);
                double[] allowed = allowedGradients(truth, plain, precision);
                compare("gradients, step " + step, cuda.gradients(), truth.gradients(), allowed);
                compare(
                        "values, step " + step,
                        cuda.values(),
                        truth.values(),
                        allowedUpdates(step, before, m, v, truth.gradients(), allowed));
            }
        }
    }

    private static void compare(String what, double[] actual, double[] right, double[] allowed) {
        Comparison comparison = Comparison.within(what, actual, right, allowed);
        assertThat(comparison.passed()).as(comparison.describe()).isTrue();
    }

    /** Per tensor: the scale of a sum is its largest element, as its terms are not at hand. */
    private static double[] allowedGradients(TrainingRig truth, TrainingRig plain, Precision precision) {
        double[] right = truth.gradients();
        double[] rounded = plain.gradients();
        double[] allowed = new double[right.length];
        Parameters parameters = truth.vae.parameters();
        for (Parameters.Spec spec : parameters.specs()) {
            int from = (int) parameters.gradient(spec.name()).offset();
            int to = from + (int) spec.size();
            double error = 0;
            double scale = 0;
            for (int i = from; i < to; i++) {
                error = Math.max(error, Math.abs(rounded[i] - right[i]));
                scale = Math.max(scale, Math.abs(right[i]));
            }
            for (int i = from; i < to; i++) {
                allowed[i] = 2 * error + scale * (0x1p-22 + DEPTH * precision.productError());
            }
        }
        return allowed;
    }

    /** How far Adam's update moves when the gradient moves by what it may, plus the rounding of the arithmetic. */
    private static double[] allowedUpdates(
            int step, double[] before, double[] m, double[] v, double[] gradients, double[] gradientsAllowed) {
        double[] allowed = new double[before.length];
        for (int i = 0; i < before.length; i++) {
            double right = update(step, m[i], v[i], gradients[i]);
            double low = update(step, m[i], v[i], gradients[i] - gradientsAllowed[i]);
            double high = update(step, m[i], v[i], gradients[i] + gradientsAllowed[i]);
            double zero = update(step, m[i], v[i], 0);
            double moved = Math.max(Math.abs(low - right), Math.abs(high - right));
            if (Math.abs(gradients[i]) < gradientsAllowed[i]) {
                moved = Math.max(moved, Math.abs(zero - right));
            }
            allowed[i] = moved + 0x1p-22 * (Math.abs(before[i]) + 4 * Math.abs(right)) + Float.MIN_NORMAL;
        }
        return allowed;
    }

    private static double update(int step, double m, double v, double g) {
        double first = TrainingRig.BETA_1 * m + (1 - TrainingRig.BETA_1) * g;
        double second = TrainingRig.BETA_2 * v + (1 - TrainingRig.BETA_2) * g * g;
        double c1 = 1 - Math.pow(TrainingRig.BETA_1, step + 1);
        double c2 = 1 - Math.pow(TrainingRig.BETA_2, step + 1);
        return TrainingRig.LEARNING_RATE / c1 * first / (Math.sqrt(second / c2) + TrainingRig.EPSILON);
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void twoRunsHaveTheSameBits(Precision precision) {
        Map<String, String> options = Map.of("precision", precision.label());
        try (TrainingRig one = cuda(options);
                TrainingRig other = cuda(options)) {
            assertThat(one.run(TrainingRig.STEPS)).isEqualTo(other.run(TrainingRig.STEPS));
            assertThat(one.values()).containsExactly(other.values());
            assertThat(one.moment(1)).containsExactly(other.moment(1));
        }
    }

    @ParameterizedTest
    @CsvSource({"2, fp32", "7, fp32", "20, fp32", "64, fp32", "6, tf32", "6, bf16"})
    void severalStepsInALaunchHaveTheBitsOfSingleOnes(String steps, String precision) {
        try (TrainingRig single = cuda(Map.of("steps", "1", "precision", precision));
                TrainingRig several = cuda(Map.of("steps", steps, "precision", precision))) {
            assertThat(several.run(TrainingRig.STEPS)).isEqualTo(single.run(TrainingRig.STEPS));
            assertThat(several.values()).containsExactly(single.values());
            assertThat(several.gradients()).containsExactly(single.gradients());
        }
    }

    /** In bf16 the optimizer keeps a short copy of the weights; an upload makes it anew from the weights themselves. */
    @ParameterizedTest
    @EnumSource(Precision.class)
    void anUploadOfTheSameWeightsChangesNoBit(Precision precision) {
        Map<String, String> options = Map.of("precision", precision.label());
        try (TrainingRig kept = cuda(options);
                TrainingRig renewed = cuda(options)) {
            for (int step = 0; step < 6; step++) {
                assertThat(renewed.run(1)).isEqualTo(kept.run(1));
                renewed.vae.parameters().values().uploadDoubles(renewed.values());
            }
            assertThat(renewed.values()).containsExactly(kept.values());
            // And what was uploaded is what products take: other weights give another loss.
            double[] other = kept.values();
            for (int i = 0; i < other.length; i++) {
                other[i] *= 1.5;
            }
            renewed.vae.parameters().values().uploadDoubles(other);
            assertThat(renewed.run(1)).isNotEqualTo(kept.run(1));
        }
    }

    @ParameterizedTest
    @EnumSource(Precision.class)
    void aReplayedCallHasTheBitsOfOneIssuedAtOnce(Precision precision) {
        try (var backend = CudaFixture.open(Map.of("precision", precision.label()))) {
            for (KernelCase kernelCase : KernelCases.all(3)) {
                KernelOutcome atOnce = KernelRun.eager(backend, kernelCase);
                KernelOutcome replayed = KernelRun.replay(backend, kernelCase, true, kernelCase.capacity(), 1);
                atOnce.outputs().forEach((role, values) -> {
                    Comparison same = Comparison.exact(kernelCase + ", " + role, replayed.output(role), values);
                    assertThat(same.passed()).as(same.describe()).isTrue();
                });
                assertThat(replayed.state()).isEqualTo(atOnce.state());
            }
        }
    }
}
