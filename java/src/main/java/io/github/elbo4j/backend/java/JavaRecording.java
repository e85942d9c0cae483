package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels;
import io.github.elbo4j.backend.KernelCall;
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
final class JavaRecording implements Recording {
    private final JavaWorkspace workspace;
    private final JavaStepState state;
    private final Rows rows;
    private final Thread thread = Thread.currentThread();
    private final JavaKernels kernels;
    private final List<KernelCall> calls = new ArrayList<>();
    private final List<JavaStep> steps = new ArrayList<>();
    private final List<JavaTensor> pinned = new ArrayList<>();
    private long scratchBytes;
    private boolean selectsRows;
    private boolean open = true;

    JavaRecording(JavaWorkspace workspace, JavaStepState state, Rows rows) {
        this.workspace = workspace;
        this.state = state;
        this.rows = rows;
        this.kernels = new JavaKernels(workspace.backend(), this::note);
    }

    JavaWorkspace workspace() {
        return workspace;
    }

    boolean isOpen() {
        return open;
    }

    private void note(KernelCall call, JavaStep step) {
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
        boolean selects = call.kernel().equals("selectRows");
        if (selects && (selectsRows || !calls.isEmpty())) {
            throw new IllegalStateException(
                    "selectRows must be the first call of a recording, and the only one of its kind");
        }
        selectsRows |= selects;
        List<Operand> operands = new ArrayList<>(call.inputs());
        operands.addAll(call.outputs());
        List<Operand> stored = new ArrayList<>();
        for (Operand operand : operands) {
            if (!(operand instanceof JavaScratch scratch)) {
                stored.add(operand);
            } else if (scratch.recording() != this) {
                throw new IllegalArgumentException(
                        call.kernel() + ": '" + operand.name() + "' is an intermediate of another recording");
            }
        }
        for (JavaTensor tensor : JavaOperands.tensors(stored)) {
            tensor.pin(workspace);
            pinned.add(tensor);
        }
        calls.add(call);
        steps.add(step);
    }

    private void requireOpen(String what) {
        if (!open || Thread.currentThread() != thread) {
            throw new IllegalStateException(what + ": the recording in workspace '" + workspace.name()
                    + "' has ended, or runs on another thread");
        }
    }

    JavaReplay finish() {
        open = false;
        return new JavaReplay(workspace, state, rows, calls, steps, pinned, scratchBytes, selectsRows);
    }

    void abandon() {
        open = false;
        pinned.forEach(tensor -> tensor.unpin(workspace));
        workspace.freeScratch(scratchBytes);
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
        long elements = JavaWorkspace.elements(name, shape);
        JavaMemory memory = workspace.allocate(name, type, elements);
        scratchBytes += elements * type.bytes();
        return new JavaScratch(this, name, type, shape, memory);
    }

    @Override
    public Scratch scratch(String name, Rows used, long... rowShape) {
        return scratch(name, workspace.backend().real(), used, rowShape);
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
