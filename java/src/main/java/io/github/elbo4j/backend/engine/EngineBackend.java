package io.github.elbo4j.backend.engine;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendInfo;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.Kernels;
import io.github.elbo4j.backend.LatentKernels;
import io.github.elbo4j.backend.LinearKernels;
import io.github.elbo4j.backend.LossKernels;
import io.github.elbo4j.backend.OptimizerKernels;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Workspace;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A backend of an {@link Engine}; its own kernels run at once, those of a recording are noted.
 *
 * @param <C> the engine's type of a bound call
 */
public final class EngineBackend<C> implements Backend {
    private final Engine<C> engine;
    private final Kernels eager;
    private final Set<EngineWorkspace> workspaces = new HashSet<>();
    private long bytesInUse;
    private long bytesPeak;
    private boolean open = true;

    /** A backend that owns the engine and closes it. */
    public EngineBackend(Engine<C> engine) {
        this.engine = engine;
        this.eager = engine.kernels(this, this::runNow);
    }

    Engine<C> engine() {
        return engine;
    }

    EngineRecording<C> recording(EngineWorkspace workspace, EngineStepState state, Rows rows) {
        return new EngineRecording<>(this, workspace, state, rows);
    }

    /** Runs a call at once on all its rows, holding every workspace that it writes to. */
    private void runNow(KernelCall call, C command) {
        requireOpen();
        List<EngineTensor> used = new ArrayList<>(Operands.tensors(call.inputs()));
        List<EngineTensor> written = Operands.tensors(call.outputs());
        used.addAll(written);
        List<EngineWorkspace> held = List.copyOf(Operands.written(call));
        EngineWorkspace.enterAll(held, call.kernel());
        List<EngineTensor> pinned = new ArrayList<>();
        try {
            // What is only read may belong to a workspace that nobody holds: it must not be freed meanwhile.
            for (EngineTensor tensor : used) {
                tensor.pin(null);
                pinned.add(tensor);
            }
            if (call.scheduled() && call.state() instanceof EngineStepState state) {
                state.requireSchedule(1);
            }
            engine.run(call, command);
            written.forEach(EngineTensor::changed);
        } finally {
            pinned.forEach(tensor -> tensor.unpin(null));
            EngineWorkspace.exitAll(held);
        }
    }

    @Override
    public synchronized BackendInfo info() {
        return engine.info(bytesInUse, bytesPeak);
    }

    @Override
    public DType real() {
        return engine.real();
    }

    @Override
    public Workspace workspace(String name, long byteBudget) {
        if (byteBudget < 0) {
            throw new IllegalArgumentException("workspace '" + name + "': byte budget " + byteBudget + " is negative");
        }
        synchronized (this) {
            requireOpen();
            EngineWorkspace workspace = new EngineWorkspace(this, name, byteBudget);
            workspaces.add(workspace);
            return workspace;
        }
    }

    private synchronized void requireOpen() {
        if (!open) {
            throw new IllegalStateException("backend '" + info().name() + "' is closed");
        }
    }

    synchronized void allocated(long bytes) {
        bytesInUse += bytes;
        bytesPeak = Math.max(bytesPeak, bytesInUse);
    }

    synchronized void freed(EngineWorkspace workspace) {
        workspaces.remove(workspace);
    }

    @Override
    public DataKernels data() {
        return eager.data();
    }

    @Override
    public LinearKernels linear() {
        return eager.linear();
    }

    @Override
    public LatentKernels latent() {
        return eager.latent();
    }

    @Override
    public LossKernels loss() {
        return eager.loss();
    }

    @Override
    public OptimizerKernels optimizer() {
        return eager.optimizer();
    }

    @Override
    public void close() {
        List<EngineWorkspace> left;
        synchronized (this) {
            if (!open) {
                return;
            }
            // From here on nobody makes another workspace.
            open = false;
            left = List.copyOf(workspaces);
        }
        List<EngineWorkspace> entered = new ArrayList<>();
        try {
            for (EngineWorkspace workspace : left) {
                if (workspace.enterIfOpen("close of backend '" + info().name() + "'")) {
                    entered.add(workspace);
                }
            }
        } catch (IllegalStateException e) {
            EngineWorkspace.exitAll(entered);
            synchronized (this) {
                open = true;
            }
            throw e;
        }
        try {
            // Replays first: whichever workspace they use, none is in the way of another then.
            entered.forEach(EngineWorkspace::disposeReplays);
            entered.forEach(EngineWorkspace::freeAll);
        } finally {
            EngineWorkspace.exitAll(entered);
            engine.close();
        }
    }
}
