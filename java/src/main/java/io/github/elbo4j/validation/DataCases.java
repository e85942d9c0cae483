package io.github.elbo4j.validation;

import io.github.elbo4j.backend.DataKernels.Order;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Noise.Purpose;
import io.github.elbo4j.backend.Noise.RowKey;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.validation.Argument.Kind;
import io.github.elbo4j.validation.Argument.Rounding;
import io.github.elbo4j.validation.Argument.Span;
import io.github.elbo4j.validation.Argument.Terms;
import io.github.elbo4j.validation.KernelCase.Property;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Cases of choosing and gathering rows. */
final class DataCases {
    private static final int DATA_ROWS = 23;

    private DataCases() {}

    static void add(List<KernelCase> cases, CaseInputs inputs) {
        for (int capacity : KernelCases.ROWS) {
            for (boolean shuffled : new boolean[] {false, true}) {
                cases.add(selectRows(capacity, new Order(5, 1000, shuffled), 2, 130));
                // The last batch of an epoch, and an order shorter than the batch.
                cases.add(selectRows(capacity, new Order(0, 100, shuffled), 3, 100 - (capacity + 1) / 2));
                cases.add(selectRows(capacity, new Order(9, 3, shuffled), 0, 0));
            }
        }
        // More rows than 32 bits count.
        cases.add(selectRows(7, new Order(1L << 40, 1L << 34, true), 1, 1L << 33));
        cases.add(selectRows(7, new Order(1L << 40, 1L << 34, false), 1, 1L << 33));
        for (int i = 0; i < KernelCases.COLUMNS.length; i++) {
            int rows = KernelCases.ROWS[i % KernelCases.ROWS.length];
            settings(cases, inputs, rows, KernelCases.COLUMNS[i], i % 2 == 0 ? Kind.U8 : Kind.REAL);
        }
        for (int i = 0; i < KernelCases.COLUMNS.length; i++) {
            int rows = KernelCases.ROWS[i % KernelCases.ROWS.length];
            staged(cases, inputs, rows, KernelCases.COLUMNS[i], 1 + i % 3);
        }
        for (Kind kind : List.of(Kind.U8, Kind.REAL)) {
            settings(cases, inputs, 9, 6, kind);
            for (RowKey key : List.of(RowKey.DATA_ROW, RowKey.COMMON)) {
                cases.add(gather(inputs, 9, 6, kind, Pixels.BERNOULLI, key));
            }
        }
        for (int i = 0; i < KernelCases.RANDOM; i++) {
            settings(cases, inputs, inputs.integer(1, 70), inputs.integer(1, 1100), i % 2 == 0 ? Kind.U8 : Kind.REAL);
            staged(cases, inputs, inputs.integer(1, 70), inputs.integer(1, 1100), inputs.integer(1, 3));
        }
    }

    private static void settings(List<KernelCase> cases, CaseInputs inputs, int rows, int columns, Kind kind) {
        cases.add(gather(inputs, rows, columns, kind, Pixels.AS_IS, RowKey.OFF));
        cases.add(gather(inputs, rows, columns, kind, Pixels.UNIT, RowKey.OFF));
        cases.add(gather(inputs, rows, columns, kind, Pixels.BERNOULLI, RowKey.BATCH_POSITION));
    }

    private static void staged(List<KernelCase> cases, CaseInputs inputs, int rows, int columns, int fold) {
        cases.add(load(inputs, rows, columns, Kind.U8, Pixels.AS_IS));
        cases.add(load(inputs, rows, columns, Kind.U8, Pixels.UNIT));
        cases.add(load(inputs, rows, columns, Kind.REAL, Pixels.AS_IS));
        cases.add(load(inputs, rows, columns, Kind.REAL, Pixels.UNIT));
        cases.add(store(inputs, Rows.of(rows).folded(fold), columns));
    }

    private static KernelCase load(CaseInputs inputs, int capacity, int columns, Kind kind, Pixels pixels) {
        int size = capacity * columns;
        double[] in = kind == Kind.U8
                ? CaseInputs.leading(inputs.integers(size, 0, 256), 255, 0, 1, 254)
                : CaseInputs.leading(inputs.normal(size, 2), 1, 0x1p-140, -0x1.fffffep127);
        boolean divides = kind == Kind.U8 && pixels == Pixels.UNIT;
        double[] quotients = Arrays.stream(in).map(q -> q / 255).toArray();
        Rounding rounding = divides ? new Rounding(0, active -> Terms.of(quotients)) : null;
        return new CaseBuilder("data", "load", columns + " columns of " + kind + " " + pixels, Rows.of(capacity))
                .read("in", kind, Span.ROWS, in, columns)
                .write("out", Kind.REAL, Span.ROWS, rounding, columns)
                .with(Property.ROWS_PERMUTE)
                .with(Property.ROWS_ALONE)
                .issue((kernels, o) -> kernels.data().load(o.rows(), o.get("in"), pixels, o.get("out")));
    }

    private static KernelCase store(CaseInputs inputs, Rows rows, int columns) {
        int size = Math.toIntExact(rows.total()) * columns;
        return new CaseBuilder("data", "store", columns + " columns", rows)
                .read("in", Kind.REAL, Span.SAMPLES, CaseInputs.leading(inputs.normal(size, 2), 0x1p-140), columns)
                .write("out", Kind.REAL, Span.SAMPLES, null, columns)
                .with(Property.ROWS_PERMUTE)
                .with(Property.ROWS_ALONE)
                .issue((kernels, o) -> kernels.data().store(o.rows(), o.get("in"), o.get("out")));
    }

    private static KernelCase selectRows(int capacity, Order order, long epoch, long position) {
        String setting = order + " epoch " + epoch + " position " + position;
        return new CaseBuilder("data", "selectRows", setting, Rows.of(capacity))
                .start(new StepState.Snapshot(4, epoch, position, 0, Map.of(KernelCase.METRIC, 0.0), null))
                .selects(order.rowCount())
                .write("rowIds", Kind.I64, Span.ROWS, null)
                .issue((kernels, o) -> kernels.data().selectRows(o.rows(), o.state(), order, o.get("rowIds")));
    }

    private static KernelCase gather(
            CaseInputs inputs, int capacity, int columns, Kind kind, Pixels pixels, RowKey key) {
        Rows rows = Rows.of(capacity);
        // Ids repeat and reach both ends; some lie outside and read as zeros.
        double[] ids = CaseInputs.leading(
                inputs.integers(capacity, 0, DATA_ROWS), DATA_ROWS - 1, DATA_ROWS, 0, -1, 1L << 40, DATA_ROWS - 1);
        double[] data = kind == Kind.U8
                ? CaseInputs.leading(inputs.integers(DATA_ROWS * columns, 0, 256), 0, 255, 1, 254)
                : CaseInputs.leading(inputs.uniform(DATA_ROWS * columns, 0, 1), 0.0, 1, 0x1p-140, 0x1.fffffep-1);
        boolean divides = kind == Kind.U8 && pixels == Pixels.UNIT;
        CaseBuilder builder = new CaseBuilder(
                        "data", "gather", columns + " columns of " + kind + " " + pixels + " " + key, rows)
                .step(6)
                .read("rowIds", Kind.I64, Span.ROWS, ids)
                .read("data", kind, Span.WHOLE, data, DATA_ROWS, columns)
                .write("out", Kind.REAL, Span.ROWS, divides ? quotients(ids, data, capacity, columns) : null, columns);
        if (key == RowKey.DATA_ROW) {
            builder.read("noise row ids", Kind.I64, Span.ROWS, ids);
        }
        if (key == RowKey.BATCH_POSITION) {
            builder.with(Property.READS_STEP);
        } else {
            builder.with(Property.ROWS_PERMUTE).with(Property.ROWS_ALONE);
        }
        return builder.issue((kernels, o) -> kernels.data()
                .gather(o.rows(), o.get("rowIds"), o.get("data"), pixels, noise(key, o), o.state(), o.get("out")));
    }

    /** q / 255: one term. */
    private static @Nullable Rounding quotients(double[] ids, double[] data, int capacity, int columns) {
        double[] sums = new double[capacity * columns];
        for (int i = 0; i < sums.length; i++) {
            long id = (long) ids[i / columns];
            sums[i] = id >= 0 && id < DATA_ROWS ? data[(int) (id * columns) + i % columns] / 255 : 0;
        }
        return new Rounding(0, active -> Terms.of(sums));
    }

    private static Noise noise(RowKey key, KernelOperands operands) {
        return switch (key) {
            case BATCH_POSITION -> Noise.training(Purpose.BINARIZE);
            case DATA_ROW -> Noise.evaluation(Purpose.BINARIZE, operands.get("noise row ids"));
            case COMMON -> Noise.common(Purpose.BINARIZE);
            case OFF -> Noise.off();
        };
    }
}
