package io.github.elbo4j.validation;

import io.github.elbo4j.backend.DataKernels.Order;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.validation.Argument.Kind;
import io.github.elbo4j.validation.Argument.Rounding;
import io.github.elbo4j.validation.Argument.Span;
import io.github.elbo4j.validation.Argument.Terms;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Cases of updates and of the end of a step. */
final class OptimizerCases {
    private static final String GROUP = "middle";
    private static final double RATE = 1e-3;
    private static final double BETA_1 = 0.9;
    private static final double BETA_2 = 0.999;
    private static final double EPSILON = 1e-8;
    private static final long STEP = 4;

    private OptimizerCases() {}

    static void add(List<KernelCase> cases, CaseInputs inputs) {
        for (int i = 0; i < KernelCases.COLUMNS.length; i++) {
            updates(cases, inputs, KernelCases.COLUMNS[i], i % 2 == 0, null);
        }
        // More than a thread is given at least.
        updates(cases, inputs, 70_001, true, null);
        StepState.Halt halt = new StepState.Halt(2, "earlier", 3, 1);
        updates(cases, inputs, 33, true, halt);
        for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY}) {
            cases.add(checkGradients(inputs, 129, "second", bad, null));
        }
        // Finite, but squared it would leave binary32; and the largest that are taken.
        cases.add(checkGradients(inputs, 129, "second", -0x1p60, null));
        cases.add(checkGradients(inputs, 129, "second", 0x1p59, null));
        // Gradients of other groups are not asked for.
        cases.add(checkGradients(inputs, 129, "before", Double.NaN, null));
        cases.add(checkGradients(inputs, 129, "after", Double.NaN, null));
        cases.add(checkGradients(inputs, 129, "second", Double.NaN, halt));
        cases.add(checkGradients(inputs, 1025, "", 0, null));
        cases.add(advance(7, 5, null));
        cases.add(advance(7, 5, halt));
        // The last batch: whole, partial, and one that is the whole epoch.
        cases.add(advance(8, 32, null));
        cases.add(advance(7, 35, null));
        cases.add(advance(64, 0, null));
    }

    private static void updates(
            List<KernelCase> cases, CaseInputs inputs, int size, boolean scheduled, StepState.@Nullable Halt halt) {
        cases.add(sgd(inputs, size, scheduled, halt));
        cases.add(adam(inputs, size, scheduled, halt));
    }

    /** A group between two others; sizes that leave gaps behind views. */
    private static List<Parameters.Spec> specs(int size) {
        return List.of(
                Parameters.Spec.trained("before", "first", 5),
                Parameters.Spec.trained("first", GROUP, 3, 7),
                Parameters.Spec.trained("second", GROUP, size),
                new Parameters.Spec("buffer", List.of(2L), GROUP, false),
                Parameters.Spec.trained("third", GROUP, 1),
                Parameters.Spec.trained("after", "last", 17));
    }

    private static boolean inGroup(Parameters.Spec spec) {
        return spec.group().equals(GROUP);
    }

    private static StepState.Snapshot start(StepState.@Nullable Halt halt) {
        return new StepState.Snapshot(STEP, 0, 0, 0, Map.of(KernelCase.METRIC, 1.5), halt);
    }

    private static String setting(int size, boolean scheduled, StepState.@Nullable Halt halt) {
        return size + " elements" + (scheduled ? " scheduled" : "") + (halt == null ? "" : " halted");
    }

    /** Gradients of all magnitudes, zeros and denormals among them; an untrained buffer has none. */
    private static double[] gradient(CaseInputs inputs, Parameters.Spec spec) {
        int size = (int) spec.size();
        if (!spec.trained()) {
            return new double[size];
        }
        double[] gradient = inputs.normal(size, 1);
        double[] power = inputs.uniform(size, -12, 2);
        for (int i = 0; i < size; i++) {
            gradient[i] = (float) (gradient[i] * Math.pow(10, power[i]));
        }
        return size < 10 ? gradient : CaseInputs.leading(gradient, 0.0, -0.0, 0x1p-140, -0x1p-140, 1e-25, 1e8);
    }

    private static KernelCase sgd(CaseInputs inputs, int size, boolean scheduled, StepState.@Nullable Halt halt) {
        List<Parameters.Spec> specs = specs(size);
        CaseBuilder builder = new CaseBuilder("optimizer", "sgd", setting(size, scheduled, halt), Rows.of(1))
                .arena(specs, 0)
                .start(start(halt));
        for (Parameters.Spec spec : specs) {
            double[] gradient = gradient(inputs, spec);
            double[] value = inputs.normal((int) spec.size(), 1);
            double[] sums = new double[value.length];
            for (int i = 0; i < sums.length; i++) {
                // |w| + |lr g|
                sums[i] = Math.abs(value[i]) + RATE * Math.abs(gradient[i]);
            }
            arena(builder, "values", spec, value, halted(spec, halt) ? null : new Rounding(2, a -> Terms.of(sums)));
            builder.read("gradients/" + spec.name(), Kind.ARENA, Span.WHOLE, gradient, spec.size());
        }
        if (scheduled) {
            builder.slot("other", 1e9).slot("lr", RATE);
        }
        return builder.issue(
                (kernels, o) -> kernels.optimizer().sgd(o.parameters(), GROUP, o.state(), o.scalar("lr", RATE)));
    }

    private static KernelCase adam(CaseInputs inputs, int size, boolean scheduled, StepState.@Nullable Halt halt) {
        List<Parameters.Spec> specs = specs(size);
        double correction1 = 1 - Math.pow(BETA_1, STEP + 1);
        double correction2 = 1 - Math.pow(BETA_2, STEP + 1);
        CaseBuilder builder = new CaseBuilder("optimizer", "adam", setting(size, scheduled, halt), Rows.of(1))
                .arena(specs, 2)
                .start(start(halt));
        for (Parameters.Spec spec : specs) {
            int n = (int) spec.size();
            double[] gradient = gradient(inputs, spec);
            double[] value = inputs.normal(n, 1);
            double[] first = spec.trained() ? inputs.normal(n, 0.1) : new double[n];
            double[] second = spec.trained() ? inputs.uniform(n, 0, 0.01) : new double[n];
            double[] firstTerms = new double[n];
            double[] secondTerms = new double[n];
            double[] valueTerms = new double[n];
            for (int i = 0; i < n; i++) {
                // |b1 m| + |(1 - b1) g|;  b2 v + (1 - b2) g^2
                firstTerms[i] = BETA_1 * Math.abs(first[i]) + (1 - BETA_1) * Math.abs(gradient[i]);
                secondTerms[i] = BETA_2 * second[i] + (1 - BETA_2) * gradient[i] * gradient[i];
                double m = BETA_1 * first[i] + (1 - BETA_1) * gradient[i];
                double rate = RATE / correction1 / (Math.sqrt(secondTerms[i] / correction2) + EPSILON);
                // |w| + the update times the errors of m, and of the square root and the quotient
                valueTerms[i] = Math.abs(value[i]) + rate * (firstTerms[i] + 4 * Math.abs(m));
            }
            boolean still = halted(spec, halt);
            arena(builder, "values", spec, value, still ? null : new Rounding(3, a -> Terms.of(valueTerms)));
            builder.read("gradients/" + spec.name(), Kind.ARENA, Span.WHOLE, gradient, n);
            arena(builder, "moment 0", spec, first, still ? null : new Rounding(3, a -> Terms.of(firstTerms)));
            arena(builder, "moment 1", spec, second, still ? null : new Rounding(3, a -> Terms.of(secondTerms)));
        }
        if (scheduled) {
            builder.slot("correction2", correction2)
                    .slot("lr", RATE)
                    .slot("other", 1e9)
                    .slot("correction1", correction1);
        }
        return builder.issue((kernels, o) -> kernels.optimizer()
                .adam(
                        o.parameters(),
                        GROUP,
                        o.state(),
                        o.scalar("lr", RATE),
                        o.scalar("correction1", correction1),
                        o.scalar("correction2", correction2),
                        BETA_1,
                        BETA_2,
                        EPSILON));
    }

    private static boolean halted(Parameters.Spec spec, StepState.@Nullable Halt halt) {
        return halt != null || !inGroup(spec);
    }

    private static void arena(
            CaseBuilder builder, String part, Parameters.Spec spec, double[] values, @Nullable Rounding rounding) {
        builder.update(part + "/" + spec.name(), Kind.ARENA, Span.WHOLE, values, rounding, spec.size());
    }

    private static KernelCase checkGradients(
            CaseInputs inputs, int size, String badName, double bad, StepState.@Nullable Halt halt) {
        List<Parameters.Spec> specs = specs(size);
        String setting = size + " elements, " + (badName.isEmpty() ? "finite" : bad + " in " + badName);
        CaseBuilder builder = new CaseBuilder(
                        "optimizer", "checkGradients", setting + (halt == null ? "" : " halted"), Rows.of(1))
                .arena(specs, 0)
                .start(start(halt));
        for (Parameters.Spec spec : specs) {
            double[] gradient = gradient(inputs, spec);
            // An untrained member of the group has no gradient, whatever stands in its place.
            if (!spec.trained()) {
                gradient[0] = Double.NaN;
            }
            if (spec.name().equals(badName)) {
                gradient[gradient.length / 2] = bad;
                gradient[gradient.length - 1] = bad;
            }
            builder.read("gradients/" + spec.name(), Kind.ARENA, Span.WHOLE, gradient, spec.size());
        }
        return builder.issue((kernels, o) -> kernels.optimizer().checkGradients(o.parameters(), GROUP, o.state()));
    }

    /** Selects rows first, which sets how many are active also where kernels run at once. */
    private static KernelCase advance(int capacity, long position, StepState.@Nullable Halt halt) {
        Order order = Order.sequential(40);
        String setting = "from position " + position + (halt == null ? "" : " halted");
        return new CaseBuilder("optimizer", "advance", setting, Rows.of(capacity))
                .start(new StepState.Snapshot(STEP, 2, position, 30, Map.of(KernelCase.METRIC, 1.5), halt))
                .selects(order.rowCount())
                .write("rowIds", Kind.I64, Span.ROWS, null)
                .issue((kernels, o) -> {
                    kernels.data().selectRows(o.rows(), o.state(), order, o.get("rowIds"));
                    kernels.optimizer().advance(o.state());
                });
    }
}
