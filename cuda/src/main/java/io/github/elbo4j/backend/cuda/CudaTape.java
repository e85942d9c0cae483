package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.cuda.CudaNode.Fork;
import io.github.elbo4j.backend.cuda.CudaNode.Join;
import io.github.elbo4j.backend.cuda.CudaNode.Launch;
import io.github.elbo4j.backend.cuda.CudaNode.Product;
import io.github.elbo4j.backend.cuda.CudaOperand.Region;
import io.github.elbo4j.backend.engine.Engine.Space;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Turns commands into kernels and products, in order. Knows what lies in memory at each point of a step: which outputs
 * have zeros in their padding rows, which have a copy in bf16, and what the second branch still reads or writes.
 *
 * <p>A product over rows needs zeros in the padding. Every kernel writes them, so only an operand that no kernel of the
 * step has written is copied first.
 */
final class CudaTape {
    private final CudaEngine engine;
    private final Space space;
    private final Consumer<CudaNode> sink;
    private final boolean recorded;
    private final long active;
    private final Set<Region> wantedTwins = new HashSet<>();
    private final Map<Region, Long> twinMemory = new HashMap<>();
    private final Set<Region> freshTwins = new HashSet<>();
    private final Set<Region> paddedTwins = new HashSet<>();
    private final Set<Region> padded = new HashSet<>();
    private final List<CudaOperand> unshadowed = new ArrayList<>();
    private final List<Region> sideReads = new ArrayList<>();
    private final List<Region> sideWrites = new ArrayList<>();
    private boolean side;

    private CudaTape(CudaEngine engine, Space space, Consumer<CudaNode> sink, boolean recorded, long active) {
        this.engine = engine;
        this.space = space;
        this.sink = sink;
        this.recorded = recorded;
        this.active = active;
    }

    /** A tape for one call on all its rows. */
    static CudaTape eager(CudaEngine engine, Space space, Consumer<CudaNode> sink) {
        return new CudaTape(engine, space, sink, false, 0);
    }

    /**
     * A tape for a recorded step.
     *
     * @param engine where it will run
     * @param space memory that lives as long as the step
     * @param sink takes the operations
     * @param active device address of the number of active rows
     * @param commands all that will be issued
     */
    static CudaTape recorded(
            CudaEngine engine, Space space, Consumer<CudaNode> sink, long active, List<CudaCommand> commands) {
        CudaTape tape = new CudaTape(engine, space, sink, true, active);
        if (engine.precision() == Precision.BF16) {
            commands.forEach(command -> command.factors().forEach(factor -> tape.wantedTwins.add(factor.region())));
        }
        return tape;
    }

    /** Issues a command that stands for one call, or for several that were merged. */
    void issue(List<KernelCall> calls, CudaCommand command) {
        if (recorded) {
            order(calls, command.onMain(calls.size()));
        }
        command.issue(this);
        side = false;
        if (!unshadowed.isEmpty()) {
            join();
        }
        unshadowed.forEach(values -> cast(values, null, values.twin()));
        unshadowed.clear();
    }

    /** Overwrites the bf16 twin of parameters. */
    void refresh(CudaMemory memory) {
        cast(memory.values(), null, memory.twin());
    }

    /** Ends a recorded step: both branches meet. */
    void end() {
        join();
    }

    private void order(List<KernelCall> calls, int onMain) {
        List<Region> reads = reads(calls);
        List<Region> writes = writes(calls);
        if (onMain > 0 && (meet(writes, sideReads) || meet(writes, sideWrites) || meet(reads, sideWrites))) {
            join();
        }
        List<KernelCall> onSide = calls.subList(onMain, calls.size());
        sideReads.addAll(reads(onSide));
        sideWrites.addAll(writes(onSide));
    }

    private static List<Region> reads(List<KernelCall> calls) {
        return regions(calls.stream().flatMap(call -> call.inputs().stream()).toList());
    }

    private static List<Region> writes(List<KernelCall> calls) {
        return regions(calls.stream().flatMap(call -> call.outputs().stream()).toList());
    }

    private static List<Region> regions(List<Operand> operands) {
        return operands.stream()
                .map(operand -> CudaOperand.of(operand).region())
                .toList();
    }

    private static boolean meet(List<Region> some, List<Region> others) {
        return some.stream().anyMatch(one -> others.stream().anyMatch(one::overlaps));
    }

    private void join() {
        if (!sideReads.isEmpty()) {
            sink.accept(new Join());
            sideReads.clear();
            sideWrites.clear();
        }
    }

    /** What the present command issues from here on goes to the second branch. */
    void fork() {
        if (recorded) {
            sink.accept(new Fork());
            side = true;
        }
    }

    /** {@return the device address of the number of active batch rows; 0 where all are active} */
    long active() {
        return active;
    }

    CudaLaunch.Device limits() {
        return engine.device().limits();
    }

    /** A kernel whose threads take elements in strides, some at a time. */
    void elements(String kernel, long elements, int perThread, Object... arguments) {
        CudaLaunch launch = CudaLaunch.elements(limits(), elements, perThread);
        launch(kernel, launch.grid(), 1, launch.width(), launch.height(), arguments);
    }

    /** A kernel in which a block or a warp takes a row. */
    void rows(String kernel, long rows, long columns, Object... arguments) {
        CudaLaunch launch = CudaLaunch.rows(limits(), rows, columns);
        launch(kernel, launch.grid(), 1, launch.width(), launch.height(), arguments);
    }

    /** Any kernel. */
    void launch(String kernel, int gridX, int gridY, int blockX, int blockY, Object... arguments) {
        sink.accept(new Launch(engine.module().kernel(kernel), gridX, gridY, blockX, blockY, side, List.of(arguments)));
    }

    /** A product of factors that {@link #factor} gave. */
    void product(Product.Shape shape, long a, long b, CudaOperand c) {
        sink.accept(new Product(shape, a, b, c.address(), side));
    }

    /**
     * {@return the address of a factor as the products of this precision take it}
     *
     * @param operand the factor
     * @param rows the rows it is made of; null for weights
     * @param summed whether the product sums over these rows, so that their padding must be zeros
     */
    long factor(CudaOperand operand, @Nullable Rows rows, boolean summed) {
        if (engine.precision() == Precision.BF16) {
            return shortFactor(operand, rows, summed && recorded);
        }
        if (!recorded || !summed || padded.contains(operand.region())) {
            return operand.address();
        }
        CudaMemory copy = (CudaMemory) space.allocate("padded copy", DType.F32, operand.elements());
        elements(
                "copy_rows_f32",
                operand.elements(),
                4,
                active,
                batch(operand, rows),
                fold(rows),
                operand.columns(),
                operand.address(),
                copy.address());
        return copy.address();
    }

    private long shortFactor(CudaOperand operand, @Nullable Rows rows, boolean zeros) {
        Region region = operand.region();
        if (operand.twin() != 0 && (!zeros || padded.contains(region))) {
            return operand.twin();
        }
        long address = twinMemory(operand);
        if (!(zeros ? paddedTwins : freshTwins).contains(region)) {
            cast(operand, rows, address);
            if (recorded) {
                freshTwins.add(region);
            }
            if (rows != null || padded.contains(region)) {
                paddedTwins.add(region);
            }
        }
        return address;
    }

    private long twinMemory(CudaOperand operand) {
        return twinMemory.computeIfAbsent(
                operand.region(),
                region -> ((CudaMemory) space.allocate("bf16 copy", DType.BF16, operand.elements())).address());
    }

    private void cast(CudaOperand operand, @Nullable Rows rows, long target) {
        elements(
                "copy_rows_bf16",
                operand.elements(),
                4,
                rows == null ? 0L : active,
                batch(operand, rows),
                fold(rows),
                operand.columns(),
                operand.address(),
                target);
    }

    private static long batch(CudaOperand operand, @Nullable Rows rows) {
        return rows == null ? operand.rows() : rows.capacity();
    }

    private static int fold(@Nullable Rows rows) {
        return rows == null ? 1 : rows.fold();
    }

    /** {@return whether an operand is known to have zeros in its padding rows} */
    boolean padded(CudaOperand operand) {
        return !recorded || padded.contains(operand.region());
    }

    /**
     * Notes that the present command overwrites an operand; to be called after the last {@link #factor} of the command.
     *
     * @param operand what it writes
     * @param zeros whether the padding rows are zeros afterwards
     * @return where to write a copy in bf16 as well, 0 for nowhere
     */
    long output(CudaOperand operand, boolean zeros) {
        return output(operand, zeros, true);
    }

    /** As {@link #output(CudaOperand, boolean)}, of a kernel that cannot write a copy. */
    void outputWithoutCopy(CudaOperand operand, boolean zeros) {
        output(operand, zeros, false);
    }

    private long output(CudaOperand operand, boolean zeros, boolean copies) {
        Region region = operand.region();
        freshTwins.removeIf(region::overlaps);
        paddedTwins.removeIf(region::overlaps);
        padded.removeIf(region::overlaps);
        if (zeros) {
            padded.add(region);
        }
        if (operand.twin() != 0) {
            if (copies) {
                return operand.twin();
            }
            unshadowed.add(operand);
            return 0;
        }
        if (!copies || !wantedTwins.contains(region)) {
            return 0;
        }
        freshTwins.add(region);
        if (zeros) {
            paddedTwins.add(region);
        }
        return twinMemory(operand);
    }

    /** {@return the device address of numbers that stay as they are} */
    long constants(long... values) {
        CudaMemory memory = (CudaMemory) space.allocate("constants", DType.I64, values.length);
        memory.upload(MemorySegment.ofArray(Objects.requireNonNull(values)), 0);
        return memory.address();
    }

    /** {@return the address of memory that only the present command uses} */
    long temporary(long elements) {
        return ((CudaMemory) space.allocate("temporary", DType.F32, elements)).address();
    }
}
