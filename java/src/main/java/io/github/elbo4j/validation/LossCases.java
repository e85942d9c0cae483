package io.github.elbo4j.validation;

import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.validation.Argument.Kind;
import io.github.elbo4j.validation.Argument.Rounding;
import io.github.elbo4j.validation.Argument.Span;
import io.github.elbo4j.validation.Argument.Terms;
import io.github.elbo4j.validation.KernelCase.Property;
import java.util.List;
import java.util.Map;

/** Cases of likelihoods and of sums over the rows. */
final class LossCases {
    private LossCases() {}

    static void add(List<KernelCase> cases, CaseInputs inputs) {
        for (int i = 0; i < KernelCases.COLUMNS.length; i++) {
            Rows rows = new Rows(KernelCases.ROWS[i % KernelCases.ROWS.length], i % 4 == 3 ? 3 : 1);
            all(cases, inputs, rows, KernelCases.COLUMNS[i], i);
        }
        for (int variant = 0; variant < 8; variant++) {
            all(cases, inputs, new Rows(7, 1 + variant % 3), 19, variant);
        }
        for (int i = 0; i < KernelCases.RANDOM; i++) {
            Rows rows = new Rows(inputs.integer(1, 70), inputs.integer(1, 4));
            all(cases, inputs, rows, inputs.integer(1, 1100), i);
        }
        for (int capacity : new int[] {1, 2, 7, 64, 65, 300}) {
            cases.add(accumulate(inputs, new Rows(capacity, 1 + capacity % 3), Double.NaN, 0, false));
        }
        cases.add(accumulate(inputs, Rows.of(7), Double.NaN, 2, false));
        cases.add(accumulate(inputs, Rows.of(65), Double.POSITIVE_INFINITY, 3, false));
        cases.add(accumulate(inputs, new Rows(7, 3), Double.NEGATIVE_INFINITY, 1, false));
        cases.add(accumulate(inputs, Rows.of(7), Double.NaN, 0, true));
        cases.add(accumulate(inputs, Rows.of(7), Double.NaN, 2, true));
    }

    private static void all(List<KernelCase> cases, CaseInputs inputs, Rows rows, int d, int variant) {
        Reduction reduction = variant % 2 == 0 ? Reduction.SUM : Reduction.MEAN;
        cases.add(forward(inputs, rows, d));
        cases.add(forwardBackward(inputs, rows, d, reduction, variant % 3 == 0, variant % 4 == 1));
    }

    /** Logits where the sigmoid bends, and those where it is 0 or 1 in binary32. */
    private static double[] logits(CaseInputs inputs, int count) {
        return CaseInputs.leading(
                inputs.normal(count, 4), 0.0, -0.0, 100, -100, 88, -88, 17, -17, 0x1p-140, 1e-8, -1e-8);
    }

    /** Targets: all of [0, 1], both ends included. */
    private static double[] target(CaseInputs inputs, int count) {
        double[] target = inputs.uniform(count, -0.5, 1.5);
        for (int i = 0; i < count; i++) {
            target[i] = Math.min(1, Math.max(0, target[i]));
        }
        return target;
    }

    private static double[] likelihoodTerms(double[] logits, double[] target, int samples, int fold, int d) {
        double[] sums = new double[samples];
        for (int r = 0; r < samples; r++) {
            for (int j = 0; j < d; j++) {
                double l = logits[r * d + j];
                double x = target[r / fold * d + j];
                // max(l, 0) + |l x| + log1p(exp(-|l|)), with what log1p and exp add
                sums[r] += Math.max(l, 0) + Math.abs(l * x) + 2 * Math.log1p(Math.exp(-Math.abs(l)));
            }
        }
        return sums;
    }

    private static KernelCase forward(CaseInputs inputs, Rows rows, int d) {
        int n = (int) rows.total();
        double[] logits = logits(inputs, n * d);
        double[] target = target(inputs, (int) rows.capacity() * d);
        double[] sums = likelihoodTerms(logits, target, n, rows.fold(), d);
        return new CaseBuilder("loss", "bernoulliForward", d + " columns", rows)
                .read("logits", Kind.REAL, Span.SAMPLES, logits, d)
                .read("target", Kind.REAL, Span.ROWS, target, d)
                .write("logLikelihood", Kind.REAL, Span.SAMPLES, KernelCases.rowSum(d, sums))
                .with(Property.ROWS_PERMUTE)
                .with(Property.ROWS_ALONE)
                .issue((kernels, o) -> kernels.loss()
                        .bernoulliForward(o.rows(), o.get("logits"), o.get("target"), o.get("logLikelihood")));
    }

    private static KernelCase forwardBackward(
            CaseInputs inputs, Rows rows, int d, Reduction reduction, boolean scheduled, boolean inPlace) {
        int n = (int) rows.total();
        double weight = 1.3;
        double[] logits = logits(inputs, n * d);
        double[] target = target(inputs, (int) rows.capacity() * d);
        double[] sums = likelihoodTerms(logits, target, n, rows.fold(), d);
        Rounding gradient = new Rounding(1, active -> {
            double w = weight / (reduction == Reduction.MEAN ? active : 1);
            double[] terms = new double[n * d];
            for (int i = 0; i < terms.length; i++) {
                // |w| (sigmoid(l) + |x|), with what exp adds
                terms[i] = w * (2 * Activations.sigmoid(logits[i]) + target[i / d / rows.fold() * d + i % d]);
            }
            return Terms.of(terms);
        });
        CaseBuilder builder = new CaseBuilder(
                "loss",
                "bernoulliForwardBackward",
                d + " columns " + reduction + (scheduled ? " scheduled" : "") + (inPlace ? " in place" : ""),
                rows);
        String out = inPlace ? "logits" : "dLogits";
        if (inPlace) {
            builder.update("logits", Kind.REAL, Span.SAMPLES, logits, gradient, d);
        } else {
            builder.read("logits", Kind.REAL, Span.SAMPLES, logits, d);
        }
        builder.read("target", Kind.REAL, Span.ROWS, target, d)
                .write("logLikelihood", Kind.REAL, Span.SAMPLES, KernelCases.rowSum(d, sums));
        if (!inPlace) {
            builder.write("dLogits", Kind.REAL, Span.SAMPLES, gradient, d);
        }
        if (scheduled) {
            builder.slot("other", 1e9).slot("weight", weight);
        }
        if (reduction == Reduction.SUM) {
            builder.with(Property.ROWS_ALONE);
        }
        return builder.with(Property.ROWS_PERMUTE)
                .issue((kernels, o) -> kernels.loss()
                        .bernoulliForwardBackward(
                                o.rows(),
                                o.get("logits"),
                                o.get("target"),
                                o.scalar("weight", weight),
                                reduction,
                                o.get("logLikelihood"),
                                o.get(out)));
    }

    private static KernelCase accumulate(CaseInputs inputs, Rows rows, double bad, int badCount, boolean halted) {
        int n = (int) rows.total();
        double old = -12.25;
        double[] perRow = inputs.normal(n, 100);
        for (int i = 0; i < badCount; i++) {
            perRow[n / 2 + i] = bad;
        }
        StepState.Halt halt = halted ? new StepState.Halt(4, "earlier", 1, 2) : null;
        String setting = badCount == 0 ? "finite" : badCount + " times " + bad;
        return new CaseBuilder("loss", "accumulate", setting + (halted ? " halted" : ""), rows)
                .start(new StepState.Snapshot(5, 1, 2, 10, Map.of(KernelCase.METRIC, old), halt))
                .read("perRow", Kind.REAL, Span.SAMPLES, perRow)
                .metric(active -> {
                    double sum = Math.abs(old);
                    for (int r = 0; r < active * rows.fold(); r++) {
                        sum += Double.isFinite(perRow[r]) ? Math.abs(perRow[r]) : 0;
                    }
                    return sum;
                })
                .issue((kernels, o) ->
                        kernels.loss().accumulate(o.rows(), o.state(), KernelCase.METRIC, o.get("perRow")));
    }
}
