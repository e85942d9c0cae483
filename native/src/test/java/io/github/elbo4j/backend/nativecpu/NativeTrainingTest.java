package io.github.elbo4j.backend.nativecpu;

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
import org.junit.jupiter.params.provider.EnumSource;

/** Whole training steps: against the reference, and against each other in every way that they can be issued. */
class NativeTrainingTest {
    private static Backend java(String precision) {
        return Backends.open("java", Map.of("precision", precision));
    }

    @Test
    void theFreeRunningLossFollowsTheReference() {
        try (TrainingRig reference = new TrainingRig(java("fp32"));
                TrainingRig tested = new TrainingRig(NativeFixture.open())) {
            double worst = TrainingCheck.freeRunningLossFollows(reference, tested);
            System.out.printf("20 steps on %s: loss within %.1e of the reference%n", tested.backend.info(), worst);
        }
    }

    @ParameterizedTest
    @EnumSource
    void eachStepFromTheSameStateAgreesWithTheReference(Activation activation) {
        try (TrainingRig truth = new TrainingRig(java("fp64"), activation);
                TrainingRig plain = new TrainingRig(java("fp32"), activation);
                TrainingRig tested = new TrainingRig(NativeFixture.open(), activation)) {
            TrainingCheck.eachStepFromTheSameStateAgrees(truth, plain, tested);
        }
    }

    @Test
    void severalStepsInOneRunHaveTheBitsOfSingleOnes() {
        try (TrainingRig single = new TrainingRig(NativeFixture.open());
                TrainingRig several = new TrainingRig(NativeFixture.open())) {
            for (int step = 1; step < TrainingRig.STEPS; step++) {
                single.run(1);
            }
            assertThat(several.run(TrainingRig.STEPS)).isEqualTo(single.run(1));
            assertThat(several.values()).containsExactly(single.values());
            assertThat(several.moment(0)).containsExactly(single.moment(0));
            assertThat(several.moment(1)).containsExactly(single.moment(1));
            assertThat(several.gradients()).containsExactly(single.gradients());
        }
    }

    /** The optimizer leaves the transposed copies stale, an upload does so too, and products must notice both. */
    @Test
    void anUploadOfTheSameWeightsChangesNoBit() {
        try (TrainingRig kept = new TrainingRig(NativeFixture.open());
                TrainingRig renewed = new TrainingRig(NativeFixture.open())) {
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

    @Test
    void aReplayedCallHasTheBitsOfOneIssuedAtOnce() {
        try (Backend backend = NativeFixture.open()) {
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
