package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The pre-bound list of a recorded step; runs it on the caller's thread and the backend's workers, and holds its own
 * workspace and every other that it writes to.
 */
final class JavaReplay implements Replay {
    private final JavaWorkspace workspace;
    private final JavaStepState state;
    private final Rows rows;
    private final List<KernelCall> calls;
    private final JavaStep[] steps;
    private final List<JavaTensor> pinned;
    private final List<JavaWorkspace> held;
    private final List<JavaTensor> written;
    private final long scratchBytes;
    private final boolean selectsRows;
    private final boolean scheduled;
    private boolean open = true;

    JavaReplay(
            JavaWorkspace workspace,
            JavaStepState state,
            Rows rows,
            List<KernelCall> calls,
            List<JavaStep> steps,
            List<JavaTensor> pinned,
            long scratchBytes,
            boolean selectsRows) {
        this.workspace = workspace;
        this.state = state;
        this.rows = rows;
        this.calls = List.copyOf(calls);
        this.steps = steps.toArray(JavaStep[]::new);
        this.pinned = List.copyOf(pinned);
        this.scratchBytes = scratchBytes;
        this.selectsRows = selectsRows;
        Set<JavaWorkspace> used = new LinkedHashSet<>();
        used.add(workspace);
        calls.forEach(call -> used.addAll(JavaOperands.written(call)));
        this.held = List.copyOf(used);
        this.written = calls.stream()
                .flatMap(call -> JavaOperands.stored(call.outputs()).stream())
                .distinct()
                .toList();
        this.scheduled = calls.stream().anyMatch(KernelCall::scheduled);
    }

    @Override
    public void run(long times) {
        if (times < 0) {
            throw new IllegalArgumentException("run: " + times + " times");
        }
        enter("run");
        try {
            if (scheduled && times > 0) {
                state.requireSchedule(times);
            }
            for (long i = 0; i < times; i++) {
                once(Math.toIntExact(rows.capacity()));
            }
        } finally {
            held.forEach(JavaWorkspace::exit);
        }
    }

    @Override
    public void runRows(long activeRows) {
        if (activeRows < 1 || activeRows > rows.capacity()) {
            throw new IllegalArgumentException("runRows: " + activeRows + " active rows of " + rows.capacity());
        }
        if (selectsRows) {
            throw new IllegalStateException("runRows: this recording chooses its rows itself; call run");
        }
        enter("runRows");
        try {
            if (scheduled) {
                state.requireSchedule(1);
            }
            once((int) activeRows);
        } finally {
            held.forEach(JavaWorkspace::exit);
        }
    }

    private void once(int activeRows) {
        state.activate(activeRows, 0);
        for (JavaStep step : steps) {
            step.run(selectsRows ? state.activeRows() : activeRows);
        }
        written.forEach(JavaTensor::changed);
    }

    private void enter(String call) {
        JavaWorkspace.enterAll(held, call);
        if (!open) {
            held.forEach(JavaWorkspace::exit);
            throw new IllegalStateException(call + ": the replay is closed");
        }
    }

    @Override
    public void await() {
        // Runs are finished when they return.
    }

    @Override
    public String explain() {
        return calls.stream().map(KernelCall::toString).collect(Collectors.joining("\n"));
    }

    @Override
    public void close() {
        if (!open || !workspace.enterIfOpen("close")) {
            return;
        }
        try {
            // Once more: another thread may have closed it meanwhile.
            if (open) {
                dispose();
            }
        } finally {
            workspace.exit();
        }
    }

    /** Closes within a call that holds the workspace. */
    void dispose() {
        open = false;
        pinned.forEach(tensor -> tensor.unpin(workspace));
        workspace.release(this, scratchBytes);
    }
}
