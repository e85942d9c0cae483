package io.github.elbo4j.backend.engine;

import io.github.elbo4j.backend.BackendMemoryException;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import java.util.List;
import java.util.Set;

/** Names and the range of the schedule; the numbers are the engine's. */
final class EngineStepState implements StepState {
    private final EngineWorkspace workspace;
    private final List<String> slots;
    private final List<String> metrics;
    private final int tableSteps;
    private final StepMemory memory;
    private long tableFirst;
    private long tableEnd;

    EngineStepState(EngineWorkspace workspace, long seed, List<String> slots, int tableSteps, List<String> metrics) {
        if (tableSteps < (slots.isEmpty() ? 0 : 1)) {
            throw new IllegalArgumentException("step state: a schedule of " + tableSteps + " steps for " + slots);
        }
        requireDistinct("slots", slots);
        requireDistinct("metrics", metrics);
        this.workspace = workspace;
        this.slots = List.copyOf(slots);
        this.metrics = List.copyOf(metrics);
        this.tableSteps = tableSteps;
        try {
            this.memory = workspace.backend().engine().stepMemory(seed, slots.size(), tableSteps, this.metrics);
        } catch (BackendMemoryException e) {
            throw new BackendMemoryException(
                    "step state: a schedule of " + tableSteps + " steps for " + slots + ": " + e.getMessage()
                            + "; upload it for fewer steps at a time",
                    e);
        }
    }

    private static void requireDistinct(String what, List<String> names) {
        if (Set.copyOf(names).size() != names.size()) {
            throw new IllegalArgumentException("step state: " + what + " " + names + " name one twice");
        }
    }

    @Override
    public EngineWorkspace workspace() {
        return workspace;
    }

    StepMemory memory() {
        return memory;
    }

    @Override
    public List<String> metrics() {
        return metrics;
    }

    @Override
    public Scalar.Slot slot(String name) {
        int index = slots.indexOf(name);
        if (index < 0) {
            throw new IllegalArgumentException("no slot '" + name + "'; the schedule has " + slots);
        }
        return new Scalar.Slot(this, index, name);
    }

    @Override
    public long seed() {
        return memory.seed();
    }

    @Override
    public void reseed(long seed) {
        workspace.enter("reseed");
        try {
            memory.reseed(seed);
        } finally {
            workspace.exit();
        }
    }

    @Override
    public void schedule(long firstStep, double[] values) {
        if (firstStep < 0
                || slots.isEmpty()
                || values.length % slots.size() != 0
                || values.length / slots.size() > tableSteps) {
            throw new IllegalArgumentException("schedule: " + values.length + " values from step " + firstStep
                    + " do not fill whole rows of " + slots + ", at most " + tableSteps + " rows");
        }
        workspace.enter("schedule");
        try {
            // Nothing is covered while it is replaced, nor if that fails halfway.
            tableEnd = tableFirst;
            memory.schedule(firstStep, values);
            tableFirst = firstStep;
            tableEnd = firstStep + values.length / slots.size();
        } finally {
            workspace.exit();
        }
    }

    /** Throws unless the schedule covers the next steps; called while the workspace is held. */
    void requireSchedule(long times) {
        if (covers(memory.expectedStep(), times)) {
            return;
        }
        long step = memory.step();
        if (!covers(step, times)) {
            throw new IllegalStateException("run: steps " + step + " to " + (step + times - 1)
                    + " are not in the schedule, which covers " + tableFirst + " to " + (tableEnd - 1)
                    + "; call schedule first");
        }
    }

    private boolean covers(long step, long times) {
        return step >= tableFirst && times <= tableEnd - step;
    }

    @Override
    public Snapshot read() {
        workspace.enter("read");
        try {
            return memory.read();
        } finally {
            workspace.exit();
        }
    }

    @Override
    public void restore(Snapshot snapshot) {
        if (!snapshot.sums().keySet().equals(Set.copyOf(metrics))) {
            throw new IllegalArgumentException(
                    "restore: the snapshot's metrics " + snapshot.sums().keySet() + " are not " + metrics);
        }
        workspace.enter("restore");
        try {
            memory.restore(snapshot);
        } finally {
            workspace.exit();
        }
    }

    @Override
    public void resetMetrics() {
        workspace.enter("resetMetrics");
        try {
            memory.resetMetrics();
        } finally {
            workspace.exit();
        }
    }
}
