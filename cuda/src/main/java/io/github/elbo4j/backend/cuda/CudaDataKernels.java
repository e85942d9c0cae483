package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.engine.Issuer;

/** Choosing, gathering and staging rows: {@code select_rows.cu}, {@code gather.cu}, {@code load.cu}, {@code store.cu}. */
final class CudaDataKernels implements DataKernels {
    private final Backend backend;
    private final Issuer<CudaCommand> issuer;

    CudaDataKernels(Backend backend, Issuer<CudaCommand> issuer) {
        this.backend = backend;
        this.issuer = issuer;
    }

    @Override
    public void selectRows(Rows rows, StepState state, Order order, Operand rowIds) {
        KernelCall call = KernelCall.selectRows(backend, rows, state, order, rowIds);
        long header = CudaStepMemory.of(state).address();
        CudaOperand ids = CudaOperand.of(rowIds);
        issuer.issue(call, tape -> {
            tape.outputWithoutCopy(ids, false);
            tape.elements(
                    "select_rows",
                    rows.capacity(),
                    1,
                    header,
                    rows.capacity(),
                    order.firstRow(),
                    order.rowCount(),
                    order.shuffled() ? 1 : 0,
                    ids.address());
        });
    }

    @Override
    public void gather(
            Rows rows, Operand rowIds, Operand data, Pixels pixels, Noise noise, StepState state, Operand out) {
        KernelCall call = KernelCall.gather(backend, rows, rowIds, data, pixels, noise, state, out);
        CudaNoise random = CudaNoise.of(noise, state);
        CudaOperand ids = CudaOperand.of(rowIds);
        CudaOperand source = CudaOperand.of(data);
        CudaOperand target = CudaOperand.of(out);
        String kernel = data.type() == DType.U8 ? "gather_u8_f32" : "gather_f32_f32";
        issuer.issue(
                call,
                tape -> tape.elements(
                        kernel,
                        target.elements(),
                        4,
                        tape.active(),
                        rows.capacity(),
                        ids.address(),
                        source.address(),
                        source.rows(),
                        source.columns(),
                        CudaCodes.of(pixels),
                        random.state(),
                        random.rowIds(),
                        random.rowKey(),
                        random.purpose(),
                        target.address(),
                        tape.output(target, true)));
    }

    @Override
    public void load(Rows rows, Operand in, Pixels pixels, Operand out) {
        KernelCall call = KernelCall.load(backend, rows, in, pixels, out);
        CudaOperand source = CudaOperand.of(in);
        CudaOperand target = CudaOperand.of(out);
        String kernel = in.type() == DType.U8 ? "load_u8_f32" : "load_f32_f32";
        issuer.issue(
                call,
                tape -> tape.elements(
                        kernel,
                        target.elements(),
                        4,
                        tape.active(),
                        rows.capacity(),
                        source.columns(),
                        source.address(),
                        CudaCodes.of(pixels),
                        target.address(),
                        tape.output(target, true)));
    }

    @Override
    public void store(Rows rows, Operand in, Operand out) {
        KernelCall call = KernelCall.store(backend, rows, in, out);
        CudaOperand source = CudaOperand.of(in);
        CudaOperand target = CudaOperand.of(out);
        issuer.issue(call, tape -> {
            tape.outputWithoutCopy(target, false);
            tape.elements(
                    "store_f32",
                    target.elements(),
                    4,
                    tape.active(),
                    rows.capacity(),
                    rows.fold(),
                    source.columns(),
                    source.address(),
                    target.address());
        });
    }
}
