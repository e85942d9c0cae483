package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendException;
import io.github.elbo4j.backend.BackendInfo;
import io.github.elbo4j.backend.BackendMemoryException;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.KernelCall;
import io.github.elbo4j.backend.Kernels;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.engine.Engine;
import io.github.elbo4j.backend.engine.Issuer;
import io.github.elbo4j.backend.engine.Memory;
import io.github.elbo4j.backend.engine.Program;
import io.github.elbo4j.backend.engine.StepMemory;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * One device. Everything runs on one stream, so work of all threads takes effect in the order it was enqueued; a graph
 * spreads over two branches inside. The lock is held while kernels and graphs are enqueued or captured; copies, memory and
 * waiting go without it.
 */
final class CudaEngine implements Engine<CudaCommand> {
    /** Rows that fill the tiles of a product; cuBLAS chooses its kernel, and so the bits, by the number of rows. */
    private static final int ROW_BLOCK = 128;

    private static final Space NO_SPACE = (what, type, elements) -> {
        throw new IllegalStateException("a refreshed copy takes no memory, but '" + what + "' does");
    };

    private final CudaContext context;
    private final Precision precision;
    private final int stepsPerLaunch;
    // Fair: a long run gives it up between bursts of launches, and others shall get it then.
    private final ReentrantLock lock = new ReentrantLock(true);
    private final List<AutoCloseable> parts = new ArrayList<>();
    private final CudaStream stream;
    private final CudaPool pool;
    private final CudaStaging staging;
    private final CudaPinnedPool pinned;
    private final CudaModule module;
    private final CudaLanes eager;
    private final CudaLanes capture;

    /**
     * An engine on a device.
     *
     * @param device where it runs
     * @param precision of products
     * @param stepsPerLaunch training steps in one graph launch
     * @param pooled false to give every tensor an allocation of its own, so that tools see overruns
     */
    CudaEngine(CudaDevice device, Precision precision, int stepsPerLaunch, boolean pooled) {
        this.precision = precision;
        this.stepsPerLaunch = stepsPerLaunch;
        this.context = CudaContext.open(device);
        try {
            this.stream = part(CudaStream.open(context));
            this.pool = part(new CudaPool(context, stream, pooled));
            this.staging = part(new CudaStaging(context, stream));
            this.pinned = part(new CudaPinnedPool(context, stream));
            this.module = part(CudaModule.load(context));
            CudaEvent fork = part(CudaEvent.open(context));
            CudaEvent join = part(CudaEvent.open(context));
            CudaLane now = lane(stream);
            this.eager = new CudaLanes(now, now, fork, join);
            this.capture = new CudaLanes(
                    lane(part(CudaStream.open(context))), lane(part(CudaStream.open(context))), fork, join);
            // Closed first: nothing that is still running may lose its module or its memory.
            parts.add(stream::drain);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private <T extends AutoCloseable> T part(T made) {
        parts.add(made);
        return made;
    }

    private CudaLane lane(CudaStream on) {
        return new CudaLane(on, part(new CudaBlas(context, pool, on, precision)));
    }

    CudaContext context() {
        return context;
    }

    CudaDevice device() {
        return context.device();
    }

    Precision precision() {
        return precision;
    }

    int stepsPerLaunch() {
        return stepsPerLaunch;
    }

    CudaStream stream() {
        return stream;
    }

    CudaModule module() {
        return module;
    }

    CudaLanes eager() {
        return eager;
    }

    CudaLanes capture() {
        return capture;
    }

    /** Runs a body that enqueues work, one at a time. */
    void inside(Runnable body) {
        inside(() -> {
            body.run();
            return true;
        });
    }

    /** {@return what a body gives that enqueues work, one at a time; a body that was made before allocates nothing} */
    <T> T inside(Supplier<T> body) {
        lock.lock();
        try {
            return outside(body);
        } finally {
            lock.unlock();
        }
    }

    /**
     * {@return what a body gives that calls the driver}
     *
     * @throws BackendMemoryException if a call finds too little memory, which most of them may
     */
    <T> T outside(Supplier<T> body) {
        context.requireUsable();
        try {
            return body.get();
        } catch (CudaException e) {
            throw asAsked(e);
        }
    }

    /** {@return what callers are told of a failure: a lack of memory by its own type} */
    static BackendException asAsked(CudaException e) {
        return e.status().shortOfMemory() ? new BackendMemoryException(String.valueOf(e.getMessage()), e) : e;
    }

    /** Copies to the device after all work enqueued so far. */
    void upload(MemorySegment source, long address) {
        outside(() -> {
            staging.upload(source, address);
            return true;
        });
    }

    /** Copies from the device after all work enqueued so far, and waits. */
    void download(long address, MemorySegment target) {
        outside(() -> {
            staging.download(address, target);
            return true;
        });
    }

    /** {@return zeroed device memory outside of every workspace's budget} */
    CudaPool.Block allocate(String what, long bytes) {
        return outside(() -> pool.allocate(what, bytes));
    }

    /** Takes memory back that enqueued work may still use; on a device that is lost there is nothing left to free. */
    void release(CudaPool.Block block) {
        if (!context.lost()) {
            pool.free(block);
        }
    }

    @Override
    public BackendInfo info(long bytesInUse, long bytesPeak) {
        return new BackendInfo(
                "cuda",
                device().toString(),
                "cuda-" + precision.label() + "-sm" + device().major() + device().minor(),
                precision.productError(),
                ROW_BLOCK,
                0,
                bytesInUse,
                bytesPeak,
                pool.reservedBytes() + pinned.reservedBytes());
    }

    @Override
    public DType real() {
        return DType.F32;
    }

    @Override
    public Kernels kernels(Backend backend, Issuer<CudaCommand> issuer) {
        return new CudaKernels(backend, issuer);
    }

    @Override
    public long bytes(DType type, long elements, Use use) {
        return elements * (type.bytes() + (shadowed(use) ? DType.BF16.bytes() : 0L));
    }

    private boolean shadowed(Use use) {
        return use == Use.VALUES && precision == Precision.BF16;
    }

    @Override
    public Memory allocate(String what, DType type, long elements, Use use) {
        if (use == Use.STAGING) {
            return outside(() -> CudaPinnedMemory.allocate(this, pinned, elements * type.bytes()));
        }
        CudaPool.Block block = allocate(what, elements * type.bytes());
        CudaPool.@Nullable Block twin = null;
        try {
            twin = shadowed(use) ? allocate(what + " in bf16", elements * DType.BF16.bytes()) : null;
        } catch (RuntimeException e) {
            release(block);
            throw e;
        }
        return new CudaDeviceMemory(this, block, twin);
    }

    @Override
    public StepMemory stepMemory(long seed, int slots, int tableSteps, List<String> metrics) {
        return new CudaStepMemory(this, seed, slots, tableSteps, metrics);
    }

    /** Makes the bf16 copies of parameters current. */
    void refresh(List<CudaMemory> memories) {
        // By index: an iterator would be an allocation in every launch.
        for (int i = 0; i < memories.size(); i++) {
            CudaMemory memory = memories.get(i);
            if (memory.stale()) {
                // Before, so that what another thread uploads meanwhile is not taken for copied.
                memory.setStale(false);
                try {
                    CudaTape.eager(this, NO_SPACE, node -> node.issue(eager)).refresh(memory);
                } catch (RuntimeException e) {
                    memory.setStale(true);
                    throw e;
                }
            }
        }
    }

    @Override
    public void run(KernelCall call, CudaCommand command) {
        inside(() -> {
            List<Memory> temporaries = new ArrayList<>();
            Space space = (what, type, elements) -> {
                Memory memory = allocate(what, type, elements, Use.PLAIN);
                temporaries.add(memory);
                return memory;
            };
            try {
                refresh(command.factors().stream().map(CudaOperand::memory).toList());
                CudaTape.eager(this, space, node -> node.issue(eager)).issue(List.of(call), command);
                if (call.state() != null) {
                    CudaStepMemory state = CudaStepMemory.of(call.state());
                    state.expect(call.advances() ? 1 : 0);
                    if (call.selectsRows()) {
                        state.activeChanged();
                    }
                }
            } finally {
                temporaries.forEach(Memory::free);
            }
        });
    }

    @Override
    public Program program(StepMemory state, Rows rows, List<Issued<CudaCommand>> calls, Space space) {
        return inside(() -> CudaProgram.make(this, (CudaStepMemory) state, rows, calls, space));
    }

    /** Waits for everything enqueued so far, without keeping others from enqueuing. */
    void await() {
        CudaEvent here = inside(() -> {
            CudaEvent event = CudaEvent.open(context);
            try {
                event.record(stream);
                return event;
            } catch (RuntimeException e) {
                event.close();
                throw e;
            }
        });
        try {
            here.synchronize();
        } finally {
            here.close();
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            for (AutoCloseable part : parts.reversed()) {
                part.close();
            }
            context.close();
        } catch (Exception e) {
            throw new IllegalStateException("closing a part of the CUDA backend never throws", e);
        } finally {
            lock.unlock();
        }
    }
}
