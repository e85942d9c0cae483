package io.github.elbo4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.StepState.Snapshot;
import io.github.elbo4j.model.VaeGraph;
import io.github.elbo4j.validation.Comparison;

/** Whole training steps of a {@link TrainingRig} beside those of the reference. */
public final class TrainingCheck {
    /** Products that a gradient of the rig passes through, forward and back, one after the other. */
    private static final int DEPTH = 6;

    private TrainingCheck() {}

    private static double loss(Snapshot state) {
        return state.mean(VaeGraph.KL) - state.mean(VaeGraph.LOG_LIKELIHOOD);
    }

    /**
     * Runs all steps on both, each from its own weights, and compares the losses.
     *
     * @return the largest relative difference
     */
    public static double freeRunningLossFollows(TrainingRig reference, TrainingRig tested) {
        double worst = 0;
        for (int step = 0; step < TrainingRig.STEPS; step++) {
            double right = loss(reference.run(1));
            double actual = loss(tested.run(1));
            assertThat(actual).as("loss after step %d", step).isCloseTo(right, within(1e-5 * right));
            worst = Math.max(worst, Math.abs(actual - right) / right);
        }
        assertThat(tested.state.read().rows()).isEqualTo(reference.state.read().rows());
        return worst;
    }

    /**
     * Compares gradients and one update from the same state, step by step. A gradient may be off by twice the error of the
     * plain float path, and by what products of shorter factors add in each layer it passes; the update by what Adam makes
     * of that.
     *
     * @param truth in binary64
     * @param plain the reference in binary32
     * @param tested what is judged
     */
    public static void eachStepFromTheSameStateAgrees(TrainingRig truth, TrainingRig plain, TrainingRig tested) {
        double productError = tested.backend.info().productError();
        for (int step = 0; step < TrainingRig.STEPS; step++) {
            plain.copy(truth);
            // Back again: what binary32 cannot hold would make the steps begin with different weights.
            truth.copy(plain);
            tested.copy(plain);
            double[] before = plain.values();
            double[] m = plain.moment(0);
            double[] v = plain.moment(1);
            truth.run(1);
            plain.run(1);
            tested.run(1);
            double[] allowed = allowedGradients(truth, plain, productError);
            compare("gradients, step " + step, tested.gradients(), truth.gradients(), allowed);
            compare(
                    "values, step " + step,
                    tested.values(),
                    truth.values(),
                    allowedUpdates(step, before, m, v, truth.gradients(), allowed));
        }
    }

    private static void compare(String what, double[] actual, double[] right, double[] allowed) {
        Comparison comparison = Comparison.within(what, actual, right, allowed);
        assertThat(comparison.passed()).as(comparison.describe()).isTrue();
    }

    /** Per tensor: the scale of a sum is its largest element, as its terms are not at hand. */
    private static double[] allowedGradients(TrainingRig truth, TrainingRig plain, double productError) {
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
                allowed[i] = 2 * error + scale * (0x1p-22 + DEPTH * productError);
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
}
