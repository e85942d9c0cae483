package io.github.elbo4j.backend.engine;

import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** A recorded step with what keeps it runnable; a run holds its own workspace and every other that it writes to. */
final class EngineReplay implements Replay {
    /**
     * What a replay keeps alive.
     *
     * @param tensors pinned by it
     * @param scratch freed with it
     */
    record Holdings(List<EngineTensor> tensors, List<Memory> scratch) {
        /** Lets go of everything. */
        void release(EngineWorkspace workspace) {
            tensors.forEach(tensor -> tensor.unpin(workspace));
            scratch.forEach(workspace::free);
        }
    }

    private final EngineWorkspace workspace;
    private final EngineStepState state;
    private final Rows rows;
    private final Program program;
    private final Holdings holdings;
    private final List<EngineWorkspace> held;
    /** Parameters, of which copies are stale after a run. */
    private final List<EngineTensor> written;

    private final boolean selectsRows;
    private final boolean scheduled;
    private final long stepsPerRun;
    /** Rows of the schedule that a run reads behind those of the steps it ends: 0 or 1. */
    private final long rowsBeyond;

    private boolean open = true;

    EngineReplay(
            EngineWorkspace workspace,
            EngineStepState state,
            Rows rows,
            List<KernelCall> calls,
            Program program,
            Holdings holdings) {
        this.workspace = workspace;
        this.state = state;
        this.rows = rows;
        this.program = program;
        this.holdings = holdings;
        Set<EngineWorkspace> used = new LinkedHashSet<>();
        used.add(workspace);
        calls.forEach(call -> used.addAll(Operands.written(call)));
        this.held = List.copyOf(used);
        this.written = calls.stream()
                .flatMap(call -> Operands.stored(call.outputs()).stream())
                .filter(EngineTensor::ownedByParameters)
                .distinct()
                .toList();
        this.selectsRows = calls.stream().anyMatch(KernelCall::selectsRows);
        this.scheduled = calls.stream().anyMatch(KernelCall::scheduled);
        this.stepsPerRun =
                Math.max(1, calls.stream().filter(KernelCall::advances).count());
        this.rowsBeyond = readsBeyondLastStep(calls) ? 1 : 0;
    }

    private static boolean readsBeyondLastStep(List<KernelCall> calls) {
        boolean ended = false;
        boolean reads = false;
        for (KernelCall call : calls) {
            if (call.advances()) {
                ended = true;
                reads = false;
            } else {
                reads |= call.scheduled();
            }
        }
        return ended && reads;
    }

    @Override
    public void run(long times) {
        if (times < 0) {
            throw new IllegalArgumentException("run: " + times + " times");
        }
        enter("run");
        try {
            if (times > 0) {
                requireSchedule(times);
                try {
                    program.run(times);
                } finally {
                    changed();
                }
            }
        } finally {
            EngineWorkspace.exitAll(held);
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
            requireSchedule(1);
            try {
                program.runRows(activeRows);
            } finally {
                changed();
            }
        } finally {
            EngineWorkspace.exitAll(held);
        }
    }

    private void changed() {
        for (int i = 0; i < written.size(); i++) {
            written.get(i).changed();
        }
    }

    private void requireSchedule(long times) {
        if (scheduled) {
            boolean countless = times > (Long.MAX_VALUE - rowsBeyond) / stepsPerRun;
            state.requireSchedule(countless ? Long.MAX_VALUE : times * stepsPerRun + rowsBeyond);
        }
    }

    private void enter(String call) {
        EngineWorkspace.enterAll(held, call);
        if (!open) {
            EngineWorkspace.exitAll(held);
            throw new IllegalStateException(call + ": the replay is closed");
        }
    }

    @Override
    public void await() {
        if (!open || !workspace.enterIfOpen("await")) {
            return;
        }
        try {
            if (open) {
                program.await();
            }
        } finally {
            workspace.exit();
        }
    }

    @Override
    public String explain() {
        return program.explain();
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
        program.close();
        holdings.release(workspace);
        workspace.forget(this);
    }
}
