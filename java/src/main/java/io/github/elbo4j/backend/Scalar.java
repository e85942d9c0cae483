package io.github.elbo4j.backend;

/** A number that a kernel takes: fixed when recorded, or looked up in the step's schedule when run. */
public sealed interface Scalar {
    /**
     * A number fixed when the step is recorded.
     *
     * @param value the number
     */
    record Constant(double value) implements Scalar {}

    /**
     * A column of the schedule: its value may differ from step to step.
     *
     * @param state the state whose schedule is read
     * @param index the column
     * @param name the column's name
     */
    record Slot(StepState state, int index, String name) implements Scalar {}

    /** {@return a number fixed when the step is recorded} */
    static Scalar of(double value) {
        return new Constant(value);
    }
}
