package io.github.elbo4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.LinearKernels.Write;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What one thread issues takes effect in that order, across workspaces and with nobody waiting: one subclass each. */
public abstract class OrderContract {
    private static final int WIDTH = 257;
    private static final int TIMES = 50;

    /** For subclasses. */
    protected OrderContract() {}

    /** {@return a new instance of the backend under test} */
    protected abstract Backend open();

    @Test
    final void aRunSeesWhatRunsOfOtherWorkspacesWroteBefore() {
        try (Backend backend = open();
                Workspace writing = backend.workspace("writing");
                Workspace reading = backend.workspace("reading")) {
            Rows rows = Rows.of(64);
            double[] ones = new double[WIDTH * 64];
            java.util.Arrays.fill(ones, 1);
            Tensor x = writing.tensor("x", backend.real(), 64, WIDTH);
            x.uploadDoubles(ones);
            // Every run adds 64 to each element: sums of whole numbers are exact in any order.
            Tensor sum = writing.tensor("sum", backend.real(), WIDTH, WIDTH);
            Tensor bias = writing.tensor("bias", backend.real(), WIDTH);
            Tensor zeros = reading.tensor("zeros", backend.real(), WIDTH);
            Tensor y = reading.tensor("y", backend.real(), 64, WIDTH);
            StepState writer = writing.stepState(0, List.of(), 0, List.of());
            StepState reader = reading.stepState(0, List.of(), 0, List.of());
            try (Replay write = writing.record(
                            writer,
                            rows,
                            step -> step.linear().linearBackwardWeights(rows, x, x, sum, bias, Write.ADD));
                    Replay read = reading.record(
                            reader,
                            rows,
                            step -> step.linear().linearForward(rows, x, sum, zeros, Activation.IDENTITY, y, null))) {
                for (int i = 1; i <= TIMES; i++) {
                    write.run(1);
                    read.run(1);
                    if (i % 10 == 0) {
                        assertThat(y.downloadDoubles()).containsOnly(64.0 * i * WIDTH);
                    }
                }
                assertThat(bias.downloadDoubles()).containsOnly(64.0 * TIMES);
            }
        }
    }
}
