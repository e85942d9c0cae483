package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.LinearKernels;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.engine.Issuer;
import io.github.elbo4j.backend.engine.Workers;
import io.github.elbo4j.backend.java.JavaProducts.Matrix;
import io.github.elbo4j.backend.java.JavaProducts.RowSink;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Dense layers in plain loops: one product with three readings, see {@link JavaProducts}. */
final class JavaLinearKernels implements LinearKernels {
    /** Column sums add blocks of this many rows, in order. */
    private static final int SUM_BLOCK = 64;

    /** Fewest multiplications worth a thread. */
    private static final int GRAIN = 1 << 16;

    private final Backend backend;
    private final Workers workers;
    private final Issuer<JavaStep> issuer;

    JavaLinearKernels(Backend backend, Workers workers, Issuer<JavaStep> issuer) {
        this.backend = backend;
        this.workers = workers;
        this.issuer = issuer;
    }

    // a(r, o) = sum over i of x(r, i) * W(o, i) + b(o);  y = f(a)
    @Override
    public void linearForward(
            Rows rows, Operand x, Operand w, Operand b, Activation f, Operand y, @Nullable Operand pre) {
        KernelCall call = KernelCall.linearForward(backend, rows, x, w, b, f, y, pre);
        int in = (int) x.columns();
        int out = (int) w.rows();
        Matrix xs = new Matrix(JavaOperands.f32(x), JavaOperands.offset(x), in, 1);
        Matrix wTransposed = new Matrix(JavaOperands.f32(w), JavaOperands.offset(w), 1, in);
        float[] bs = JavaOperands.f32(b);
        float[] ys = JavaOperands.f32(y);
        float[] pres = JavaOperands.f32(pre == null ? y : pre);
        int bo = JavaOperands.offset(b);
        int yo = JavaOperands.offset(y);
        int po = pre == null ? 0 : JavaOperands.offset(pre);
        int grain = GRAIN / (in * out) + 1;
        JavaProducts product = new JavaProducts(xs, wTransposed, rows.total(), out, workers.parts(rows.total(), grain));
        RowSink sink = (r, sum) -> {
            for (int o = 0; o < out; o++) {
                float a = sum[o] + bs[bo + o];
                if (pre != null) {
                    pres[po + r * out + o] = a;
                }
                ys[yo + r * out + o] = JavaActivations.value(f, a);
            }
        };
        Workers.Split split = workers.split(grain, (part, from, to) -> product.rows(part, in, from, to, sink));
        issuer.issue(call, active -> split.run(active * rows.fold()));
    }

    // dx(r, i) = (sum over o of g(r, o) * W(o, i)) * f'(saved(r, i))
    @Override
    public void linearBackwardInput(
            Rows rows, Operand g, Operand w, Activation f, Operand saved, Operand dx, Write write) {
        KernelCall call = KernelCall.linearBackwardInput(backend, rows, g, w, f, saved, dx, write);
        int in = (int) w.columns();
        int out = (int) w.rows();
        Matrix gs = new Matrix(JavaOperands.f32(g), JavaOperands.offset(g), out, 1);
        Matrix ws = new Matrix(JavaOperands.f32(w), JavaOperands.offset(w), in, 1);
        float[] saveds = JavaOperands.f32(saved);
        float[] dxs = JavaOperands.f32(dx);
        int so = JavaOperands.offset(saved);
        int dxo = JavaOperands.offset(dx);
        int grain = GRAIN / (in * out) + 1;
        JavaProducts product = new JavaProducts(gs, ws, rows.total(), in, workers.parts(rows.total(), grain));
        RowSink sink = (r, sum) -> {
            for (int i = 0; i < in; i++) {
                int at = dxo + r * in + i;
                float total = write == Write.ADD ? dxs[at] + sum[i] : sum[i];
                dxs[at] = total * JavaActivations.derivative(f, saveds[so + r * in + i]);
            }
        };
        Workers.Split split = workers.split(grain, (part, from, to) -> product.rows(part, out, from, to, sink));
        issuer.issue(call, active -> split.run(active * rows.fold()));
    }

    // dW(o, i) = sum over r of g(r, o) * x(r, i);  db(o) = sum over r of g(r, o)
    @Override
    public void linearBackwardWeights(Rows rows, Operand x, Operand g, Operand dw, Operand db, Write write) {
        KernelCall call = KernelCall.linearBackwardWeights(backend, rows, x, g, dw, db, write);
        int in = (int) x.columns();
        int out = (int) g.columns();
        Matrix gTransposed = new Matrix(JavaOperands.f32(g), JavaOperands.offset(g), 1, out);
        Matrix xs = new Matrix(JavaOperands.f32(x), JavaOperands.offset(x), in, 1);
        float[] dws = JavaOperands.f32(dw);
        float[] dbs = JavaOperands.f32(db);
        int dwo = JavaOperands.offset(dw);
        int dbo = JavaOperands.offset(db);
        int grain = (int) (GRAIN / (in * rows.total())) + 1;
        JavaProducts product = new JavaProducts(gTransposed, xs, out, in, workers.parts(out, grain));
        RowSink sink = (o, sum) -> {
            for (int i = 0; i < in; i++) {
                int at = dwo + o * in + i;
                dws[at] = write == Write.ADD ? dws[at] + sum[i] : sum[i];
            }
        };
        int[] depth = new int[1];
        float[] block = new float[out];
        float[] total = new float[out];
        Workers.Split split = workers.split(grain, (part, from, to) -> {
            product.rows(part, depth[0], from, to, sink);
            columnSums(gTransposed, depth[0], from, to, block, total);
            for (int o = from; o < to; o++) {
                dbs[dbo + o] = write == Write.ADD ? dbs[dbo + o] + total[o] : total[o];
            }
        });
        issuer.issue(call, active -> {
            depth[0] = active * rows.fold();
            split.run(out);
        });
    }

    /** Overwrites the sums of columns: each column's 64-row blocks in ascending order, then the blocks in ascending order. */
    private static void columnSums(Matrix gTransposed, int depth, int from, int to, float[] block, float[] total) {
        Arrays.fill(total, from, to, 0f);
        for (int start = 0; start < depth; start += SUM_BLOCK) {
            Arrays.fill(block, from, to, 0f);
            for (int r = start; r < Math.min(depth, start + SUM_BLOCK); r++) {
                for (int o = from; o < to; o++) {
                    block[o] += gTransposed.array()[gTransposed.offset() + r * gTransposed.columnStride() + o];
                }
            }
            for (int o = from; o < to; o++) {
                total[o] += block[o];
            }
        }
    }
}
