package io.github.elbo4j.backend.nativecpu;

import static io.github.elbo4j.backend.nativecpu.NativeOperands.address;
import static io.github.elbo4j.backend.nativecpu.NativeOperands.addressOrNone;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.LinearKernels;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.engine.Issuer;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/** Dense layers. */
final class NativeLinearKernels implements LinearKernels {
    private final Backend backend;
    private final Issuer<NativeCall> issuer;

    NativeLinearKernels(Backend backend, Issuer<NativeCall> issuer) {
        this.backend = backend;
        this.issuer = issuer;
    }

    @Override
    public void linearForward(
            Rows rows, Operand x, Operand w, Operand b, Activation f, Operand y, @Nullable Operand pre) {
        KernelCall call = KernelCall.linearForward(backend, rows, x, w, b, f, y, pre);
        long xs = address(x);
        long bs = address(b);
        long ys = address(y);
        long pres = addressOrNone(pre);
        long in = x.columns();
        long out = w.rows();
        issuer.issue(call, program -> {
            try (Arena arena = Arena.ofConfined()) {
                return NativeLibrary.linearForward(
                        program,
                        rows.fold(),
                        xs,
                        in,
                        out,
                        NativeOperands.weights(arena, w),
                        bs,
                        NativeCodes.of(f),
                        ys,
                        pres);
            }
        });
    }

    @Override
    public void linearBackwardInput(
            Rows rows, Operand g, Operand w, Activation f, Operand saved, Operand dx, Write write) {
        KernelCall call = KernelCall.linearBackwardInput(backend, rows, g, w, f, saved, dx, write);
        long gs = address(g);
        long ws = address(w);
        long saveds = address(saved);
        long dxs = address(dx);
        long in = w.columns();
        long out = w.rows();
        issuer.issue(
                call,
                program -> NativeLibrary.linearBackwardInput(
                        program, rows.fold(), gs, in, out, ws, NativeCodes.of(f), saveds, dxs, NativeCodes.of(write)));
    }

    @Override
    public void linearBackwardWeights(Rows rows, Operand x, Operand g, Operand dw, Operand db, Write write) {
        KernelCall call = KernelCall.linearBackwardWeights(backend, rows, x, g, dw, db, write);
        long xs = address(x);
        long gs = address(g);
        long dws = address(dw);
        long dbs = address(db);
        long in = x.columns();
        long out = g.columns();
        issuer.issue(
                call,
                program -> NativeLibrary.linearBackwardWeights(
                        program, rows.fold(), xs, gs, in, out, dws, dbs, NativeCodes.of(write)));
    }
}
