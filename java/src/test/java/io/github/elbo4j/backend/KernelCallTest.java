package io.github.elbo4j.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.LinearKernels.Write;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a call says it reads and writes, which is all that a backend orders and merges calls by. */
class KernelCallTest {
    private static final Rows ROWS = Rows.of(2);

    private final Backend backend = Backends.open("java");
    private final Workspace work = backend.workspace("calls");
    private final Tensor g = work.tensor("g", DType.F32, 2, 3);
    private final Tensor x = work.tensor("x", DType.F32, 2, 4);
    private final Tensor w = work.tensor("w", DType.F32, 3, 4);
    private final Tensor dw = work.tensor("dw", DType.F32, 3, 4);
    private final Tensor db = work.tensor("db", DType.F32, 3);
    private final Tensor dx = work.tensor("dx", DType.F32, 2, 4);

    @AfterEach
    void close() {
        backend.close();
    }

    @Test
    void whatIsAddedToIsReadAsWell() {
        KernelCall overwrites = KernelCall.linearBackwardWeights(backend, ROWS, x, g, dw, db, Write.OVERWRITE);
        assertThat(overwrites.inputs()).containsExactly(x, g);
        assertThat(overwrites.outputs()).containsExactly(dw, db);
        KernelCall adds = KernelCall.linearBackwardWeights(backend, ROWS, x, g, dw, db, Write.ADD);
        assertThat(adds.inputs()).containsExactly(x, g, dw, db);
        assertThat(adds.outputs()).containsExactly(dw, db);
        KernelCall input = KernelCall.linearBackwardInput(backend, ROWS, g, w, Activation.IDENTITY, x, dx, Write.ADD);
        assertThat(input.inputs()).containsExactly(g, w, x, dx);
    }

    @Test
    void anUpdateReadsWhatItChanges() {
        Parameters arena = work.parameters(List.of(Parameters.Spec.trained("p", "all", 3)), 2);
        StepState state = work.stepState(1, List.of("lr"), 1, List.of());
        KernelCall adam = KernelCall.adam(
                backend, arena, "all", state, state.slot("lr"), Scalar.of(1), Scalar.of(1), 0.9, 0.999, 1e-8);
        assertThat(adam.inputs()).containsExactly(arena.gradients(), arena.values(), arena.moment(0), arena.moment(1));
        assertThat(adam.outputs()).containsExactly(arena.values(), arena.moment(0), arena.moment(1));
        assertThat(adam.scheduled()).isTrue();
    }

    @Test
    void aSlotThatTheScheduleDoesNotHaveIsRefused() {
        Parameters arena = work.parameters(List.of(Parameters.Spec.trained("p", "all", 3)), 0);
        StepState state = work.stepState(1, List.of("lr"), 1, List.of());
        assertThatThrownBy(() -> KernelCall.sgd(backend, arena, "all", state, new Scalar.Slot(state, 7, "lr")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("sgd", "learningRate", "7", "'lr'");
        assertThatThrownBy(() -> KernelCall.sgd(backend, arena, "all", state, new Scalar.Slot(state, 0, "other")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'other'");
    }
}
