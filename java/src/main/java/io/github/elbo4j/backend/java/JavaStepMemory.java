package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.BackendMemoryException;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.StepState.Halt;
import io.github.elbo4j.backend.StepState.Snapshot;
import io.github.elbo4j.backend.engine.Operands;
import io.github.elbo4j.backend.engine.StepMemory;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Counters, schedule, sums and flag as plain fields. */
final class JavaStepMemory implements StepMemory {
    private final int slots;
    private final List<String> metrics;
    private final double[] table;
    private long tableFirst;

    private long seed;
    private long step;
    private long epoch;
    private long position;
    private long rows;
    private final double[] sums;
    private @Nullable Halt halt;

    private int activeRows;
    private long orderRows;

    JavaStepMemory(long seed, int slots, int tableSteps, List<String> metrics) {
        this.seed = seed;
        this.slots = slots;
        this.metrics = metrics;
        this.table = table((long) slots * tableSteps);
        this.sums = new double[metrics.size()];
    }

    private static double[] table(long numbers) {
        if (numbers > JavaMemory.MAX_ARRAY) {
            throw new BackendMemoryException(
                    numbers + " numbers, more than the " + JavaMemory.MAX_ARRAY + " that the Java backend can hold");
        }
        try {
            return new double[(int) numbers];
        } catch (OutOfMemoryError e) {
            throw new BackendMemoryException("the JVM has no memory for " + numbers + " numbers; raise -Xmx", e);
        }
    }

    /** {@return what a checked call's state keeps} */
    static JavaStepMemory of(StepState state) {
        return (JavaStepMemory) Operands.memory(state);
    }

    /** {@return the number that a kernel takes at the present step} */
    static double value(Scalar scalar) {
        return switch (scalar) {
            case Scalar.Constant constant -> constant.value();
            case Scalar.Slot slot -> of(slot.state()).lookup(slot.index());
        };
    }

    private double lookup(int slot) {
        return table[Math.toIntExact((step - tableFirst) * slots) + slot];
    }

    @Override
    public long seed() {
        return seed;
    }

    @Override
    public void reseed(long key) {
        seed = key;
    }

    @Override
    public void schedule(long firstStep, double[] values) {
        System.arraycopy(values, 0, table, 0, values.length);
        tableFirst = firstStep;
    }

    @Override
    public Snapshot read() {
        Map<String, Double> named = new LinkedHashMap<>();
        for (int i = 0; i < sums.length; i++) {
            named.put(metrics.get(i), sums[i]);
        }
        return new Snapshot(step, epoch, position, rows, named, halt);
    }

    @Override
    public void restore(Snapshot snapshot) {
        step = snapshot.step();
        epoch = snapshot.epoch();
        position = snapshot.position();
        rows = snapshot.rows();
        for (int i = 0; i < sums.length; i++) {
            sums[i] = snapshot.sums().getOrDefault(metrics.get(i), 0.0);
        }
        halt = snapshot.halt();
    }

    @Override
    public void resetMetrics() {
        Arrays.fill(sums, 0);
        rows = 0;
    }

    @Override
    public long step() {
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

    int metric(String name) {
        return metrics.indexOf(name);
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

    @Override
    public void free() {
        // Nothing but heap memory.
    }
}
