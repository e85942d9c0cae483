package io.github.elbo4j.testkit;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.validation.Argument;
import io.github.elbo4j.validation.Argument.Span;
import io.github.elbo4j.validation.Comparison;
import io.github.elbo4j.validation.KernelCase;
import io.github.elbo4j.validation.KernelCase.Property;
import io.github.elbo4j.validation.KernelJudge;
import io.github.elbo4j.validation.KernelOutcome;
import io.github.elbo4j.validation.KernelRun;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;

/** The checks of one kernel case; each throws {@link AssertionError} with what it found. */
public final class KernelCheck implements AutoCloseable {
    private final Backend subject;
    private final KernelJudge judge = new KernelJudge();

    /** Checks of a backend, which stays open. */
    public KernelCheck(Backend subject) {
        this.subject = subject;
    }

    /** Every check. */
    public void all(KernelCase kernelCase) {
        correct(kernelCase);
        repeatable(kernelCase);
        fewerRows(kernelCase);
        rowsPermute(kernelCase);
        rowsAlone(kernelCase);
        stepCounts(kernelCase);
    }

    /** Right numbers at once and recorded; nothing written beside an output, no input changed; both bit-equal. */
    public void correct(KernelCase kernelCase) {
        int capacity = kernelCase.capacity();
        KernelJudge.Expected expected = judge.expected(kernelCase, capacity);
        KernelOutcome eager = KernelRun.eager(subject, kernelCase);
        require(kernelCase, capacity, eager, expected);
        KernelOutcome framed = KernelRun.replay(subject, kernelCase, true, capacity, 1);
        require(kernelCase, capacity, framed, expected);
        requireSame(kernelCase + ", recorded against at once", framed, eager);
        if (subject.info().numericProfile().equals("java-fp32")) {
            judge.comparePlain(kernelCase, capacity, eager, expected).forEach(KernelCheck::requirePassed);
        }
    }

    /** The same call gives the same bits: at once, replayed again, and on whole tensors in place of views. */
    public void repeatable(KernelCase kernelCase) {
        KernelOutcome first = KernelRun.eager(subject, kernelCase);
        requireSame(kernelCase + ", again", KernelRun.eager(subject, kernelCase), first);
        KernelOutcome replayed = KernelRun.replay(subject, kernelCase, false, kernelCase.capacity(), 2);
        requireNoFaults(kernelCase, replayed);
        requireSame(kernelCase + ", replayed again on whole tensors", replayed, first);
    }

    /** With fewer active rows than the capacity, padding rows that hold NaN reach neither rows nor sums. */
    public void fewerRows(KernelCase kernelCase) {
        int capacity = kernelCase.capacity();
        if (!kernelCase.batched() || capacity == 1) {
            return;
        }
        for (int active : new LinkedHashSet<>(List.of(1, (capacity + 1) / 2, capacity - 1))) {
            KernelOutcome partial = KernelRun.replay(subject, kernelCase, true, active, 1);
            require(kernelCase, active, partial, judge.expected(kernelCase, active));
        }
    }

    /** Permuted rows give permuted results. */
    public void rowsPermute(KernelCase kernelCase) {
        int capacity = kernelCase.capacity();
        if (!kernelCase.properties().contains(Property.ROWS_PERMUTE) || capacity == 1) {
            return;
        }
        int[] reversed = new int[capacity];
        Arrays.setAll(reversed, row -> capacity - 1 - row);
        requireRows(kernelCase, KernelRun.eager(subject, kernelCase), reversed);
    }

    /** A row alone gives the bits that it gives within the batch. */
    public void rowsAlone(KernelCase kernelCase) {
        int capacity = kernelCase.capacity();
        if (!kernelCase.properties().contains(Property.ROWS_ALONE)) {
            return;
        }
        KernelOutcome batch = KernelRun.eager(subject, kernelCase);
        for (int row : new LinkedHashSet<>(List.of(0, capacity - 1))) {
            requireRows(kernelCase, batch, row);
        }
    }

    /** What is keyed by the step differs from step to step, by the rule in each. */
    public void stepCounts(KernelCase kernelCase) {
        if (!kernelCase.properties().contains(Property.READS_STEP)) {
            return;
        }
        KernelCase later = kernelCase.atStep(kernelCase.start().step() + 1);
        KernelOutcome now = KernelRun.eager(subject, kernelCase);
        KernelOutcome then = KernelRun.eager(subject, later);
        KernelOutcome replayed = KernelRun.replay(subject, later, true, kernelCase.capacity(), 1);
        requireSame(later + ", recorded against at once", replayed, then);
        boolean differs = kernelCase.arguments().stream()
                .filter(argument -> argument.output() && argument.size() >= 64)
                .allMatch(argument -> !Arrays.equals(now.output(argument.role()), then.output(argument.role())));
        if (!differs) {
            throw new AssertionError(kernelCase + ": step " + later.start().step() + " gives the numbers of step "
                    + kernelCase.start().step());
        }
    }

    private void requireRows(KernelCase kernelCase, KernelOutcome batch, int... rows) {
        KernelOutcome chosen = KernelRun.eager(subject, kernelCase.select(rows));
        for (Argument argument : kernelCase.arguments()) {
            if (!argument.output() || argument.span() == Span.WHOLE) {
                continue;
            }
            int rowSize = argument.rowSize(kernelCase.capacity());
            double[] all = batch.output(argument.role());
            double[] expected = new double[rowSize * rows.length];
            for (int i = 0; i < rows.length; i++) {
                System.arraycopy(all, rows[i] * rowSize, expected, i * rowSize, rowSize);
            }
            String what = kernelCase + ", " + argument.role() + ", rows " + Arrays.toString(rows) + " by themselves";
            requirePassed(Comparison.exact(what, chosen.output(argument.role()), expected));
        }
    }

    private void require(KernelCase kernelCase, int activeRows, KernelOutcome outcome, KernelJudge.Expected expected) {
        requireNoFaults(kernelCase, outcome);
        judge.compare(kernelCase, activeRows, outcome, subject, expected).forEach(KernelCheck::requirePassed);
    }

    private static void requireNoFaults(KernelCase kernelCase, KernelOutcome outcome) {
        if (!outcome.faults().isEmpty()) {
            throw new AssertionError(kernelCase + ": " + outcome.faults());
        }
    }

    private static void requireSame(String what, KernelOutcome actual, KernelOutcome expected) {
        expected.outputs()
                .forEach((role, values) ->
                        requirePassed(Comparison.exact(what + ", " + role, actual.output(role), values)));
        if (!Objects.equals(actual.state(), expected.state())) {
            throw new AssertionError(what + ": state " + actual.state() + ", expected " + expected.state());
        }
    }

    private static void requirePassed(Comparison comparison) {
        if (!comparison.passed()) {
            throw new AssertionError(comparison.describe());
        }
    }

    @Override
    public void close() {
        judge.close();
    }
}
