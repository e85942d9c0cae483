package io.github.elbo4j.validation;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.LinearKernels.Write;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.validation.Argument.Kind;
import io.github.elbo4j.validation.Argument.Rounding;
import io.github.elbo4j.validation.Argument.Span;
import io.github.elbo4j.validation.Argument.Terms;
import io.github.elbo4j.validation.KernelCase.Property;
import java.util.List;

/** Cases of dense layers. */
final class LinearCases {
    /** Most that an activation's slope exceeds 1: that of GELU is at most 1.13. */
    private static final double STEEPEST = 1.13;

    private static final Activation[] ACTIVATIONS = Activation.values();
    private static final Write[] WRITES = Write.values();

    private LinearCases() {}

    static void add(List<KernelCase> cases, CaseInputs inputs) {
        for (int i = 0; i < KernelCases.COLUMNS.length; i++) {
            int size = KernelCases.COLUMNS[i];
            int rows = KernelCases.ROWS[i % KernelCases.ROWS.length];
            Activation f = ACTIVATIONS[i % ACTIVATIONS.length];
            layer(cases, inputs, rows, 1, size, 33, f, WRITES[i % 2]);
            layer(cases, inputs, rows, 1, 5, size, f, WRITES[(i + 1) % 2]);
        }
        for (int rows : KernelCases.ROWS) {
            layer(cases, inputs, rows, 1, 31, 17, Activation.TANH, Write.OVERWRITE);
        }
        for (Activation f : Activation.values()) {
            for (Write write : Write.values()) {
                layer(cases, inputs, 7, 3, 12, 9, f, write);
            }
        }
        // The layers of the published model: pixels to hidden units, and back.
        layer(cases, inputs, 100, 1, 784, 200, Activation.RELU, Write.OVERWRITE);
        layer(cases, inputs, 20, 5, 200, 784, Activation.IDENTITY, Write.OVERWRITE);
        for (int i = 0; i < KernelCases.RANDOM; i++) {
            layer(
                    cases,
                    inputs,
                    inputs.integer(1, 40),
                    inputs.integer(1, 3),
                    inputs.integer(1, 300),
                    inputs.integer(1, 300),
                    ACTIVATIONS[i % ACTIVATIONS.length],
                    WRITES[i % 2]);
        }
    }

    private static void layer(
            List<KernelCase> cases, CaseInputs inputs, int capacity, int fold, int in, int out, Activation f, Write w) {
        Rows rows = new Rows(capacity, fold);
        cases.add(forward(inputs, rows, in, out, f));
        cases.add(backwardInput(inputs, rows, in, out, f, w));
        cases.add(backwardWeights(inputs, rows, in, out, w));
    }

    private static KernelCase forward(CaseInputs inputs, Rows rows, int in, int out, Activation f) {
        int n = (int) rows.total();
        // Weights scaled so that the activations are met where they bend.
        double[] x = CaseInputs.leading(inputs.normal(n * in, 1), 0.0, -0.0, 0x1p-140, -0x1p-140);
        double[] w = inputs.normal(out * in, 2 / Math.sqrt(in));
        double[] b = inputs.normal(out, 0.5);
        // a: sum |x w| + |b|;  f(a): the error of a passes with the slope, f adds a few of its own value.
        double[] a = new double[n * out];
        double[] absolute = new double[n * out];
        Products.forward(x, w, b, n, in, out, a, absolute);
        double[] y = new double[n * out];
        for (int i = 0; i < y.length; i++) {
            y[i] = STEEPEST * absolute[i] + Math.abs(Activations.value(f, a[i]));
        }
        CaseBuilder builder = new CaseBuilder("linear", "linearForward", in + "->" + out + " " + f.label(), rows)
                .read("x", Kind.REAL, Span.SAMPLES, x, in)
                .read("w", Kind.REAL, Span.WHOLE, w, out, in)
                .read("b", Kind.REAL, Span.WHOLE, b, out)
                .write("y", Kind.REAL, Span.SAMPLES, rounding(in + 1, y), out)
                .with(Property.ROWS_PERMUTE)
                .with(Property.ROWS_ALONE);
        if (f.needsInput()) {
            builder.write("pre", Kind.REAL, Span.SAMPLES, rounding(in + 1, absolute), out);
        }
        return builder.issue((kernels, o) -> kernels.linear()
                .linearForward(
                        o.rows(),
                        o.get("x"),
                        o.get("w"),
                        o.get("b"),
                        f,
                        o.get("y"),
                        f.needsInput() ? o.get("pre") : null));
    }

    private static KernelCase backwardInput(CaseInputs inputs, Rows rows, int in, int out, Activation f, Write write) {
        int n = (int) rows.total();
        double[] g = CaseInputs.leading(inputs.normal(n * out, 1), 0.0, -0.0, 0x1p-140);
        double[] w = inputs.normal(out * in, 1);
        double[] saved = CaseInputs.leading(inputs.normal(n * in, 2), 0.0, -0.0, 100, -100);
        double[] old = inputs.normal(n * in, 1);
        double[] absolute = new double[n * in];
        Products.backwardInput(g, w, n, in, out, absolute);
        for (int i = 0; i < saved.length; i++) {
            saved[i] = f.needsInput() ? saved[i] : (float) Activations.value(f, saved[i]);
            // (|dx| + sum |g w|) times the absolute terms of f'
            double before = write == Write.ADD ? Math.abs(old[i]) : 0;
            absolute[i] = (absolute[i] + before) * Activations.derivativeTerms(f, saved[i]);
        }
        CaseBuilder builder = new CaseBuilder(
                        "linear", "linearBackwardInput", out + "->" + in + " " + f.label() + " " + write, rows)
                .read("g", Kind.REAL, Span.SAMPLES, g, out)
                .read("w", Kind.REAL, Span.WHOLE, w, out, in)
                .read("saved", Kind.REAL, Span.SAMPLES, saved, in)
                .with(Property.ROWS_PERMUTE)
                .with(Property.ROWS_ALONE);
        Rounding rounding = rounding(out + 1, absolute);
        if (write == Write.ADD) {
            builder.update("dx", Kind.REAL, Span.SAMPLES, old, rounding, in);
        } else {
            builder.write("dx", Kind.REAL, Span.SAMPLES, rounding, in);
        }
        return builder.issue((kernels, o) -> kernels.linear()
                .linearBackwardInput(o.rows(), o.get("g"), o.get("w"), f, o.get("saved"), o.get("dx"), write));
    }

    private static KernelCase backwardWeights(CaseInputs inputs, Rows rows, int in, int out, Write write) {
        int n = (int) rows.total();
        double[] x = CaseInputs.leading(inputs.normal(n * in, 1), 0.0, -0.0, 0x1p-140);
        double[] g = inputs.normal(n * out, 1);
        double[] oldDw = inputs.normal(out * in, 1);
        double[] oldDb = inputs.normal(out, 1);
        boolean adds = write == Write.ADD;
        // |dW| + sum over the active rows of |g x|;  |db| + the same of |g|
        Rounding dw = new Rounding(
                n + 1,
                true,
                active -> Terms.of(Products.backwardWeights(
                        x, g, active * rows.fold(), in, out, adds ? oldDw : new double[out * in])));
        Rounding db = new Rounding(
                n + 1,
                active -> Terms.of(Products.columnSums(g, active * rows.fold(), out, adds ? oldDb : new double[out])));
        CaseBuilder builder = new CaseBuilder("linear", "linearBackwardWeights", in + "x" + out + " " + write, rows)
                .read("x", Kind.REAL, Span.SAMPLES, x, in)
                .read("g", Kind.REAL, Span.SAMPLES, g, out);
        if (adds) {
            builder.update("dw", Kind.REAL, Span.WHOLE, oldDw, dw, out, in)
                    .update("db", Kind.REAL, Span.WHOLE, oldDb, db, out);
        } else {
            builder.write("dw", Kind.REAL, Span.WHOLE, dw, out, in).write("db", Kind.REAL, Span.WHOLE, db, out);
        }
        return builder.issue((kernels, o) -> kernels.linear()
                .linearBackwardWeights(o.rows(), o.get("x"), o.get("g"), o.get("dw"), o.get("db"), write));
    }

    private static Rounding rounding(long chain, double[] sums) {
        return new Rounding(chain, true, active -> Terms.of(sums));
    }
}
