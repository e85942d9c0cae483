package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Philox;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Shuffle;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.engine.Issuer;
import io.github.elbo4j.backend.engine.Workers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Choosing and gathering rows. */
@SuppressWarnings("cast") // the binary64 twin casts to its own type
final class JavaDataKernels implements DataKernels {
    private static final int GRAIN = 1 << 13;

    private final Backend backend;
    private final Workers workers;
    private final Issuer<JavaStep> issuer;

    JavaDataKernels(Backend backend, Workers workers, Issuer<JavaStep> issuer) {
        this.backend = backend;
        this.workers = workers;
        this.issuer = issuer;
    }

    // rowIds(i) = firstRow + shuffle(position + i)
    @Override
    public void selectRows(Rows rows, StepState state, Order order, Operand rowIds) {
        KernelCall call = KernelCall.selectRows(backend, rows, state, order, rowIds);
        JavaStepMemory own = JavaStepMemory.of(state);
        long[] ids = JavaOperands.i64(rowIds);
        int io = JavaOperands.offset(rowIds);
        issuer.issue(call, ignored -> {
            int active = (int) Math.max(0, Math.min(rows.capacity(), order.rowCount() - own.position()));
            own.activate(active, order.rowCount());
            for (int i = 0; i < active; i++) {
                long place = own.position() + i;
                ids[io + i] = order.firstRow()
                        + (order.shuffled() ? Shuffle.row(own.seed(), own.epoch(), place, order.rowCount()) : place);
            }
        });
    }

    // out(r, c) = data(rowIds(r), c), as it is, divided by 255, or one with that probability
    @Override
    public void gather(
            Rows rows, Operand rowIds, Operand data, Pixels pixels, Noise noise, StepState state, Operand out) {
        KernelCall call = KernelCall.gather(backend, rows, rowIds, data, pixels, noise, state, out);
        long[] ids = JavaOperands.i64(rowIds);
        int io = JavaOperands.offset(rowIds);
        boolean bytes = data.type() == DType.U8;
        MemorySegment source = JavaOperands.segment(data);
        long start = JavaOperands.longOffset(data);
        long dataRows = data.rows();
        int columns = (int) data.columns();
        float[] outs = JavaOperands.f32(out);
        int oo = JavaOperands.offset(out);
        int grain = GRAIN / columns + 1;
        int parts = workers.parts(rows.capacity(), grain);
        JavaNoise random = new JavaNoise(noise, JavaStepMemory.of(state), parts);
        JavaParts<int[]> blocks = new JavaParts<>(parts, () -> new int[4]);
        Workers.Split split = workers.split(grain, (part, from, to) -> {
            int[] block = blocks.of(part);
            for (int r = from; r < to; r++) {
                long row = ids[io + r];
                int at = oo + r * columns;
                if (row < 0 || row >= dataRows) {
                    Arrays.fill(outs, at, at + columns, 0f);
                    continue;
                }
                for (int c = 0; c < columns; c++) {
                    if (pixels == Pixels.BERNOULLI && (c & 3) == 0) {
                        random.block(r, 0, c, block);
                    }
                    long element = start + row * columns + c;
                    if (bytes) {
                        outs[at + c] = ofByte(source.get(ValueLayout.JAVA_BYTE, element) & 0xFF, pixels, block[c & 3]);
                    } else {
                        float value = source.getAtIndex(JavaOperands.FLOAT, element);
                        outs[at + c] =
                                pixels == Pixels.BERNOULLI ? (Philox.uniform(block[c & 3]) < value ? 1 : 0) : value;
                    }
                }
            }
        });
        issuer.issue(call, split::run);
    }

    // out(r, c) = in(r, c), as it is or divided by 255
    @Override
    public void load(Rows rows, Operand in, Pixels pixels, Operand out) {
        KernelCall call = KernelCall.load(backend, rows, in, pixels, out);
        int columns = (int) in.columns();
        boolean bytes = in.type() == DType.U8;
        MemorySegment source = JavaOperands.segment(in);
        long start = JavaOperands.longOffset(in);
        float[] outs = JavaOperands.f32(out);
        int oo = JavaOperands.offset(out);
        Workers.Split split = workers.split(GRAIN / columns + 1, (part, from, to) -> {
            for (int i = from * columns; i < to * columns; i++) {
                outs[oo + i] = bytes
                        ? ofByte(source.get(ValueLayout.JAVA_BYTE, start + i) & 0xFF, pixels, 0)
                        : source.getAtIndex(JavaOperands.FLOAT, start + i);
            }
        });
        issuer.issue(call, split::run);
    }

    // out(r, c) = in(r, c)
    @Override
    public void store(Rows rows, Operand in, Operand out) {
        KernelCall call = KernelCall.store(backend, rows, in, out);
        int rowSize = (int) in.columns() * rows.fold();
        float[] ins = JavaOperands.f32(in);
        float[] outs = JavaOperands.f32(out);
        int io = JavaOperands.offset(in);
        int oo = JavaOperands.offset(out);
        Workers.Split split = workers.split(
                GRAIN / rowSize + 1,
                (part, from, to) ->
                        System.arraycopy(ins, io + from * rowSize, outs, oo + from * rowSize, (to - from) * rowSize));
        issuer.issue(call, split::run);
    }

    private static float ofByte(int q, Pixels pixels, int word) {
        return switch (pixels) {
            case AS_IS -> q;
            case UNIT -> (float) q / 255;
            // floor(word * 255 / 2^32) is uniform on 0..254, so it is below q with probability q / 255.
            case BERNOULLI -> (((word & 0xFFFFFFFFL) * 255) >>> 32) < q ? 1 : 0;
        };
    }
}
