package io.github.elbo4j.validation;

import io.github.elbo4j.backend.LatentKernels.Clamp;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Noise.Purpose;
import io.github.elbo4j.backend.Noise.RowKey;
import io.github.elbo4j.backend.Normals;
import io.github.elbo4j.backend.Philox;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.validation.Argument.Kind;
import io.github.elbo4j.validation.Argument.Rounding;
import io.github.elbo4j.validation.Argument.Span;
import io.github.elbo4j.validation.Argument.Terms;
import io.github.elbo4j.validation.KernelCase.Property;
import java.util.List;

/** Cases of the Gaussian latent. */
final class LatentCases {
    private static final Clamp WIDE = new Clamp(-80, 80);
    private static final Clamp NARROW = new Clamp(-1, 0.5);
    private static final long STEP = 3;

    /** Half an ulp of an angle up to 2 pi, two eps, times the largest radius 5.77, see {@link Normals}. */
    private static final double ANGLE_ROUNDING = 12;

    private LatentCases() {}

    static void add(List<KernelCase> cases, CaseInputs inputs) {
        RowKey[] keys = RowKey.values();
        for (int i = 0; i < KernelCases.COLUMNS.length; i++) {
            int rows = KernelCases.ROWS[i % KernelCases.ROWS.length];
            int d = KernelCases.COLUMNS[i];
            all(cases, inputs, Rows.of(rows), d, Clamp.DEFAULT, keys[i % keys.length], i);
        }
        for (RowKey key : keys) {
            for (int fold : new int[] {1, 3}) {
                for (Clamp clamp : List.of(WIDE, NARROW)) {
                    all(cases, inputs, new Rows(7, fold), 6, clamp, key, cases.size());
                }
            }
        }
        for (int i = 0; i < KernelCases.RANDOM; i++) {
            Rows rows = new Rows(inputs.integer(1, 70), inputs.integer(1, 4));
            all(cases, inputs, rows, inputs.integer(1, 300), Clamp.DEFAULT, keys[i % keys.length], i);
        }
    }

    private static void all(
            List<KernelCase> cases, CaseInputs inputs, Rows rows, int d, Clamp clamp, RowKey key, int variant) {
        cases.add(forward(inputs, rows, d, clamp, key));
        cases.add(backward(
                inputs,
                rows,
                d,
                clamp,
                key,
                variant % 2 == 0 ? Reduction.SUM : Reduction.MEAN,
                variant % 3 == 0 ? "klWeight" : "fixed"));
        if (rows.fold() == 1) {
            cases.add(kl(inputs, rows, d, clamp));
        }
    }

    /** Means and log-variances: around the ends of the clamp, and the extremes that {@link Clamp} allows. */
    private static double[] heads(CaseInputs inputs, int rows, int d, Clamp clamp) {
        double[] heads = inputs.normal(rows * 2 * d, 1);
        double[] spread = inputs.uniform(rows * d, clamp == NARROW ? -3 : -8, clamp == NARROW ? 3 : 4);
        double[] special = {0.0, -0.0, 80, -80, 1e-30, -1e-30, 0x1p-140, clamp.low(), clamp.high(), 100, -100};
        for (int r = 0; r < rows; r++) {
            for (int j = 0; j < d; j++) {
                int at = r * d + j;
                heads[r * 2 * d + d + j] = at < special.length ? (float) special[at] : spread[at];
            }
        }
        return heads;
    }

    private static KernelCase forward(CaseInputs inputs, Rows rows, int d, Clamp clamp, RowKey key) {
        int n = (int) rows.capacity();
        int fold = rows.fold();
        double[] heads = heads(inputs, n, d, clamp);
        double[] ids = ids(inputs, n);
        double[] sums = new double[n * fold * d];
        double[] allowance = new double[sums.length];
        double[] epsilon = new double[d];
        for (int r = 0; r < n * fold; r++) {
            epsilon(key, ids, r / fold, r % fold, epsilon);
            for (int j = 0; j < d; j++) {
                double mu = heads[r / fold * 2 * d + j];
                double lv = clamped(heads[r / fold * 2 * d + d + j], clamp);
                double sigma = Math.exp(lv / 2);
                // |mu| + sigma |epsilon| with what exp and the rounding of its argument add
                sums[r * d + j] = Math.abs(mu) + sigma * Math.abs(epsilon[j]) * (2 + Math.abs(lv) / 2);
                allowance[r * d + j] = sigma * normalAllowance(key, epsilon[j]);
            }
        }
        CaseBuilder builder = new CaseBuilder("latent", "reparameterizeForward", d + " " + clamp + " " + key, rows)
                .step(STEP)
                .read("muLogVar", Kind.REAL, Span.ROWS, heads, 2L * d)
                .write("z", Kind.REAL, Span.SAMPLES, new Rounding(2, active -> new Terms(sums, allowance)), d);
        return keyed(builder, key, ids, true)
                .issue((kernels, o) -> kernels.latent()
                        .reparameterizeForward(
                                o.rows(), o.get("muLogVar"), clamp, noise(key, o), o.state(), o.get("z")));
    }

    private static KernelCase backward(
            CaseInputs inputs, Rows rows, int d, Clamp clamp, RowKey key, Reduction reduction, String weightName) {
        int n = (int) rows.capacity();
        int fold = rows.fold();
        double[] heads = heads(inputs, n, d, clamp);
        double[] ids = ids(inputs, n);
        double[] dz = CaseInputs.leading(inputs.normal(n * fold * d, 1), 0.0, -0.0, 0x1p-140);
        double klWeight = 0.7;
        Rounding rounding = new Rounding(fold + 2, active -> {
            double w = klWeight / (reduction == Reduction.MEAN ? active : 1);
            return backwardTerms(heads, dz, ids, n, fold, d, clamp, key, w);
        });
        CaseBuilder builder = new CaseBuilder(
                        "latent",
                        "reparameterizeBackward",
                        d + " " + clamp + " " + key + " " + reduction + " " + weightName,
                        rows)
                .step(STEP)
                .read("muLogVar", Kind.REAL, Span.ROWS, heads, 2L * d)
                .read("dz", Kind.REAL, Span.SAMPLES, dz, d)
                .write("dMuLogVar", Kind.REAL, Span.ROWS, rounding, 2L * d);
        if (weightName.equals("klWeight")) {
            builder.slot("other", 1e9).slot(weightName, klWeight);
        }
        return keyed(builder, key, ids, reduction == Reduction.SUM)
                .issue((kernels, o) -> kernels.latent()
                        .reparameterizeBackward(
                                o.rows(),
                                o.get("muLogVar"),
                                clamp,
                                noise(key, o),
                                o.state(),
                                o.get("dz"),
                                o.scalar("klWeight", klWeight),
                                reduction,
                                o.get("dMuLogVar")));
    }

    private static Terms backwardTerms(
            double[] heads, double[] dz, double[] ids, int n, int fold, int d, Clamp clamp, RowKey key, double w) {
        double[] sums = new double[n * 2 * d];
        double[] allowance = new double[sums.length];
        double[] epsilon = new double[d];
        for (int b = 0; b < n; b++) {
            int at = b * 2 * d;
            for (int s = 0; s < fold; s++) {
                epsilon(key, ids, b, s, epsilon);
                for (int j = 0; j < d; j++) {
                    double lv = clamped(heads[at + d + j], clamp);
                    double half = Math.exp(lv / 2) / 2;
                    double g = Math.abs(dz[(b * fold + s) * d + j]);
                    // dmu: sum |dz|;  dlogVar: sum |dz epsilon| sigma / 2, with what exp adds
                    sums[at + j] += g;
                    sums[at + d + j] += g * Math.abs(epsilon[j]) * half * (2 + Math.abs(lv) / 2);
                    allowance[at + d + j] += g * half * normalAllowance(key, epsilon[j]);
                }
            }
            for (int j = 0; j < d; j++) {
                double lv = clamped(heads[at + d + j], clamp);
                // + |w mu| and |w expm1(lv)| / 2
                sums[at + j] += Math.abs(w * heads[at + j]);
                sums[at + d + j] += Math.abs(w * Math.expm1(lv) / 2) * 2;
            }
        }
        return new Terms(sums, allowance);
    }

    private static KernelCase kl(CaseInputs inputs, Rows rows, int d, Clamp clamp) {
        int n = (int) rows.capacity();
        double[] heads = heads(inputs, n, d, clamp);
        double[] sums = new double[n];
        for (int r = 0; r < n; r++) {
            for (int j = 0; j < d; j++) {
                double mu = heads[r * 2 * d + j];
                double lv = clamped(heads[r * 2 * d + d + j], clamp);
                // mu^2 / 2 + |expm1(lv)| / 2 + |lv| / 2, with what expm1 adds
                sums[r] += (mu * mu + 2 * Math.abs(Math.expm1(lv)) + Math.abs(lv)) / 2;
            }
        }
        return new CaseBuilder("latent", "gaussianKlForward", d + " " + clamp, rows)
                .read("muLogVar", Kind.REAL, Span.ROWS, heads, 2L * d)
                .write("kl", Kind.REAL, Span.ROWS, KernelCases.rowSum(d, sums))
                .with(Property.ROWS_PERMUTE)
                .with(Property.ROWS_ALONE)
                .issue((kernels, o) ->
                        kernels.latent().gaussianKlForward(o.rows(), o.get("muLogVar"), clamp, o.get("kl")));
    }

    private static CaseBuilder keyed(CaseBuilder builder, RowKey key, double[] ids, boolean alone) {
        if (key == RowKey.DATA_ROW) {
            builder.read("noise row ids", Kind.I64, Span.ROWS, ids);
        }
        if (key == RowKey.BATCH_POSITION) {
            return builder.with(Property.READS_STEP);
        }
        builder.with(Property.ROWS_PERMUTE);
        return alone ? builder.with(Property.ROWS_ALONE) : builder;
    }

    private static double[] ids(CaseInputs inputs, int n) {
        return CaseInputs.leading(inputs.integers(n, 0, 60_000), 59_999, 0);
    }

    private static Noise noise(RowKey key, KernelOperands operands) {
        return switch (key) {
            case BATCH_POSITION -> Noise.training(Purpose.EPSILON);
            case DATA_ROW -> Noise.evaluation(Purpose.EPSILON, operands.get("noise row ids"));
            case COMMON -> Noise.common(Purpose.EPSILON);
            case OFF -> Noise.off();
        };
    }

    private static void epsilon(RowKey key, double[] ids, int row, int sample, double[] epsilon) {
        int stream = Philox.stream(Purpose.EPSILON, sample);
        switch (key) {
            case BATCH_POSITION -> Normals.row(KernelCase.SEED, row, (int) STEP, stream, epsilon);
            case DATA_ROW -> Normals.row(KernelCase.SEED, (int) ids[row], 0, stream, epsilon);
            case COMMON -> Normals.row(KernelCase.SEED, 0, 0, stream, epsilon);
            case OFF -> java.util.Arrays.fill(epsilon, 0);
        }
    }

    private static double normalAllowance(RowKey key, double epsilon) {
        return key == RowKey.OFF ? 0 : Normals.ULP_BOUND * Math.max(1, Math.abs(epsilon)) + ANGLE_ROUNDING;
    }

    private static double clamped(double logVar, Clamp clamp) {
        return Math.min(Math.max(logVar, clamp.low()), clamp.high());
    }
}
