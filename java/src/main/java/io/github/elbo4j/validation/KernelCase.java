package io.github.elbo4j.validation;

import io.github.elbo4j.backend.Kernels;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.StepState;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntToDoubleFunction;

/**
 * One kernel in one shape and one setting: its operands with their contents, how it is issued, and how its results are
 * judged. Knows no backend.
 *
 * @param family family of the kernel: the method of {@link Kernels}
 * @param kernel name of the kernel
 * @param setting shape and options in words
 * @param rows rows of the call
 * @param arguments operands in the order of the kernel's parameters
 * @param specs arena of parameters; empty for none
 * @param moments moments of the arena
 * @param start counters, sums and flag before the call
 * @param slots schedule of the step
 * @param orderRows rows of the epoch, for a kernel that chooses the active rows; else 0
 * @param metricTerms sum of absolute terms of the metric, for a number of active batch rows
 * @param properties what else holds
 * @param issue issues the kernel
 */
public record KernelCase(
        String family,
        String kernel,
        String setting,
        Rows rows,
        List<Argument> arguments,
        List<Parameters.Spec> specs,
        int moments,
        StepState.Snapshot start,
        Map<String, Double> slots,
        long orderRows,
        IntToDoubleFunction metricTerms,
        Set<Property> properties,
        Issue issue) {

    /** The metric of every case's state. */
    public static final String METRIC = "metric";

    /** Seed of every case's random numbers and shuffles. */
    public static final long SEED = 0x5EED_0000_0001L;

    /** What holds of a kernel in a setting, beyond its numbers. */
    public enum Property {
        /** Permuted batch rows give the same bits, permuted. */
        ROWS_PERMUTE,
        /** A row alone gives the bits that it gives within a batch. */
        ROWS_ALONE,
        /** The step counter enters the result. */
        READS_STEP
    }

    /** Issues the kernel on a backend or on a recording. */
    @FunctionalInterface
    public interface Issue {
        /** Issues one call. */
        void on(Kernels kernels, KernelOperands operands);
    }

    /** Keeps its own copies. */
    public KernelCase {
        arguments = List.copyOf(arguments);
        specs = List.copyOf(specs);
        properties = Set.copyOf(properties);
    }

    /** {@return whether the kernel has batch rows, so that fewer may be active than the capacity} */
    public boolean batched() {
        return orderRows == 0 && arguments.stream().anyMatch(argument -> argument.span() != Argument.Span.WHOLE);
    }

    /** {@return the active batch rows of a call that is given some} */
    public int active(int given) {
        return orderRows == 0 ? given : (int) Math.min(given, orderRows - start.position());
    }

    /** {@return the batch rows at most} */
    public int capacity() {
        return Math.toIntExact(rows.capacity());
    }

    /**
     * {@return the operand of a role}
     *
     * @throws IllegalArgumentException if there is none
     */
    public Argument argument(String role) {
        return arguments.stream()
                .filter(argument -> argument.role().equals(role))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(this + " has no operand '" + role + "'"));
    }

    /** {@return the same case with chosen batch rows, to be compared bit by bit with this one} */
    public KernelCase select(int... chosen) {
        return new KernelCase(
                family,
                kernel,
                setting + " with " + chosen.length + " chosen rows",
                new Rows(chosen.length, rows.fold()),
                arguments.stream()
                        .map(argument -> argument.select(rows.capacity(), chosen))
                        .toList(),
                specs,
                moments,
                start,
                slots,
                orderRows,
                metricTerms,
                properties,
                issue);
    }

    /** {@return the same case at another step} */
    public KernelCase atStep(long step) {
        return new KernelCase(
                family,
                kernel,
                setting + " at step " + step,
                rows,
                arguments,
                specs,
                moments,
                new StepState.Snapshot(step, start.epoch(), start.position(), start.rows(), start.sums(), start.halt()),
                slots,
                orderRows,
                metricTerms,
                properties,
                issue);
    }

    @Override
    public String toString() {
        return kernel + " " + setting;
    }
}
