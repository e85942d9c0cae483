package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Scalar;
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

/**
 * A step state on the device, so that a graph needs nothing passed in: the header of {@code step_state.cuh}, the sums,
 * then the schedule. The host keeps the names, and the step it expects to be reached.
 */
final class CudaStepMemory implements StepMemory {
    // Offsets of struct StepState in step_state.cuh.
    private static final long SEED = 0;
    private static final long STEP = 8;
    private static final long ROWS = 32;
    private static final long ACTIVE = 40;
    private static final long ORDER_ROWS = 48;
    private static final long HALT_NAME = 56;
    private static final long TABLE_FIRST = 88;
    private static final long CHECK_FIRST = 128;
    private static final int HEADER_WORDS = 18;
    private static final long HEADER = HEADER_WORDS * Long.BYTES;
    private static final long NO_HALT = -1;

    private final CudaEngine engine;
    private final CudaPool.Block block;
    private final long table;
    private final int slots;
    private final List<String> metrics;
    private final List<String> names = new ArrayList<>();
    private final CudaFill fill;
    private long seed;
    /** Whether the device has that key: a call that failed may have written half of another. */
    private boolean seeded = true;

    private long expectedStep;
    /** The active rows that the host has set, without an order; 0 after steps that choose their own. */
    private long activated;

    CudaStepMemory(CudaEngine engine, long seed, int slots, int tableSteps, List<String> metrics) {
        this.engine = engine;
        this.seed = seed;
        this.slots = slots;
        this.metrics = metrics;
        this.table = HEADER + (long) metrics.size() * Double.BYTES;
        this.block = engine.allocate("step state", table + (long) slots * tableSteps * Double.BYTES);
        this.fill = new CudaFill(engine.context(), engine.stream(), block.address(), HEADER);
        long[] header = new long[HEADER_WORDS];
        header[word(SEED)] = seed;
        header[word(HALT_NAME)] = NO_HALT;
        header[word(TABLE_FIRST) + 2] = slots;
        header[word(TABLE_FIRST) + 3] = block.address() + table;
        header[word(TABLE_FIRST) + 4] = block.address() + HEADER;
        header[word(CHECK_FIRST)] = -1;
        try {
            put(0, header);
        } catch (RuntimeException e) {
            free();
            throw e;
        }
    }

    private static int word(long offset) {
        return (int) (offset / Long.BYTES);
    }

    /** {@return what a checked call's state keeps} */
    static CudaStepMemory of(StepState state) {
        return (CudaStepMemory) Operands.memory(state);
    }

    /** {@return the device address of the header} */
    long address() {
        return block.address();
    }

    /** {@return the device address of the number of active rows} */
    long active() {
        return block.address() + ACTIVE;
    }

    /** {@return the column of a scalar in the schedule, -1 for a constant} */
    static int slot(Scalar scalar) {
        return scalar instanceof Scalar.Slot slot ? slot.index() : -1;
    }

    /** {@return the number of a constant scalar, 0 for one of the schedule} */
    static double constant(Scalar scalar) {
        return scalar instanceof Scalar.Constant(double value) ? value : 0;
    }

    int metric(String name) {
        return metrics.indexOf(name);
    }

    /** {@return the number of the first of some names, by which kernels tell what they halt for; the others follow} */
    long names(List<String> wanted) {
        synchronized (names) {
            int known = java.util.Collections.indexOfSubList(names, wanted);
            if (known >= 0) {
                return known;
            }
            int first = names.size();
            names.addAll(wanted);
            return first;
        }
    }

    private String name(long number) {
        synchronized (names) {
            return names.get((int) number);
        }
    }

    @Override
    public long seed() {
        return seed;
    }

    @Override
    public void reseed(long key) {
        engine.context().requireUsable();
        if (key == seed && seeded) {
            return;
        }
        seeded = false;
        try {
            fill.words(SEED, (int) key, 1);
            fill.words(SEED + Integer.BYTES, (int) (key >>> 32), 1);
        } catch (CudaException e) {
            throw CudaEngine.asAsked(e);
        }
        seed = key;
        seeded = true;
    }

    /** Sets the active rows of a step that chooses none. */
    void activate(long rows) {
        if (rows == activated) {
            return;
        }
        boolean whole = activated == 0 || Math.max(rows, activated) >>> 32 != 0;
        activated = 0;
        fill.words(ACTIVE, (int) rows, 1);
        if (whole) {
            fill.words(ACTIVE + Integer.BYTES, (int) (rows >>> 32), 1);
            fill.words(ORDER_ROWS, 0, 2);
        }
        activated = rows;
    }

    /** Notes that a step was enqueued that chooses the active rows itself. */
    void activeChanged() {
        activated = 0;
    }

    @Override
    public void schedule(long firstStep, double[] values) {
        engine.upload(MemorySegment.ofArray(values), block.address() + table);
        put(TABLE_FIRST, firstStep, values.length / slots);
    }

    @Override
    public Snapshot read() {
        long[] words = get(0, HEADER_WORDS + metrics.size());
        expectedStep = words[word(STEP)];
        Map<String, Double> sums = new LinkedHashMap<>();
        for (int i = 0; i < metrics.size(); i++) {
            sums.put(metrics.get(i), Double.longBitsToDouble(words[HEADER_WORDS + i]));
        }
        int halt = word(HALT_NAME);
        return new Snapshot(
                words[word(STEP)],
                words[word(STEP) + 1],
                words[word(STEP) + 2],
                words[word(ROWS)],
                sums,
                words[halt] == NO_HALT
                        ? null
                        : new Halt(words[halt + 1], name(words[halt]), words[halt + 2], words[halt + 3]));
    }

    @Override
    public void restore(Snapshot snapshot) {
        put(STEP, snapshot.step(), snapshot.epoch(), snapshot.position(), snapshot.rows());
        Halt halt = snapshot.halt();
        if (halt == null) {
            put(HALT_NAME, NO_HALT);
        } else {
            put(HALT_NAME, names(List.of(halt.tensor())), halt.step(), halt.firstRow(), halt.count());
        }
        put(
                HEADER,
                metrics.stream()
                        .mapToLong(metric ->
                                Double.doubleToRawLongBits(snapshot.sums().getOrDefault(metric, 0.0)))
                        .toArray());
        expectedStep = snapshot.step();
    }

    @Override
    public void resetMetrics() {
        put(HEADER, new long[metrics.size()]);
        put(ROWS, 0);
    }

    @Override
    public long step() {
        expectedStep = get(STEP, 1)[0];
        return expectedStep;
    }

    @Override
    public long expectedStep() {
        return expectedStep;
    }

    /** Notes that steps were enqueued. */
    void expect(long steps) {
        expectedStep += steps;
    }

    private void put(long offset, long... words) {
        engine.upload(MemorySegment.ofArray(words), block.address() + offset);
    }

    private long[] get(long offset, int words) {
        MemorySegment target = MemorySegment.ofArray(new long[words]);
        engine.download(block.address() + offset, target);
        return target.toArray(ValueLayout.JAVA_LONG);
    }

    @Override
    public void free() {
        engine.release(block);
    }
}
