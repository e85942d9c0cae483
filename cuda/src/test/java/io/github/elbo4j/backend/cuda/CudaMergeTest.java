package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.LatentKernels.Clamp;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.LinearKernels.Write;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Recording;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What a recording may merge, what it must leave apart, and what padding rows may reach. */
class CudaMergeTest {
    private static final Rows ROWS = Rows.of(4);
    private static final int IN = 6;
    private static final int OUT = 8;

    private Backend backend;
    private Workspace work;
    private StepState state;
    private Tensor x;
    private Tensor w;
    private Tensor b;
    private Tensor target;
    private Tensor sums;
    private Tensor gradient;

    @BeforeEach
    void open() {
        open("fp32");
    }

    private void open(String precision) {
        backend = CudaFixture.open(Map.of("precision", precision));
        work = backend.workspace("w");
        state = work.stepState(3, List.of(), 0, List.of());
        x = filled("x", 4, IN);
        w = filled("wt", OUT, IN);
        b = filled("b", OUT);
        target = filled("target", 4, OUT);
        sums = filled("sums", 4);
        gradient = filled("gradient", 4, OUT);
    }

    @AfterEach
    void close() {
        backend.close();
    }

    private Tensor filled(String name, long... shape) {
        Tensor tensor = work.tensor(name, backend.real(), shape);
        double[] values = new double[(int) tensor.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.abs(Math.sin(i + name.length()));
        }
        tensor.uploadDoubles(values);
        return tensor;
    }

    private void layer(Recording step, Operand y) {
        step.linear().linearForward(ROWS, x, w, b, Activation.IDENTITY, y, null);
    }

    private void loss(Recording step, Operand logits, Operand wanted, Operand dLogits) {
        step.loss().bernoulliForwardBackward(ROWS, logits, wanted, Scalar.of(1), Reduction.MEAN, sums, dLogits);
    }

    /** {@return how the step was explained, after one run} */
    private String run(Consumer<Recording> step) {
        try (Replay replay = work.record(state, ROWS, step)) {
            replay.run(1);
            replay.await();
            return replay.explain();
        }
    }

    /** Both ways of a step: with an intermediate, which may be merged away, and with a tensor, which may not. */
    private void sameBits(Function<Recording, Operand> intermediate, Consumer<RecordingWith> step, Tensor... outputs) {
        Tensor stored = work.tensor("stored", backend.real(), 4, OUT);
        String apart = run(recording -> step.accept(new RecordingWith(recording, stored)));
        double[][] right = new double[outputs.length][];
        for (int i = 0; i < outputs.length; i++) {
            right[i] = outputs[i].downloadDoubles();
            outputs[i].uploadDoubles(new double[right[i].length]);
        }
        String merged = run(recording -> step.accept(new RecordingWith(recording, intermediate.apply(recording))));
        assertThat(apart).doesNotContain("merged");
        assertThat(merged).contains("merged");
        for (int i = 0; i < outputs.length; i++) {
            assertThat(outputs[i].downloadDoubles()).containsExactly(right[i]);
        }
    }

    /** A recording and the layer's output in it. */
    private record RecordingWith(Recording recording, Operand y) {}

    @Test
    void aLossTakesTheProductOfTheLayerBefore() {
        sameBits(
                recording -> recording.scratch("logits", ROWS, OUT),
                step -> {
                    layer(step.recording(), step.y());
                    loss(step.recording(), step.y(), target, gradient);
                },
                sums,
                gradient);
    }

    @Test
    void headsSampleAndDivergenceAreOneKernel() {
        Tensor z = work.tensor("z", backend.real(), 4, OUT / 2);
        Tensor kl = work.tensor("kl", backend.real(), 4);
        Consumer<Recording> together = step -> {
            layer(step, gradient);
            step.latent()
                    .reparameterizeForward(
                            ROWS, gradient, Clamp.DEFAULT, Noise.training(Noise.Purpose.EPSILON), state, z);
            step.latent().gaussianKlForward(ROWS, gradient, Clamp.DEFAULT, kl);
        };
        assertThat(run(together)).contains("merged: linearForward + reparameterizeForward + gaussianKlForward");
        double[] samples = z.downloadDoubles();
        double[] divergences = kl.downloadDoubles();
        double[] heads = gradient.downloadDoubles();
        // The same calls with another one between them.
        String apart = run(step -> {
            layer(step, gradient);
            step.loss().bernoulliForward(ROWS, target, target, sums);
            step.latent()
                    .reparameterizeForward(
                            ROWS, gradient, Clamp.DEFAULT, Noise.training(Noise.Purpose.EPSILON), state, z);
            step.latent().gaussianKlForward(ROWS, gradient, Clamp.DEFAULT, kl);
        });
        assertThat(apart).doesNotContain("merged");
        assertThat(z.downloadDoubles()).containsExactly(samples);
        assertThat(kl.downloadDoubles()).containsExactly(divergences);
        assertThat(gradient.downloadDoubles()).containsExactly(heads);
    }

    @ParameterizedTest
    @CsvSource({
        "4, fp32, 2", // the gradient, and a copy of the inputs, which no kernel of the step has written
        "64, fp32, 2",
        "65, fp32, 3", // and the sum of the row blocks
        "200, fp32, 3",
        "200, bf16, 5", // and short copies of both factors of the first product
    })
    void theGradientOfAnActivationIsSummedOnTheWay(int count, String precision, int kernels) {
        backend.close();
        open(precision);
        Rows rows = Rows.of(count);
        Tensor above = filled("above", count, OUT);
        Tensor hidden = filled("hidden", count, IN);
        Tensor inputs = filled("inputs", count, 3);
        Tensor dw = filled("dw", IN, 3);
        Tensor db = filled("db", IN);
        Tensor dx = filled("dx", count, IN);
        double[] before = db.downloadDoubles();
        Consumer<Recording> input =
                step -> step.linear().linearBackwardInput(rows, above, w, Activation.TANH, hidden, dx, Write.OVERWRITE);
        Consumer<Recording> weights = step -> step.linear().linearBackwardWeights(rows, inputs, dx, dw, db, Write.ADD);
        String merged;
        try (Replay replay = work.record(state, rows, input.andThen(weights))) {
            replay.runRows(Math.max(1, count - 3));
            replay.await();
            merged = replay.explain();
        }
        assertThat(merged)
                .contains("merged: linearBackwardInput + linearBackwardWeights", "second branch")
                .contains(kernels + " kernels and 2 products a step");
        double[] sums = db.downloadDoubles();
        double[] weightGradients = dw.downloadDoubles();
        db.uploadDoubles(before);
        dw.uploadDoubles(filled("dw", IN, 3).downloadDoubles());
        // The same calls with another one between them.
        try (Replay replay = work.record(state, rows, step -> {
            input.accept(step);
            step.optimizer().advance(state);
            weights.accept(step);
        })) {
            replay.runRows(Math.max(1, count - 3));
            replay.await();
            assertThat(replay.explain()).doesNotContain("merged");
        }
        assertThat(db.downloadDoubles()).containsExactly(sums).isNotEqualTo(before);
        assertThat(dw.downloadDoubles()).containsExactly(weightGradients);
    }

    @Test
    void logitsThatAnotherCallReadsAreStored() {
        assertThat(run(step -> {
                    Operand logits = step.scratch("logits", ROWS, OUT);
                    layer(step, logits);
                    loss(step, logits, target, gradient);
                    step.loss().bernoulliForward(ROWS, logits, target, sums);
                }))
                .doesNotContain("merged");
    }

    @Test
    void anActivationIsNotMergedAway() {
        assertThat(run(step -> {
                    Operand logits = step.scratch("logits", ROWS, OUT);
                    step.linear().linearForward(ROWS, x, w, b, Activation.TANH, logits, null);
                    loss(step, logits, target, gradient);
                }))
                .doesNotContain("merged");
    }

    @Test
    void targetsThatAreTheLogitsAreReadWithTheirBias() {
        assertThat(run(step -> {
                    Operand logits = step.scratch("logits", ROWS, OUT);
                    layer(step, logits);
                    loss(step, logits, logits, gradient);
                }))
                .doesNotContain("merged");
    }

    @Test
    void aBiasThatTheLossOverwritesIsReadBefore() {
        Tensor shared = filled("shared", 16);
        Operand bias = shared.view("bias", 0, OUT);
        Operand perRow = shared.view("perRow", 0, 4);
        assertThat(run(step -> {
                    Operand logits = step.scratch("logits", ROWS, OUT);
                    step.linear().linearForward(ROWS, x, w, bias, Activation.IDENTITY, logits, null);
                    step.loss()
                            .bernoulliForwardBackward(
                                    ROWS, logits, target, Scalar.of(1), Reduction.MEAN, perRow, gradient);
                }))
                .doesNotContain("merged");
    }

    /** A factor that no kernel of the step has written keeps what its padding rows hold to itself. */
    @ParameterizedTest
    @EnumSource(Precision.class)
    void paddingOfATensorReachesNoGradient(Precision precision) {
        backend.close();
        open(precision.label());
        Tensor square = filled("square", 4, 4);
        double[] values = square.downloadDoubles();
        for (int column = 0; column < 4; column++) {
            values[12 + column] = Double.NaN;
        }
        square.uploadDoubles(values);
        Tensor y = work.tensor("y", backend.real(), 4, 4);
        Tensor zeros = work.tensor("zeros", backend.real(), 4);
        Tensor dw = filled("dw", OUT, 4);
        Tensor db = filled("db", OUT);
        try (Replay replay = work.record(state, ROWS, step -> {
            // First as weights, all of which count, then as rows, of which three do.
            step.linear().linearForward(ROWS, square, square, zeros, Activation.IDENTITY, y, null);
            step.linear().linearBackwardWeights(ROWS, square, gradient, dw, db, Write.OVERWRITE);
        })) {
            replay.runRows(3);
            replay.await();
        }
        assertThat(dw.downloadDoubles()).doesNotContain(Double.NaN);
        double[] g = gradient.downloadDoubles();
        double right = g[0] * values[0] + g[OUT] * values[4] + g[2 * OUT] * values[8];
        assertThat(dw.downloadDoubles()[0]).isCloseTo(right, org.assertj.core.api.Assertions.within(0.02 * right));
    }
}
