package io.github.elbo4j.backend.engine;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.Kernels;
import io.github.elbo4j.backend.LatentKernels;
import io.github.elbo4j.backend.LinearKernels;
import io.github.elbo4j.backend.LossKernels;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.OptimizerKernels;
import io.github.elbo4j.backend.Recording;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scratch;
import java.util.ArrayList;
import java.util.List;

/** Notes checked calls and the intermediates between them. */
final class EngineRecording<C> implements Recording {
    private final EngineBackend<C> backend;
    private final EngineWorkspace workspace;
    private final EngineStepState state;
    private final Rows rows;
    private final Thread thread = Thread.currentThread();
    private final Kernels kernels;
    private final List<Engine.Issued<C>> issued = new ArrayList<>();
    private final List<EngineTensor> pinned = new ArrayList<>();
    private final List<Memory> scratch = new ArrayList<>();
    private boolean open = true;

    EngineRecording(EngineBackend<C> backend, EngineWorkspace workspace, EngineStepState state, Rows rows) {
        this.backend = backend;
        this.workspace = workspace;
        this.state = state;
        this.rows = rows;
        this.kernels = backend.engine().kernels(backend, this::note);
    }

    EngineBackend<C> backend() {
        return backend;
    }

    boolean isOpen() {
        return open;
    }

    private void note(KernelCall call, C command) {
        requireOpen(call.kernel());
        Rows used = call.rows();
        if (used != null && used.capacity() != rows.capacity()) {
            throw new IllegalArgumentException(call.kernel() + ": " + used
                    + " are not rows of this recording, whose capacity is " + rows.capacity());
        }
        if (call.state() != null && call.state() != state) {
            throw new IllegalArgumentException(call.kernel()
                    + ": the step state is not that of the recording in workspace '" + workspace.name() + "'");
        }
        if (call.selectsRows() && !issued.isEmpty()) {
            throw new IllegalStateException(
                    "selectRows must be the first call of a recording, and the only one of its kind");
        }
        List<Operand> operands = new ArrayList<>(call.inputs());
        operands.addAll(call.outputs());
        for (Operand operand : operands) {
            if (operand instanceof EngineScratch intermediate && intermediate.recording() != this) {
                throw new IllegalArgumentException(
                        call.kernel() + ": '" + operand.name() + "' is an intermediate of another recording");
            }
        }
        for (EngineTensor tensor : Operands.stored(operands)) {
            tensor.pin(workspace);
            pinned.add(tensor);
        }
        issued.add(new Engine.Issued<>(call, command));
    }

    private void requireOpen(String what) {
        if (!open || Thread.currentThread() != thread) {
            throw new IllegalStateException(what + ": the recording in workspace '" + workspace.name()
                    + "' has ended, or runs on another thread");
        }
    }

    EngineReplay finish() {
        open = false;
        Program program = backend.engine().program(state.memory(), rows, List.copyOf(issued), this::allocate);
        return new EngineReplay(
                workspace,
                state,
                rows,
                issued.stream().map(Engine.Issued::call).toList(),
                program,
                new EngineReplay.Holdings(List.copyOf(pinned), List.copyOf(scratch)));
    }

    void abandon() {
        open = false;
        new EngineReplay.Holdings(pinned, scratch).release(workspace);
    }

    private Memory allocate(String what, DType type, long elements) {
        Memory memory = workspace.allocate(what, type, elements, Engine.Use.PLAIN);
        scratch.add(memory);
        return memory;
    }

    @Override
    public Rows rows() {
        return rows;
    }

    @Override
    public Scratch scratch(String name, DType type, Rows used, long... rowShape) {
        requireOpen("scratch '" + name + "'");
        if (used.capacity() != rows.capacity()) {
            throw new IllegalArgumentException("scratch '" + name + "': " + used
                    + " are not rows of this recording, whose capacity is " + rows.capacity());
        }
        long[] shape = new long[rowShape.length + 1];
        shape[0] = used.total();
        System.arraycopy(rowShape, 0, shape, 1, rowShape.length);
        return new EngineScratch(this, name, type, shape, allocate(name, type, EngineWorkspace.elements(name, shape)));
    }

    @Override
    public Scratch scratch(String name, Rows used, long... rowShape) {
        return scratch(name, backend.real(), used, rowShape);
    }

    @Override
    public DataKernels data() {
        return kernels.data();
    }

    @Override
    public LinearKernels linear() {
        return kernels.linear();
    }

    @Override
    public LatentKernels latent() {
        return kernels.latent();
    }

    @Override
    public LossKernels loss() {
        return kernels.loss();
    }

    @Override
    public OptimizerKernels optimizer() {
        return kernels.optimizer();
    }
}
