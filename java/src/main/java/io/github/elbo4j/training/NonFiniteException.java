package io.github.elbo4j.training;

import io.github.elbo4j.backend.StepState.Halt;
import java.io.Serial;

/** A number was not finite. Where a step found it, the model holds the weights from before the step; no later step ran. */
public final class NonFiniteException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final long step;
    private final String tensor;

    private NonFiniteException(String message, long step, String tensor) {
        super(message);
        this.step = step;
        this.tensor = tensor;
    }

    /** A number that a step found; the step changed nothing. */
    static NonFiniteException found(Halt halt, int batch) {
        return new NonFiniteException(
                "step " + (halt.step() + 1) + ": '" + halt.tensor() + "' is not finite or far too large ("
                        + halt.count() + " numbers, the first at " + halt.firstRow() + "; batch " + batch
                        + "). The weights are those before this step; lower the learning rate, or look at the data",
                halt.step(),
                halt.tensor());
    }

    /** A number that an evaluation found; it changes nothing. */
    static NonFiniteException evaluated(Halt halt) {
        return new NonFiniteException(
                "evaluation, step " + (halt.step() + 1) + ": '" + halt.tensor() + "' is not finite or far too large ("
                        + halt.count() + " numbers, the first at " + halt.firstRow()
                        + "). The model or the data is broken; take other weights, or train with a lower learning rate",
                halt.step(),
                halt.tensor());
    }

    /** A weight that the last step before a save made so; nothing was saved. */
    static NonFiniteException updated(long step, String parameter, long element) {
        return new NonFiniteException(
                "step " + (step + 1) + " made '" + parameter + "' not finite (element " + element
                        + "). Nothing was saved after it; lower the learning rate, and train from the last checkpoint",
                step,
                parameter);
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
