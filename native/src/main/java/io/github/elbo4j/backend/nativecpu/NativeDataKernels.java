package io.github.elbo4j.backend.nativecpu;

import static io.github.elbo4j.backend.nativecpu.NativeOperands.address;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DataKernels;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.engine.Issuer;
import java.lang.foreign.Arena;

/** Choosing and gathering rows. */
final class NativeDataKernels implements DataKernels {
    private final Backend backend;
    private final Issuer<NativeCall> issuer;

    NativeDataKernels(Backend backend, Issuer<NativeCall> issuer) {
        this.backend = backend;
        this.issuer = issuer;
    }

    @Override
    public void selectRows(Rows rows, StepState state, Order order, Operand rowIds) {
        KernelCall call = KernelCall.selectRows(backend, rows, state, order, rowIds);
        long ids = address(rowIds);
        issuer.issue(
                call,
                program -> NativeLibrary.selectRows(
                        program, order.firstRow(), order.rowCount(), order.shuffled() ? 1 : 0, ids));
    }

    @Override
    public void gather(
            Rows rows, Operand rowIds, Operand data, Pixels pixels, Noise noise, StepState state, Operand out) {
        KernelCall call = KernelCall.gather(backend, rows, rowIds, data, pixels, noise, state, out);
        long ids = address(rowIds);
        long source = address(data);
        int type = NativeCodes.of(data.type());
        long dataRows = data.rows();
        long columns = data.columns();
        long target = address(out);
        issuer.issue(call, program -> {
            try (Arena arena = Arena.ofConfined()) {
                return NativeLibrary.gather(
                        program,
                        ids,
                        source,
                        type,
                        dataRows,
                        columns,
                        NativeCodes.of(pixels),
                        NativeOperands.noise(arena, noise),
                        target);
            }
        });
    }

    @Override
    public void load(Rows rows, Operand in, Pixels pixels, Operand out) {
        KernelCall call = KernelCall.load(backend, rows, in, pixels, out);
        long source = address(in);
        int type = NativeCodes.of(in.type());
        long columns = in.columns();
        long target = address(out);
        issuer.issue(
                call, program -> NativeLibrary.load(program, source, type, columns, NativeCodes.of(pixels), target));
    }

    @Override
    public void store(Rows rows, Operand in, Operand out) {
        KernelCall call = KernelCall.store(backend, rows, in, out);
        long source = address(in);
        long columns = in.columns();
        long target = address(out);
        issuer.issue(call, program -> NativeLibrary.store(program, rows.fold(), source, columns, target));
    }
}
