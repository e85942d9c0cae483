package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.testkit.TrainingCheck;
import io.github.elbo4j.testkit.TrainingRig;
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
    private static TrainingRig cuda(Map<String, String> options) {
        return new TrainingRig(CudaFixture.open(options));
    }

    private static Backend java(String precision) {
        return Backends.open("java", Map.of("precision", precision));
    }

    @Test
    void theFreeRunningLossFollowsTheReference() {
        try (TrainingRig reference = new TrainingRig(java("fp32"));
                TrainingRig cuda = cuda(Map.of())) {
            double worst = TrainingCheck.freeRunningLossFollows(reference, cuda);
            System.out.printf("20 steps on %s: loss within %.1e of the reference%n", cuda.backend.info(), worst);
            assertThat(cuda.explain()).contains("merged", "second branch", "16 kernels and 11 products a step");
        }
    }

    /** Where factors are shorter the layers are smooth: a ReLU whose input lies that close to zero has a derivative of its own. */
    @ParameterizedTest
    @EnumSource(Precision.class)
    void eachStepFromTheSameStateAgreesWithTheReference(Precision precision) {
        Activation activation = precision == Precision.FP32 ? Activation.RELU : Activation.SILU;
        try (TrainingRig truth = new TrainingRig(java("fp64"), activation);
                TrainingRig plain = new TrainingRig(java("fp32"), activation);
                TrainingRig cuda =
                        new TrainingRig(CudaFixture.open(Map.of("precision", precision.label())), activation)) {
            TrainingCheck.eachStepFromTheSameStateAgrees(truth, plain, cuda);
        }
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
