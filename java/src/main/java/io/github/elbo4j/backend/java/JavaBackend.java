package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendInfo;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.LatentKernels;
import io.github.elbo4j.backend.LinearKernels;
import io.github.elbo4j.backend.LossKernels;
import io.github.elbo4j.backend.OptimizerKernels;
import io.github.elbo4j.backend.Workspace;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The reference backend; its own kernels run at once, those of a recording are noted. */
final class JavaBackend implements Backend {
    private final DType real;
    private final JavaWorkers workers;
    private final JavaKernels eager;
    private final Set<JavaWorkspace> workspaces = new HashSet<>();
    private long bytesInUse;
    private long bytesPeak;
    private boolean open = true;

    JavaBackend(DType real, int threads) {
        this.real = real;
        this.workers = new JavaWorkers(threads);
        this.eager = new JavaKernels(this, this::runNow);
    }

    JavaWorkers workers() {
        return workers;
    }

    /** Runs a call at once on all its rows, holding every workspace that it writes to. */
    private void runNow(KernelCall call, JavaStep step) {
        requireOpen();
        JavaOperands.tensors(call.inputs());
        JavaOperands.tensors(call.outputs());
        Set<JavaWorkspace> held = JavaOperands.written(call);
        JavaWorkspace.enterAll(held, call.kernel());
        try {
            var rows = call.rows();
            step.run(rows == null ? 0 : Math.toIntExact(rows.capacity()));
            JavaOperands.tensors(call.outputs()).forEach(JavaTensor::changed);
        } finally {
            held.forEach(JavaWorkspace::exit);
        }
    }

    @Override
    public synchronized BackendInfo info() {
        String type = real == DType.F32 ? "fp32" : "fp64";
        return new BackendInfo(
                "java",
                "JVM on " + System.getProperty("os.arch") + ", " + workers.threads() + " threads",
                "java-" + type,
                0,
                workers.threads(),
                bytesInUse,
                bytesPeak);
    }

    @Override
    public DType real() {
        return real;
    }

    @Override
    public Workspace workspace(String name, long byteBudget) {
        if (byteBudget < 0) {
            throw new IllegalArgumentException("workspace '" + name + "': byte budget " + byteBudget + " is negative");
        }
        synchronized (this) {
            requireOpen();
            JavaWorkspace workspace = new JavaWorkspace(this, name, byteBudget);
            workspaces.add(workspace);
            return workspace;
        }
    }

    synchronized void requireOpen() {
        if (!open) {
            throw new IllegalStateException("backend 'java' is closed");
        }
    }

    synchronized void allocated(long bytes) {
        bytesInUse += bytes;
        bytesPeak = Math.max(bytesPeak, bytesInUse);
    }

    synchronized void freed(JavaWorkspace workspace) {
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
        List<JavaWorkspace> left;
        synchronized (this) {
            if (!open) {
                return;
            }
            // From here on nobody makes another workspace.
            open = false;
            left = List.copyOf(workspaces);
        }
        List<JavaWorkspace> entered = new ArrayList<>();
        try {
            for (JavaWorkspace workspace : left) {
                if (workspace.enterIfOpen("close of backend 'java'")) {
                    entered.add(workspace);
                }
            }
        } catch (IllegalStateException e) {
            entered.forEach(JavaWorkspace::exit);
            synchronized (this) {
                open = true;
            }
            throw e;
        }
        // Replays first: whichever workspace they use, none is in the way of another then.
        entered.forEach(JavaWorkspace::disposeReplays);
        entered.forEach(JavaWorkspace::freeAll);
        entered.forEach(JavaWorkspace::exit);
        workers.close();
    }
}
