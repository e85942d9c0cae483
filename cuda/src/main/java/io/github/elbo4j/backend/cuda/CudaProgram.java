package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.cuda.CudaNode.Launch;
import io.github.elbo4j.backend.cuda.CudaNode.Product;
import io.github.elbo4j.backend.engine.Engine.Issued;
import io.github.elbo4j.backend.engine.Engine.Space;
import io.github.elbo4j.backend.engine.Program;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** A recorded step as CUDA graphs: one of one step, and one of several for long runs, captured when first wanted. */
final class CudaProgram implements Program {
    /** Launches between two chances for other threads to enqueue. */
    private static final int BURST = 64;

    private final CudaEngine engine;
    private final CudaStepMemory state;
    private final Rows rows;
    private final List<CudaNode> nodes;
    private final List<CudaMemory> shadows;
    private final boolean selectsRows;
    private final int advances;
    private final String explanation;
    private final CudaEvent done;
    // Made once, so that a run of some rows allocates nothing.
    private final Supplier<Boolean> once = this::once;
    private long wanted;
    /** Whether the event stands behind every launch: a launch may succeed and marking its end fail. */
    private volatile boolean marked = true;

    private @Nullable CudaGraph one;
    private @Nullable CudaGraph several;

    private CudaProgram(
            CudaEngine engine,
            CudaStepMemory state,
            Rows rows,
            List<CudaNode> nodes,
            List<CudaMemory> shadows,
            List<Issued<CudaCommand>> calls,
            String explanation) {
        this.engine = engine;
        this.state = state;
        this.rows = rows;
        this.nodes = nodes;
        this.shadows = shadows;
        this.selectsRows = calls.stream().anyMatch(issued -> issued.call().selectsRows());
        this.advances =
                (int) calls.stream().filter(issued -> issued.call().advances()).count();
        this.explanation = explanation;
        this.done = CudaEvent.open(engine.context());
    }

    /** A program of calls; called inside the engine. */
    static CudaProgram make(
            CudaEngine engine, CudaStepMemory state, Rows rows, List<Issued<CudaCommand>> calls, Space space) {
        List<CudaFusion.Group> groups = CudaFusion.of(calls);
        List<CudaCommand> commands =
                groups.stream().map(CudaFusion.Group::command).toList();
        List<CudaNode> nodes = new ArrayList<>();
        CudaTape tape = CudaTape.recorded(engine, space, nodes::add, state.active(), commands);
        groups.forEach(group -> tape.issue(group.calls(), group.command()));
        tape.end();
        List<CudaMemory> shadows = commands.stream()
                .flatMap(command -> command.factors().stream())
                .map(CudaOperand::memory)
                .filter(memory -> memory.twin() != 0)
                .distinct()
                .toList();
        CudaProgram program =
                new CudaProgram(engine, state, rows, List.copyOf(nodes), shadows, calls, CudaFusion.explain(groups));
        try {
            program.warmUp();
            program.one = program.capture(1);
            return program;
        } catch (RuntimeException | Error e) {
            program.done.close();
            throw e;
        }
    }

    /**
     * Issues each shape of a product once on each branch that has it, into memory of its own: what cuBLAS loads or sets up
     * at the first call of a handle cannot be had in a capture.
     */
    private void warmUp() {
        Map<Product.Shape, Product> main = new HashMap<>();
        Map<Product.Shape, Product> side = new HashMap<>();
        for (CudaNode node : nodes) {
            if (node instanceof Product product) {
                (product.side() ? side : main).putIfAbsent(product.shape(), product);
            }
        }
        main.values().forEach(product -> warmUp(product, engine.capture().main()));
        side.values().forEach(product -> warmUp(product, engine.capture().side()));
    }

    /** Between what is enqueued already and what will be: graphs that run use the workspace of the lane as well. */
    private void warmUp(Product product, CudaLane lane) {
        long elements = (long) product.shape().m() * product.shape().n();
        CudaPool.Block target = engine.allocate("a first product", elements * Float.BYTES);
        try {
            CudaLanes lanes = engine.capture();
            lanes.fork().record(engine.stream());
            lane.stream().waitFor(lanes.fork());
            product.issue(lane, target.address());
            lanes.join().record(lane.stream());
            engine.stream().waitFor(lanes.join());
        } finally {
            engine.release(target);
        }
    }

    private CudaGraph capture(int steps) {
        CudaLanes lanes = engine.capture();
        return CudaGraph.capture(engine.context(), lanes.main().stream(), engine.stream(), () -> {
            for (int step = 0; step < steps; step++) {
                nodes.forEach(node -> node.issue(lanes));
            }
        });
    }

    @Override
    public void run(long times) {
        engine.inside(() -> activate(rows.capacity()));
        long left = times;
        while (left > 0) {
            long before = left;
            left = engine.inside(() -> burst(before, engine.stepsPerLaunch()));
        }
    }

    /** {@return the steps that are left after some launches} */
    private long burst(long times, int perLaunch) {
        engine.refresh(shadows);
        marked = false;
        long left = times;
        for (int launch = 0; launch < BURST && left > 0; launch++) {
            boolean many = perLaunch > 1 && left >= perLaunch;
            graph(many).launch();
            int steps = many ? perLaunch : 1;
            left -= steps;
            state.expect((long) steps * advances);
        }
        done.record(engine.stream());
        marked = true;
        return left;
    }

    private CudaGraph graph(boolean many) {
        CudaGraph graph = many ? several : one;
        if (graph == null) {
            graph = capture(many ? engine.stepsPerLaunch() : 1);
            if (many) {
                several = graph;
            } else {
                one = graph;
            }
        }
        return graph;
    }

    @Override
    public void runRows(long activeRows) {
        wanted = activeRows;
        engine.inside(once);
    }

    private Boolean once() {
        activate(wanted);
        burst(1, 1);
        return true;
    }

    private void activate(long activeRows) {
        if (selectsRows) {
            state.activeChanged();
        } else {
            state.activate(activeRows);
        }
    }

    @Override
    public void await() {
        if (marked) {
            done.synchronize();
        } else {
            engine.await();
        }
    }

    @Override
    public String explain() {
        long products = nodes.stream().filter(Product.class::isInstance).count();
        long kernels = nodes.stream().filter(Launch.class::isInstance).count();
        return explanation + "\n" + kernels + " kernels and " + products + " products a step, up to "
                + engine.stepsPerLaunch() + " steps a launch";
    }

    /** Waits for the last launch and no more than that: others may keep the stream busy. */
    private void settle() {
        try {
            await();
        } catch (RuntimeException e) {
            engine.stream().drain();
        }
    }

    @Override
    public void close() {
        settle();
        done.close();
        for (CudaGraph graph : new @Nullable CudaGraph[] {one, several}) {
            if (graph != null) {
                graph.close();
            }
        }
    }
}
