package io.github.elbo4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.OptimizerKernels;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Workspace;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The contract of {@link OptimizerKernels}: one subclass for each backend. */
public abstract class OptimizerKernelsContract extends KernelsContract {
    private static final long SEED = 1;

    /** The cases of this family. */
    protected OptimizerKernelsContract() {
        super("optimizer");
    }

    /** They would decay no further, and slow every step from then on. */
    @Test
    final void momentsThatBecomeSubnormalAreZero() {
        double least = backend().real() == DType.F64 ? Double.MIN_NORMAL : Float.MIN_NORMAL;
        try (Workspace work = backend().workspace("subnormal")) {
            Parameters parameters = work.parameters(List.of(Parameters.Spec.trained("w", "all", 5)), 2);
            StepState state = work.stepState(SEED, List.of(), 0, List.of());
            parameters.values().uploadDoubles(1, 2, 3, 4, 5);
            parameters.gradients().uploadDoubles(0, 0, 0, 0, 0);
            parameters.moment(0).uploadDoubles(1.0625 * least, -1.0625 * least, 1.5 * least, 0, 0.5);
            parameters.moment(1).uploadDoubles(1, 1, 1, least, 1);
            backend()
                    .optimizer()
                    .adam(
                            parameters,
                            "all",
                            state,
                            Scalar.of(1),
                            Scalar.of(1),
                            Scalar.of(1),
                            0.75,
                            0.75,
                            OptimizerKernels.MIN_EPSILON);
            assertThat(parameters.moment(0).downloadDoubles()).containsExactly(0, 0, 1.125 * least, 0, 0.375);
            assertThat(parameters.moment(1).downloadDoubles()).containsExactly(0.75, 0.75, 0.75, 0, 0.75);
            assertThat(parameters.values().downloadDoubles()).startsWith(1, 2, 3, 4);
        }
    }
}
