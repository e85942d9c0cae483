package io.github.elbo4j.backend.engine;

import io.github.elbo4j.backend.BackendMemoryException;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Recording;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Staging;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A workspace; finds out when two threads use it at the same time. */
final class EngineWorkspace implements Workspace {
    private final EngineBackend<?> backend;
    private final String name;
    private final long byteBudget;
    // Who is inside, and in which call; two fields, so that entering allocates nothing.
    private final AtomicReference<@Nullable Thread> visitor = new AtomicReference<>();
    private volatile String visit = "";
    private final Set<EngineTensor> tensors = new HashSet<>();
    private final List<EngineParameters> parameters = new ArrayList<>();
    private final Set<EngineReplay> replays = new HashSet<>();
    private final List<EngineStepState> states = new ArrayList<>();
    private volatile boolean open = true;
    private long bytesInUse;

    EngineWorkspace(EngineBackend<?> backend, String name, long byteBudget) {
        this.backend = backend;
        this.name = name;
        this.byteBudget = byteBudget;
    }

    boolean isOpen() {
        return open;
    }

    /** Marks the workspace as used by this thread; throws if it is closed or another call is inside. */
    void enter(String call) {
        if (!enterIfOpen(call)) {
            throw new IllegalStateException(call + ": workspace '" + name + "' is closed");
        }
    }

    /** {@return false if the workspace is closed; otherwise as {@link #enter}} */
    boolean enterIfOpen(String call) {
        if (!open) {
            return false;
        }
        Thread other = visitor.compareAndExchange(null, Thread.currentThread());
        if (other != null) {
            throw new IllegalStateException(call + ": workspace '" + name + "' is in use by " + visit + " on thread '"
                    + other.getName() + "'; a workspace serves one call at a time");
        }
        visit = call;
        if (!open) {
            // Another thread closed it between the look and the entry.
            exit();
            return false;
        }
        return true;
    }

    void exit() {
        visitor.set(null);
    }

    /** Enters several workspaces, or none. */
    static void enterAll(List<EngineWorkspace> workspaces, String call) {
        // By index: iterators would be allocations in every run of a replay.
        for (int i = 0; i < workspaces.size(); i++) {
            try {
                workspaces.get(i).enter(call);
            } catch (IllegalStateException e) {
                exitAll(workspaces.subList(0, i));
                throw e;
            }
        }
    }

    /** Exits several workspaces. */
    static void exitAll(List<EngineWorkspace> workspaces) {
        for (int i = 0; i < workspaces.size(); i++) {
            workspaces.get(i).exit();
        }
    }

    @Override
    public EngineBackend<?> backend() {
        return backend;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public synchronized long bytesInUse() {
        return bytesInUse;
    }

    @Override
    public Tensor tensor(String tensorName, DType type, long... shape) {
        enter("tensor '" + tensorName + "'");
        try {
            return newTensor(tensorName, type, shape, Engine.Use.PLAIN, false);
        } finally {
            exit();
        }
    }

    @Override
    public Staging staging(String tensorName, DType type, long... shape) {
        enter("staging '" + tensorName + "'");
        try {
            Memory memory = allocate(tensorName, type, elements(tensorName, shape), Engine.Use.STAGING);
            EngineStaging staging = new EngineStaging(this, tensorName, type, shape, memory);
            tensors.add(staging);
            return staging;
        } finally {
            exit();
        }
    }

    /** {@return one part of a parameter arena; called from within {@link #parameters}} */
    EngineTensor arena(String part, long elements, Engine.Use use) {
        return newTensor(part, backend.real(), new long[] {elements}, use, true);
    }

    private EngineTensor newTensor(
            String tensorName, DType type, long[] shape, Engine.Use use, boolean ownedByParameters) {
        Memory memory = allocate(tensorName, type, elements(tensorName, shape), use);
        EngineTensor tensor = new EngineTensor(this, tensorName, type, shape, memory, ownedByParameters);
        tensors.add(tensor);
        return tensor;
    }

    Memory allocate(String what, DType type, long elements, Engine.Use use) {
        if (elements > Long.MAX_VALUE / (2L * type.bytes())
                || backend.engine().bytes(type, elements, use) > byteBudget - bytesInUse()) {
            throw new BackendMemoryException("'" + what + "': " + elements + " elements of " + type
                    + " exceed the budget of workspace '" + name + "', " + bytesInUse() + " of " + byteBudget
                    + " bytes used; raise the budget, or use a smaller batch or model");
        }
        Memory memory = backend.engine().allocate("'" + what + "'", type, elements, use);
        account(memory.bytes());
        return memory;
    }

    /** Frees memory that {@link #allocate} gave. */
    void free(Memory memory) {
        account(-memory.bytes());
        memory.free();
    }

    private synchronized void account(long bytes) {
        bytesInUse += bytes;
        backend.allocated(bytes);
    }

    @Override
    public Parameters parameters(List<Parameters.Spec> specs, int moments) {
        enter("parameters");
        Set<EngineTensor> before = Set.copyOf(tensors);
        try {
            EngineParameters made = new EngineParameters(this, specs, moments);
            parameters.add(made);
            return made;
        } catch (RuntimeException | Error e) {
            for (EngineTensor tensor : List.copyOf(tensors)) {
                if (!before.contains(tensor)) {
                    drop(tensor);
                }
            }
            throw e;
        } finally {
            exit();
        }
    }

    /** Packed copies of parameters are stale if this tensor holds their values. */
    void valuesChanged(EngineTensor tensor) {
        for (EngineParameters candidate : parameters) {
            if (candidate.values() == tensor) {
                candidate.valuesChanged();
            }
        }
    }

    @Override
    public StepState stepState(long seed, List<String> slots, int tableSteps, List<String> metrics) {
        enter("stepState");
        try {
            EngineStepState state = new EngineStepState(this, seed, slots, tableSteps, metrics);
            states.add(state);
            return state;
        } finally {
            exit();
        }
    }

    @Override
    public Replay record(StepState state, Rows rows, Consumer<Recording> step) {
        if (!(state instanceof EngineStepState own) || own.workspace() != this) {
            throw new IllegalArgumentException(
                    "record: the step state belongs to another workspace than '" + name + "'");
        }
        if (rows.fold() != 1) {
            throw new IllegalArgumentException("record: takes rows that are not folded, but got " + rows);
        }
        enter("record");
        try {
            EngineRecording<?> recording = backend.recording(this, own, rows);
            try {
                step.accept(recording);
                EngineReplay replay = recording.finish();
                replays.add(replay);
                return replay;
            } catch (RuntimeException | Error e) {
                recording.abandon();
                throw e;
            }
        } finally {
            exit();
        }
    }

    void release(EngineTensor tensor) {
        if (!enterIfOpen("close of '" + tensor.name() + "'")) {
            return;
        }
        try {
            if (tensor.retire()) {
                drop(tensor);
            }
        } finally {
            exit();
        }
    }

    void forget(EngineReplay replay) {
        replays.remove(replay);
    }

    private void drop(EngineTensor tensor) {
        tensors.remove(tensor);
        account(-tensor.memory().bytes());
        tensor.free();
    }

    @Override
    public void close() {
        if (!enterIfOpen("close")) {
            return;
        }
        try {
            retireAll();
            disposeReplays();
            freeAll();
        } finally {
            exit();
        }
    }

    /** Closes every tensor to new users, or none if a replay of another workspace uses one. */
    private void retireAll() {
        List<EngineTensor> retired = new ArrayList<>();
        for (EngineTensor tensor : tensors) {
            if (!tensor.retireUnlessUsedElsewhere()) {
                retired.forEach(EngineTensor::revive);
                throw new IllegalStateException("close: tensor '" + tensor.name() + "' of workspace '" + name
                        + "' is used by an open replay of another workspace; close that one first");
            }
            retired.add(tensor);
        }
    }

    /** Closes the replays, within a call that holds the workspace. */
    void disposeReplays() {
        List.copyOf(replays).forEach(EngineReplay::dispose);
    }

    /** Frees everything but replays, within a call that holds the workspace. */
    void freeAll() {
        open = false;
        List.copyOf(tensors).forEach(this::drop);
        states.forEach(state -> state.memory().free());
        backend.freed(this);
    }

    static long elements(String what, long[] shape) {
        long elements = 1;
        for (long extent : shape) {
            if (extent < 1 || elements > Long.MAX_VALUE / extent) {
                throw new IllegalArgumentException("'" + what + "': shape " + java.util.Arrays.toString(shape)
                        + " must have positive extents and fewer than 2^63 elements");
            }
            elements *= extent;
        }
        return elements;
    }
}
