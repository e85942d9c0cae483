package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import java.util.List;
import java.util.Map;

/** The reference in binary64 with a workspace, for tests that hold it against plain loops. */
final class OracleFixture implements AutoCloseable {
    /** Seed of the step state. */
    static final long SEED = 12;

    final Backend backend = Backends.open("java", Map.of("precision", "fp64", "threads", "2"));
    final Workspace work = backend.workspace("oracle");
    final StepState state = work.stepState(SEED, List.of(), 0, List.of("sum"));

    /** {@return a tensor of these values} */
    Tensor tensor(double[] values, long... shape) {
        Tensor tensor = work.tensor("t", DType.F64, shape);
        tensor.uploadDoubles(values);
        return tensor;
    }

    /** {@return a tensor of zeros} */
    Tensor zeros(long... shape) {
        return work.tensor("t", DType.F64, shape);
    }

    /** {@return numbers spread over -1..1 with no pattern, another row for every {@code salt}} */
    static double[] numbers(int count, int salt) {
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = Math.sin(1.7 * i * i + 0.3 * i + salt);
        }
        return values;
    }

    @Override
    public void close() {
        backend.close();
    }
}
