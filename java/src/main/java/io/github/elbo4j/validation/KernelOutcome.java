package io.github.elbo4j.validation;

import io.github.elbo4j.backend.StepState;
import java.util.List;
import java.util.Map;

/**
 * What a kernel left behind.
 *
 * @param outputs elements of the active rows, by role
 * @param state counters, sums and flag
 * @param faults rules broken whatever the numbers are: writes outside an output, changed inputs
 */
public record KernelOutcome(Map<String, double[]> outputs, StepState.Snapshot state, List<String> faults) {
    /**
     * {@return an output}
     *
     * @throws IllegalArgumentException if there is none of that role
     */
    public double[] output(String role) {
        double[] output = outputs.get(role);
        if (output == null) {
            throw new IllegalArgumentException("no output '" + role + "'; there are " + outputs.keySet());
        }
        return output;
    }
}
