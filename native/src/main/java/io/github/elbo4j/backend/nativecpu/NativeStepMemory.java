package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.BackendMemoryException;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.StepState.Halt;
import io.github.elbo4j.backend.StepState.Snapshot;
import io.github.elbo4j.backend.engine.Operands;
import io.github.elbo4j.backend.engine.StepMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A step state as programs see it: an {@code elbo4j_state}, its sums, then its schedule. Names stay in Java. */
final class NativeStepMemory implements StepMemory {
    // Offsets in elbo4j_state.
    private static final long SEED = 0;
    private static final long STEP = 8;
    private static final long EPOCH = 16;
    private static final long POSITION = 24;
    private static final long ROWS = 32;
    private static final long HALTED = 56;
    private static final long HALT_STEP = 64;
    private static final long HALT_NAME = 72;
    private static final long HALT_FIRST = 80;
    private static final long HALT_COUNT = 88;
    private static final long TABLE_FIRST = 96;
    private static final long SLOTS = 104;
    private static final long TABLE = 112;
    private static final long SUMS = 120;
    private static final long STATE_BYTES = 128;

    /** A schedule comes in one array. */
    private static final long MAX_NUMBERS = Integer.MAX_VALUE - 8;

    private final MemorySegment memory;
    private final long table;
    private final List<String> metrics;
    private final List<String> names = new ArrayList<>();
    /** Also here, as it may be asked for when the memory is gone. */
    private volatile long seed;

    NativeStepMemory(long seed, int slots, int tableSteps, List<String> metrics) {
        this.metrics = metrics;
        this.table = STATE_BYTES + (long) metrics.size() * Double.BYTES;
        long numbers = (long) slots * tableSteps;
        if (numbers > MAX_NUMBERS) {
            throw new BackendMemoryException(numbers + " numbers, more than the " + MAX_NUMBERS + " of an array");
        }
        this.memory = NativeMemory.block("step state", table + numbers * Double.BYTES);
        put(SLOTS, slots);
        put(TABLE, memory.address() + table);
        put(SUMS, memory.address() + STATE_BYTES);
        reseed(seed);
    }

    /** {@return what a checked call's state keeps} */
    static NativeStepMemory of(StepState state) {
        return (NativeStepMemory) Operands.memory(state);
    }

    /** {@return where the {@code elbo4j_state} lies} */
    long address() {
        return memory.address();
    }

    int metric(String name) {
        return metrics.indexOf(name);
    }

    /** {@return the number by which kernels tell a tensor that they halt for} */
    long haltName(String name) {
        synchronized (names) {
            int known = names.indexOf(name);
            if (known >= 0) {
                return known;
            }
            names.add(name);
            return names.size() - 1L;
        }
    }

    private String name(long number) {
        synchronized (names) {
            return names.get((int) number);
        }
    }

    private long get(long offset) {
        return memory.get(ValueLayout.JAVA_LONG, offset);
    }

    private void put(long offset, long value) {
        memory.set(ValueLayout.JAVA_LONG, offset, value);
    }

    @Override
    public long seed() {
        return seed;
    }

    @Override
    public void reseed(long key) {
        put(SEED, key);
        seed = key;
    }

    @Override
    public void schedule(long firstStep, double[] values) {
        MemorySegment.copy(values, 0, memory, ValueLayout.JAVA_DOUBLE, table, values.length);
        put(TABLE_FIRST, firstStep);
    }

    @Override
    public Snapshot read() {
        Map<String, Double> sums = new LinkedHashMap<>();
        for (int i = 0; i < metrics.size(); i++) {
            sums.put(metrics.get(i), memory.get(ValueLayout.JAVA_DOUBLE, STATE_BYTES + (long) i * Double.BYTES));
        }
        Halt halt = get(HALTED) == 0
                ? null
                : new Halt(get(HALT_STEP), name(get(HALT_NAME)), get(HALT_FIRST), get(HALT_COUNT));
        return new Snapshot(get(STEP), get(EPOCH), get(POSITION), get(ROWS), sums, halt);
    }

    @Override
    public void restore(Snapshot snapshot) {
        put(STEP, snapshot.step());
        put(EPOCH, snapshot.epoch());
        put(POSITION, snapshot.position());
        put(ROWS, snapshot.rows());
        for (int i = 0; i < metrics.size(); i++) {
            setSum(i, snapshot.sums().getOrDefault(metrics.get(i), 0.0));
        }
        Halt halt = snapshot.halt();
        put(HALTED, halt == null ? 0 : 1);
        if (halt != null) {
            put(HALT_STEP, halt.step());
            put(HALT_NAME, haltName(halt.tensor()));
            put(HALT_FIRST, halt.firstRow());
            put(HALT_COUNT, halt.count());
        }
    }

    private void setSum(int metric, double sum) {
        memory.set(ValueLayout.JAVA_DOUBLE, STATE_BYTES + (long) metric * Double.BYTES, sum);
    }

    @Override
    public void resetMetrics() {
        for (int i = 0; i < metrics.size(); i++) {
            setSum(i, 0);
        }
        put(ROWS, 0);
    }

    @Override
    public long step() {
        return get(STEP);
    }

    @Override
    public void free() {
        NativeLibrary.free(memory.address());
    }
}
