package io.github.elbo4j.validation;

import io.github.elbo4j.backend.Backend;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Checks a backend on the machine it runs on: every kernel, every case of {@link KernelCases}, at once and recorded, with
 * all rows and with fewer than the capacity.
 */
public final class Validation {
    private static final int MOST_FAILURES = 10;

    private Validation() {}

    /**
     * {@return what a comparison with the Java reference finds}
     *
     * @param subject the backend, which stays open
     * @param seed contents and random shapes
     */
    public static ValidationReport run(Backend subject, long seed) {
        return run(subject, seed, KernelCases.all(seed));
    }

    /**
     * {@return what a comparison in chosen cases finds}
     *
     * @param subject the backend, which stays open
     * @param seed what the cases were made from, for the report
     * @param cases which cases
     */
    public static ValidationReport run(Backend subject, long seed, List<KernelCase> cases) {
        Map<String, Tally> tallies = new LinkedHashMap<>();
        try (KernelJudge judge = new KernelJudge()) {
            for (KernelCase kernelCase : cases) {
                Tally tally = tallies.computeIfAbsent(kernelCase.kernel(), Tally::new);
                tally.cases++;
                try {
                    run(subject, judge, kernelCase, tally);
                } catch (RuntimeException e) {
                    // One kernel that throws must not hide what the others do.
                    tally.fail(kernelCase + ": " + e);
                }
            }
        }
        return new ValidationReport(
                subject.info().numericProfile(),
                seed,
                tallies.values().stream().map(Tally::row).toList());
    }

    private static void run(Backend subject, KernelJudge judge, KernelCase kernelCase, Tally tally) {
        int capacity = kernelCase.capacity();
        KernelJudge.Expected expected = judge.expected(kernelCase, capacity);
        KernelOutcome eager = KernelRun.eager(subject, kernelCase);
        tally.take(judge.compare(kernelCase, capacity, eager, subject, expected), eager);
        KernelOutcome replayed = KernelRun.replay(subject, kernelCase, false, capacity, 1);
        tally.take(judge.compare(kernelCase, capacity, replayed, subject, expected), replayed);
        if (subject.info().numericProfile().equals("java-fp32")) {
            tally.take(judge.comparePlain(kernelCase, capacity, eager, expected), eager);
        }
        for (int fewer : fewer(kernelCase)) {
            KernelOutcome partial = KernelRun.replay(subject, kernelCase, true, fewer, 1);
            tally.take(judge.compare(kernelCase, fewer, partial, subject, judge.expected(kernelCase, fewer)), partial);
        }
    }

    /** {@return active rows to try below the capacity} */
    static Set<Integer> fewer(KernelCase kernelCase) {
        int capacity = kernelCase.capacity();
        if (!kernelCase.batched() || capacity == 1) {
            return Set.of();
        }
        return Set.of((capacity + 1) / 2);
    }

    /** What is known of a kernel so far. */
    private static final class Tally {
        private final String kernel;
        private final List<String> failures = new ArrayList<>();
        private int cases;
        private long elements;
        private double worstShare = -1;
        private String where = "";

        Tally(String kernel) {
            this.kernel = kernel;
        }

        void take(List<Comparison> comparisons, KernelOutcome outcome) {
            for (Comparison comparison : comparisons) {
                elements += comparison.elements();
                if (comparison.worstShare() > worstShare) {
                    worstShare = comparison.worstShare();
                    where = comparison.what() + ", element " + comparison.worstIndex();
                }
                if (!comparison.passed()) {
                    fail(comparison.describe());
                }
            }
            outcome.faults().forEach(fault -> fail(kernel + ": " + fault));
        }

        void fail(String failure) {
            if (failures.size() < MOST_FAILURES) {
                failures.add(failure);
            }
        }

        ValidationReport.Row row() {
            return new ValidationReport.Row(kernel, cases, elements, Math.max(0, worstShare), where, failures);
        }
    }
}
