package io.github.elbo4j.validation;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.validation.Argument.Rounding;
import io.github.elbo4j.validation.Argument.Terms;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Holds outcomes against the Java reference by the rule of {@link Tolerance}; opens the reference in both precisions.
 * Used by one thread at a time.
 */
public final class KernelJudge implements AutoCloseable {
    private final Backend truth = Backends.open("java", Map.of("precision", "fp64"));
    private final Backend plain = Backends.open("java", Map.of("precision", "fp32"));

    /** Opens the references. */
    public KernelJudge() {}

    /**
     * What a case should give for a number of active batch rows.
     *
     * @param truth outcome in binary64
     * @param plain outcome of the plain float path
     */
    public record Expected(KernelOutcome truth, KernelOutcome plain) {}

    /**
     * {@return what a case should give}
     *
     * @param kernelCase the case
     * @param activeRows active batch rows given to it
     */
    public Expected expected(KernelCase kernelCase, int activeRows) {
        return new Expected(reference(truth, kernelCase, activeRows), reference(plain, kernelCase, activeRows));
    }

    private static KernelOutcome reference(Backend backend, KernelCase kernelCase, int activeRows) {
        return activeRows == kernelCase.capacity()
                ? KernelRun.eager(backend, kernelCase, false)
                : KernelRun.replay(backend, kernelCase, false, activeRows, 1);
    }

    /**
     * {@return comparisons of every output, one each}
     *
     * @param kernelCase the case
     * @param activeRows active batch rows given to it
     * @param outcome what a backend gave
     * @param subject the backend that gave it
     * @param expected what should come out
     */
    public List<Comparison> compare(
            KernelCase kernelCase, int activeRows, KernelOutcome outcome, Backend subject, Expected expected) {
        List<Comparison> comparisons = new ArrayList<>();
        int active = kernelCase.active(activeRows);
        for (Argument argument : kernelCase.arguments()) {
            if (argument.output()) {
                comparisons.add(compare(kernelCase, argument, active, outcome, subject, expected));
            }
        }
        comparisons.addAll(compareStates(
                kernelCase, active, outcome.state(), expected.truth().state()));
        return comparisons;
    }

    private static Comparison compare(
            KernelCase kernelCase,
            Argument argument,
            int active,
            KernelOutcome outcome,
            Backend subject,
            Expected expected) {
        String what = kernelCase + ", " + argument.role();
        DType type = subject.real();
        double[] actual = outcome.output(argument.role());
        double[] right = expected.truth().output(argument.role());
        Rounding rounding = argument.rounding();
        if (rounding == null) {
            return Comparison.exact(what, actual, right);
        }
        Terms terms = rounding.terms().apply(active).first(actual.length);
        double cap = Tolerance.cap(rounding.chain());
        double e = type == DType.F32
                ? Math.min(
                        cap,
                        Tolerance.worstRatio(expected.plain().output(argument.role()), right, terms.sums(), DType.F32))
                : cap;
        double[] tolerance = Tolerance.of(e, terms.sums(), terms.allowance(), type);
        if (rounding.product()) {
            Tolerance.widen(tolerance, terms.sums(), subject.info().productError());
        }
        return Comparison.within(what, actual, right, tolerance);
    }

    /** The sum is in double on every backend; one flag that is equal counts as one element. */
    private static List<Comparison> compareStates(
            KernelCase kernelCase, int active, StepState.Snapshot actual, StepState.Snapshot right) {
        double[] tolerance = Tolerance.of(
                Tolerance.FLOOR,
                new double[] {kernelCase.metricTerms().applyAsDouble(active)},
                new double[0],
                DType.F64);
        Comparison sum = Comparison.within(
                kernelCase + ", metric",
                new double[] {actual.sums().getOrDefault(KernelCase.METRIC, Double.NaN)},
                new double[] {right.sums().getOrDefault(KernelCase.METRIC, 0.0)},
                tolerance);
        Comparison counters =
                Comparison.exact(kernelCase + ", counters", counters(actual, right), counters(right, right));
        return List.of(sum, counters);
    }

    private static long[] counters(StepState.Snapshot state, StepState.Snapshot right) {
        boolean sameHalt = java.util.Objects.equals(state.halt(), right.halt());
        return new long[] {state.step(), state.epoch(), state.position(), state.rows(), sameHalt ? 0 : 1};
    }

    /**
     * {@return comparisons of the plain float path with its cap}
     *
     * <p>The one check in which the Java backend in binary32 is the subject and not the measure.
     */
    public List<Comparison> comparePlain(
            KernelCase kernelCase, int activeRows, KernelOutcome outcome, Expected expected) {
        List<Comparison> comparisons = new ArrayList<>();
        int active = kernelCase.active(activeRows);
        for (Argument argument : kernelCase.arguments()) {
            Rounding rounding = argument.rounding();
            if (argument.output() && rounding != null) {
                double[] actual = outcome.output(argument.role());
                Terms terms = rounding.terms().apply(active).first(actual.length);
                // Half the cap, because the rule doubles it.
                double[] tolerance =
                        Tolerance.of(Tolerance.cap(rounding.chain()) / 2, terms.sums(), new double[0], DType.F32);
                comparisons.add(Comparison.within(
                        kernelCase + ", " + argument.role() + ", cap",
                        actual,
                        expected.truth().output(argument.role()),
                        tolerance));
            }
        }
        return comparisons;
    }

    @Override
    public void close() {
        truth.close();
        plain.close();
    }
}
