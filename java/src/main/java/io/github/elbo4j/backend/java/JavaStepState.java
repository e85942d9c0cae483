package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.BackendMemoryException;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Counters, schedule, sums and flag as plain fields; on a GPU all of them but the table's source live on the device. */
final class JavaStepState implements StepState {
    private final JavaWorkspace workspace;
    private final List<String> slots;
    private final List<String> metrics;
    private final double[] table;
    private long tableFirst;
    private long tableEnd;

    private long seed;
    private long step;
    private long epoch;
    private long position;
    private long rows;
    private final double[] sums;
    private @Nullable Halt halt;

    private int activeRows;
    private long orderRows;

    JavaStepState(JavaWorkspace workspace, long seed, List<String> slots, int tableSteps, List<String> metrics) {
        if (tableSteps < (slots.isEmpty() ? 0 : 1)) {
            throw new IllegalArgumentException("step state: a schedule of " + tableSteps + " steps for " + slots);
        }
        requireDistinct("slots", slots);
        requireDistinct("metrics", metrics);
        this.workspace = workspace;
        this.seed = seed;
        this.slots = List.copyOf(slots);
        this.metrics = List.copyOf(metrics);
        this.table = table(slots, tableSteps);
        this.sums = new double[metrics.size()];
    }

    private static double[] table(List<String> slots, int tableSteps) {
        String what = "step state: a schedule of " + tableSteps + " steps for " + slots;
        long numbers = (long) slots.size() * tableSteps;
        if (numbers > JavaMemory.MAX_ARRAY) {
            throw new BackendMemoryException(what + " has " + numbers + " numbers, more than the "
                    + JavaMemory.MAX_ARRAY + " of the Java backend; upload it for fewer steps at a time");
        }
        try {
            return new double[(int) numbers];
        } catch (OutOfMemoryError e) {
            throw new BackendMemoryException(
                    what + ": the JVM has no memory for it; raise -Xmx, or upload it for fewer steps at a time", e);
        }
    }

    private static void requireDistinct(String what, List<String> names) {
        if (java.util.Set.copyOf(names).size() != names.size()) {
            throw new IllegalArgumentException("step state: " + what + " " + names + " name one twice");
        }
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
        return seed;
    }

    @Override
    public void reseed(long key) {
        workspace.enter("reseed");
        try {
            seed = key;
        } finally {
            workspace.exit();
        }
    }

    @Override
    public void schedule(long firstStep, double[] values) {
        if (firstStep < 0 || slots.isEmpty() || values.length > table.length || values.length % slots.size() != 0) {
            throw new IllegalArgumentException("schedule: " + values.length + " values from step " + firstStep
                    + " do not fill whole rows of " + slots + ", at most " + table.length + " values");
        }
        workspace.enter("schedule");
        try {
            System.arraycopy(values, 0, table, 0, values.length);
            tableFirst = firstStep;
            tableEnd = firstStep + values.length / slots.size();
        } finally {
            workspace.exit();
        }
    }

    @Override
    public Snapshot read() {
        workspace.enter("read");
        try {
            Map<String, Double> named = new LinkedHashMap<>();
            for (int i = 0; i < sums.length; i++) {
                named.put(metrics.get(i), sums[i]);
            }
            return new Snapshot(step, epoch, position, rows, named, halt);
        } finally {
            workspace.exit();
        }
    }

    @Override
    public void restore(Snapshot snapshot) {
        if (!snapshot.sums().keySet().equals(java.util.Set.copyOf(metrics))) {
            throw new IllegalArgumentException(
                    "restore: the snapshot's metrics " + snapshot.sums().keySet() + " are not " + metrics);
        }
        workspace.enter("restore");
        try {
            step = snapshot.step();
            epoch = snapshot.epoch();
            position = snapshot.position();
            rows = snapshot.rows();
            for (int i = 0; i < sums.length; i++) {
                sums[i] = snapshot.sums().getOrDefault(metrics.get(i), 0.0);
            }
            halt = snapshot.halt();
        } finally {
            workspace.exit();
        }
    }

    @Override
    public void resetMetrics() {
        workspace.enter("resetMetrics");
        try {
            java.util.Arrays.fill(sums, 0);
            rows = 0;
        } finally {
            workspace.exit();
        }
    }

    @Override
    public JavaWorkspace workspace() {
        return workspace;
    }

    /** Throws unless the schedule covers the next steps. */
    void requireSchedule(long times) {
        if (step < tableFirst || times > tableEnd - step) {
            throw new IllegalStateException("run: steps " + step + " to " + (step + times - 1)
                    + " are not in the schedule, which covers " + tableFirst + " to " + (tableEnd - 1)
                    + "; call schedule first");
        }
    }

    /** {@return the number that a kernel takes at the present step} */
    static double value(Scalar scalar) {
        return switch (scalar) {
            case Scalar.Constant constant -> constant.value();
            case Scalar.Slot slot -> of(slot.state()).lookup(slot.index());
        };
    }

    /** {@return a state that a checked call takes, as what it is} */
    static JavaStepState of(StepState state) {
        return (JavaStepState) state;
    }

    private double lookup(int slot) {
        requireSchedule(1);
        return table[Math.toIntExact((step - tableFirst) * slots.size()) + slot];
    }

    long step() {
        return step;
    }

    long epoch() {
        return epoch;
    }

    long position() {
        return position;
    }

    boolean halted() {
        return halt != null;
    }

    void halt(String tensor, long firstRow, long count) {
        if (halt == null) {
            halt = new Halt(step, tensor, firstRow, count);
        }
    }

    void add(int metric, double sum) {
        sums[metric] = sum;
    }

    double sum(int metric) {
        return sums[metric];
    }

    void activate(int active, long rowsOfOrder) {
        activeRows = active;
        orderRows = rowsOfOrder;
    }

    int activeRows() {
        return activeRows;
    }

    /** See {@link io.github.elbo4j.backend.OptimizerKernels#advance}. */
    void advance() {
        if (halted()) {
            return;
        }
        step++;
        rows += activeRows;
        if (orderRows > 0) {
            position += activeRows;
            if (position >= orderRows) {
                position = 0;
                epoch++;
            }
        }
    }
}
