package io.github.elbo4j.training;

import io.github.elbo4j.backend.StepState.Halt;
import java.io.Serial;

/** A number was not finite. The model holds the weights from before the step; no later step ran. */
public final class NonFiniteException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final long step;
    private final String tensor;

    NonFiniteException(Halt halt, int batch) {
        super("step " + (halt.step() + 1) + ": '" + halt.tensor() + "' is not finite ("
                + halt.count() + " numbers, the first at " + halt.firstRow() + "; batch " + batch
                + "). The weights are those before this step; lower the learning rate, or look at the data");
        this.step = halt.step();
        this.tensor = halt.tensor();
    }

    /** {@return the step, from 0} */
    public long step() {
        return step;
    }

    /** {@return the metric or gradient that was not finite first} */
    public String tensor() {
        return tensor;
    }
}
