package io.github.elbo4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendMemoryException;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels.Order;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Clamp;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.LinearKernels.Write;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Normals;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Philox;
import io.github.elbo4j.backend.Recording;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.Scratch;
import io.github.elbo4j.backend.Shuffle;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.StepState.Snapshot;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What holds of counters, schedules, sums and the halt flag on every backend: one subclass for each. */
public abstract class StepStateContract {
    private static final long SEED = 11;

    /** For subclasses. */
    protected StepStateContract() {}

    /** {@return a new instance of the backend under test} */
    protected abstract Backend open();

    /** One linear model of one output trained on the rows of a data set, its loss the output itself. */
    private static final class Training implements AutoCloseable {
        final Workspace work;
        final Tensor ids;
        final Tensor data;
        final Parameters parameters;
        final StepState state;
        final Replay replay;

        Training(Backend backend, long n, Rows rows) {
            this.work = backend.workspace("training");
            this.ids = work.tensor("ids", DType.I64, rows.capacity());
            this.data = work.tensor("data", backend.real(), n, 2);
            double[] content = new double[Math.toIntExact(2 * n)];
            for (int i = 0; i < content.length; i++) {
                content[i] = (i % 7) / 8.0;
            }
            data.uploadDoubles(content);
            this.parameters = work.parameters(
                    List.of(Parameters.Spec.trained("w", "all", 1, 2), Parameters.Spec.trained("b", "all", 1)), 0);
            this.state = work.stepState(SEED, List.of("lr"), 100, List.of("sum"));
            double[] rates = new double[100];
            for (int i = 0; i < rates.length; i++) {
                rates[i] = 1.0 / (i + 2);
            }
            state.schedule(0, rates);
            this.replay = work.record(state, rows, step -> record(step, rows, n));
        }

        private void record(Recording step, Rows rows, long n) {
            Scratch x = step.scratch("x", rows, 2);
            Scratch y = step.scratch("y", rows, 1);
            Scratch perRow = step.scratch("per row", rows);
            step.data().selectRows(rows, state, Order.shuffled(n), ids);
            step.data().gather(rows, ids, data, Pixels.AS_IS, Noise.off(), state, x);
            step.linear()
                    .linearForward(rows, x, parameters.value("w"), parameters.value("b"), Activation.SIGMOID, y, null);
            step.loss().bernoulliForward(rows, y, y, perRow);
            step.loss().accumulate(rows, state, "sum", perRow);
            step.linear()
                    .linearBackwardWeights(
                            rows, x, y, parameters.gradient("w"), parameters.gradient("b"), Write.OVERWRITE);
            step.optimizer().checkGradients(parameters, "all", state);
            step.optimizer().sgd(parameters, "all", state, state.slot("lr"));
            step.optimizer().advance(state);
        }

        Snapshot run(long times) {
            replay.run(times);
            replay.await();
            return state.read();
        }

        long[] rowIds() {
            long[] rowIds = new long[(int) ids.size()];
            ids.download(MemorySegment.ofArray(rowIds), 0);
            return rowIds;
        }

        double[] weights() {
            return parameters.values().downloadDoubles();
        }

        @Override
        public void close() {
            work.close();
        }
    }

    /** Rows of an epoch and capacities that divide it, do not, exceed it, or are all of it. */
    @ParameterizedTest
    @CsvSource({"1,1", "7,3", "12,4", "13,4", "5,8", "9,9", "10,1"})
    final void threeEpochsVisitEveryRowOnceEach(long n, long capacity) {
        try (Backend backend = open();
                Training training = new Training(backend, n, Rows.of(capacity))) {
            long step = 0;
            for (long epoch = 0; epoch < 3; epoch++) {
                Set<Long> seen = new HashSet<>();
                List<Long> order = new ArrayList<>();
                for (long position = 0; position < n; position += capacity) {
                    long active = Math.min(capacity, n - position);
                    Snapshot after = training.run(1);
                    step++;
                    boolean last = position + active == n;
                    assertThat(after.step()).isEqualTo(step);
                    assertThat(after.epoch()).isEqualTo(last ? epoch + 1 : epoch);
                    assertThat(after.position()).isEqualTo(last ? 0 : position + active);
                    assertThat(after.rows()).isEqualTo(epoch * n + position + active);
                    assertThat(after.halt()).isNull();
                    long[] ids = training.rowIds();
                    for (int i = 0; i < active; i++) {
                        seen.add(ids[i]);
                        order.add(ids[i]);
                        assertThat(ids[i]).isEqualTo(Shuffle.row(SEED, epoch, position + i, n));
                    }
                }
                assertThat(seen).hasSize((int) n);
                assertThat(order).hasSize((int) n);
            }
            Snapshot whole = training.state.read();
            assertThat(whole.mean("sum")).isEqualTo(whole.sums().getOrDefault("sum", 0.0) / (3 * n));
            training.state.resetMetrics();
            Snapshot reset = training.state.read();
            assertThat(reset.rows()).isZero();
            assertThat(reset.sums()).containsEntry("sum", 0.0);
            assertThat(reset.step()).isEqualTo(step);
            assertThatThrownBy(() -> reset.mean("other")).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    final void manyRunsAreOneRunOfMany() {
        try (Backend backend = open();
                Training one = new Training(backend, 13, Rows.of(4));
                Training other = new Training(backend, 13, Rows.of(4))) {
            Snapshot together = one.run(9);
            for (int i = 0; i < 8; i++) {
                other.run(1);
            }
            assertThat(other.run(1)).isEqualTo(together);
            assertThat(other.weights()).containsExactly(one.weights());
        }
    }

    @Test
    final void aRestoredRunGoesOnAsIfNeverInterrupted() {
        try (Backend backend = open();
                Training whole = new Training(backend, 13, Rows.of(4));
                Training first = new Training(backend, 13, Rows.of(4));
                Training second = new Training(backend, 13, Rows.of(4))) {
            Snapshot end = whole.run(11);
            Snapshot middle = first.run(6);
            assertThat(middle.position()).as("in the middle of an epoch").isPositive();
            second.parameters.values().uploadDoubles(first.weights());
            second.state.restore(middle);
            assertThat(second.state.read()).isEqualTo(middle);
            assertThat(second.run(5)).isEqualTo(end);
            assertThat(second.weights()).containsExactly(whole.weights());
            Snapshot strange = new Snapshot(0, 0, 0, 0, Map.of("other", 1.0), null);
            assertThatThrownBy(() -> second.state.restore(strange))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("other", "sum");
        }
    }

    @Test
    final void aScheduleMustCoverTheRun() {
        try (Backend backend = open();
                Training training = new Training(backend, 13, Rows.of(4))) {
            training.state.schedule(0, new double[] {0.1, 0.1, 0.1});
            double[] before = training.weights();
            assertThatThrownBy(() -> training.replay.run(4))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("schedule");
            assertThat(training.weights()).as("nothing has run").containsExactly(before);
            assertThat(training.state.read().step()).isZero();
            assertThat(training.run(3).step()).isEqualTo(3);
            assertThatThrownBy(() -> training.replay.run(1)).isInstanceOf(IllegalStateException.class);
            training.state.schedule(5, new double[] {0.1});
            assertThatThrownBy(() -> training.replay.run(1)).isInstanceOf(IllegalStateException.class);
            training.state.schedule(3, new double[] {0.1});
            assertThat(training.run(1).step()).isEqualTo(4);
            assertThatThrownBy(() -> training.replay.runRows(1))
                    .as("rows are chosen by selectRows")
                    .isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> training.state.schedule(0, new double[101]))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> training.state.schedule(-1, new double[1]))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> training.state.slot("x"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("'x'", "lr");
        }
    }

    /** A recording that ends two steps reads two rows of the schedule in each run. */
    @Test
    final void aScheduleMustCoverEveryStepOfARun() {
        try (Backend backend = open();
                Workspace work = backend.workspace("w")) {
            Parameters parameters = work.parameters(List.of(Parameters.Spec.trained("w", "all", 1)), 0);
            parameters.gradients().uploadDoubles(1);
            StepState state = work.stepState(SEED, List.of("lr"), 4, List.of());
            state.schedule(0, new double[] {1, 2, 4});
            try (Replay replay = work.record(state, Rows.of(1), step -> {
                step.optimizer().sgd(parameters, "all", state, state.slot("lr"));
                step.optimizer().advance(state);
                step.optimizer().sgd(parameters, "all", state, state.slot("lr"));
                step.optimizer().advance(state);
            })) {
                assertThatThrownBy(() -> replay.run(2))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("schedule");
                assertThatThrownBy(() -> replay.run(Long.MAX_VALUE)).isInstanceOf(IllegalStateException.class);
                replay.run(1);
                assertThat(state.read().step()).isEqualTo(2);
                assertThat(parameters.values().downloadDoubles()).containsExactly(-3);
                assertThatThrownBy(() -> replay.run(1)).isInstanceOf(IllegalStateException.class);
            }
        }
    }

    /** What follows the last end of a step belongs to the next one. */
    @Test
    final void aScheduleMustCoverTheStepThatARunBegins() {
        try (Backend backend = open();
                Workspace work = backend.workspace("w")) {
            Parameters parameters = work.parameters(List.of(Parameters.Spec.trained("w", "all", 1)), 0);
            parameters.gradients().uploadDoubles(1);
            StepState state = work.stepState(SEED, List.of("lr"), 4, List.of());
            state.schedule(0, new double[] {1, 2, 4});
            try (Replay replay = work.record(state, Rows.of(1), step -> {
                step.optimizer().advance(state);
                step.optimizer().sgd(parameters, "all", state, state.slot("lr"));
            })) {
                assertThatThrownBy(() -> replay.run(3))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("schedule");
                assertThatThrownBy(() -> replay.run(Long.MAX_VALUE)).isInstanceOf(IllegalStateException.class);
                assertThat(state.read().step()).isZero();
                replay.run(2);
                assertThat(state.read().step()).isEqualTo(2);
                assertThat(parameters.values().downloadDoubles()).containsExactly(-6);
                assertThatThrownBy(() -> replay.run(1)).isInstanceOf(IllegalStateException.class);
            }
        }
    }

    @Test
    final void aBadNumberStopsTheRunBeforeTheWeights() {
        try (Backend backend = open();
                Training training = new Training(backend, 13, Rows.of(4))) {
            Snapshot good = training.run(2);
            double[] weights = training.weights();
            // The row at place 10 of the order is the third of the next batch.
            double[] content = training.data.downloadDoubles();
            int row = (int) Shuffle.row(SEED, 0, 10, 13);
            content[2 * row] = Double.NaN;
            training.data.uploadDoubles(content);
            Snapshot stopped = training.run(5);
            assertThat(stopped.halt()).isEqualTo(new StepState.Halt(2, "per row", 2, 1));
            assertThat(stopped.step()).isEqualTo(2);
            assertThat(stopped.sums()).isEqualTo(good.sums());
            assertThat(stopped.rows()).isEqualTo(good.rows());
            assertThat(training.weights()).containsExactly(weights);
            // Cleared by restoring, with the number mended, the run goes on.
            content[2 * row] = 0.5;
            training.data.uploadDoubles(content);
            training.state.restore(good);
            assertThat(training.run(1).step()).isEqualTo(3);
        }
    }

    @Test
    final void aBadGradientStopsTheRunBeforeTheWeights() {
        try (Backend backend = open();
                Workspace work = backend.workspace("w")) {
            Rows rows = Rows.of(2);
            Parameters parameters = work.parameters(
                    List.of(Parameters.Spec.trained("w", "all", 3), Parameters.Spec.trained("b", "all", 2)), 0);
            StepState state = work.stepState(SEED, List.of(), 0, List.of("sum"));
            Tensor ones = work.tensor("ones", backend.real(), 2);
            ones.uploadDoubles(1, 1);
            double[] gradients = new double[(int) parameters.gradients().size()];
            gradients[(int) parameters.gradient("b").offset() + 1] = Double.NEGATIVE_INFINITY;
            parameters.gradients().uploadDoubles(gradients);
            try (Replay replay = work.record(state, rows, step -> {
                step.optimizer().checkGradients(parameters, "all", state);
                step.optimizer().sgd(parameters, "all", state, Scalar.of(1));
                step.loss().accumulate(rows, state, "sum", ones);
                step.optimizer().advance(state);
            })) {
                replay.run(3);
                Snapshot stopped = state.read();
                assertThat(stopped.halt()).isEqualTo(new StepState.Halt(0, "gradient of b", 1, 1));
                assertThat(stopped.step()).isZero();
                assertThat(stopped.sums()).containsEntry("sum", 0.0);
                assertThat(parameters.values().downloadDoubles()).containsOnly(0);
                parameters.gradients().uploadDoubles(new double[gradients.length]);
                assertThat(state.read().halt()).as("the flag stays").isNotNull();
            }
        }
    }

    @Test
    final void impossibleStatesAreRefused() {
        try (Backend backend = open();
                Workspace work = backend.workspace("w")) {
            assertThatThrownBy(() -> work.stepState(SEED, List.of("lr"), 0, List.of()))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> work.stepState(SEED, List.of("lr", "lr"), 1, List.of()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("lr");
            assertThatThrownBy(() -> work.stepState(SEED, List.of(), 0, List.of("a", "a")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("a");
            for (List<String> slots : List.of(List.of("lr"), List.of("lr", "beta"))) {
                assertThatThrownBy(() -> work.stepState(SEED, slots, Integer.MAX_VALUE, List.of()))
                        .isInstanceOf(BackendMemoryException.class)
                        .hasMessageContaining("schedule");
            }
            StepState none = work.stepState(SEED, List.of(), 0, List.of("a", "b"));
            assertThat(none.metrics()).containsExactly("a", "b");
            assertThatThrownBy(() -> none.schedule(0, new double[0])).isInstanceOf(IllegalArgumentException.class);
            Tensor perRow = work.tensor("perRow", backend.real(), 2);
            assertThatThrownBy(() -> backend.loss().accumulate(Rows.of(2), none, "c", perRow))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("'c'", "a", "b");
        }
    }

    @Test
    final void rowsAreChosenOnceAndFirst() {
        try (Backend backend = open();
                Workspace work = backend.workspace("w")) {
            Rows rows = Rows.of(2);
            Tensor ids = work.tensor("ids", DType.I64, 2);
            StepState state = work.stepState(SEED, List.of(), 0, List.of());
            assertThatThrownBy(() -> work.record(state, rows, step -> {
                        step.data().selectRows(rows, state, Order.sequential(5), ids);
                        step.data().selectRows(rows, state, Order.sequential(5), ids);
                    }))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("selectRows");
        }
    }

    /** One recording serves any seed: the state holds it, as it holds all that changes. */
    @Test
    final void anotherSeedGivesOtherNumbersFromTheSameRecording() {
        try (Backend backend = open();
                Workspace work = backend.workspace("w")) {
            Rows rows = Rows.of(4);
            Tensor ids = work.tensor("ids", DType.I64, 4);
            Tensor prior = work.tensor("prior", backend.real(), 4, 10);
            Tensor z = work.tensor("z", backend.real(), 4, 5);
            StepState state = work.stepState(SEED, List.of(), 0, List.of());
            try (Replay replay = work.record(state, rows, step -> {
                step.data().selectRows(rows, state, Order.shuffled(1000), ids);
                step.latent()
                        .reparameterizeForward(
                                rows, prior, Clamp.DEFAULT, Noise.training(Noise.Purpose.EPSILON), state, z);
            })) {
                replay.run(1);
                double[] first = z.downloadDoubles();
                long[] rowIds = new long[4];
                ids.download(MemorySegment.ofArray(rowIds), 0);
                double[] expected = new double[5];
                Normals.row(SEED, 2, 0, Philox.stream(Noise.Purpose.EPSILON, 0), expected);
                assertThat(Arrays.copyOfRange(first, 10, 15)).containsExactly(expected, within(1e-5));
                assertThat(rowIds[3]).isEqualTo(Shuffle.row(SEED, 0, 3, 1000));

                state.reseed(SEED + 1);
                assertThat(state.seed()).isEqualTo(SEED + 1);
                replay.run(1);
                assertThat(z.downloadDoubles()).doesNotContain(first);
                ids.download(MemorySegment.ofArray(rowIds), 0);
                assertThat(rowIds[3]).isEqualTo(Shuffle.row(SEED + 1, 0, 3, 1000));

                state.reseed(SEED);
                replay.run(1);
                assertThat(z.downloadDoubles()).isEqualTo(first);
            }
        }
    }

    /** A step counts on one state; another one, of this workspace or of a second, is refused by name. */
    @Test
    final void aStepTakesItsOwnState() {
        try (Backend backend = open();
                Workspace work = backend.workspace("w");
                Workspace second = backend.workspace("second")) {
            Rows rows = Rows.of(2);
            StepState state = work.stepState(SEED, List.of("lr"), 1, List.of("sum"));
            StepState foreign = second.stepState(SEED, List.of("lr"), 1, List.of("sum"));
            StepState other = work.stepState(SEED, List.of("lr"), 1, List.of("sum"));
            Tensor perRow = work.tensor("perRow", backend.real(), 2);
            Tensor logits = work.tensor("logits", backend.real(), 2, 1);
            Tensor target = work.tensor("target", backend.real(), 2, 1);
            Tensor gradient = work.tensor("gradient", backend.real(), 2, 1);
            for (StepState wrong : List.of(foreign, other)) {
                assertThatThrownBy(() ->
                                work.record(state, rows, step -> step.loss().accumulate(rows, wrong, "sum", perRow)))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContainingAll("accumulate", "state", "w");
                assertThatThrownBy(() -> work.record(
                                state,
                                rows,
                                step -> step.loss()
                                        .bernoulliForwardBackward(
                                                rows,
                                                logits,
                                                target,
                                                wrong.slot("lr"),
                                                Reduction.SUM,
                                                perRow,
                                                gradient)))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessageContainingAll("bernoulliForwardBackward", "state", "w");
            }
            Parameters parameters = work.parameters(List.of(Parameters.Spec.trained("p", "all", 3)), 0);
            assertThatThrownBy(() -> backend.optimizer().sgd(parameters, "all", state, foreign.slot("lr")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContainingAll("sgd", "'w'", "'second'");
        }
    }
}
