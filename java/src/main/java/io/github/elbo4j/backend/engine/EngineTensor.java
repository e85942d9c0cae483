package io.github.elbo4j.backend.engine;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.View;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A tensor with the pins of the replays that use it. */
sealed class EngineTensor implements Tensor permits EngineStaging {
    private final EngineWorkspace workspace;
    private final String name;
    private final DType type;
    private final long[] shape;
    private final long rows;
    private final long columns;
    private final Memory memory;
    private final boolean ownedByParameters;
    private int pins;
    private int foreignPins;
    private boolean open = true;

    EngineTensor(
            EngineWorkspace workspace,
            String name,
            DType type,
            long[] shape,
            Memory memory,
            boolean ownedByParameters) {
        this.workspace = workspace;
        this.name = name;
        this.type = type;
        this.shape = shape.clone();
        this.rows = Tensor.super.rows();
        this.columns = Tensor.super.columns();
        this.memory = memory;
        this.ownedByParameters = ownedByParameters;
    }

    EngineWorkspace workspace() {
        return workspace;
    }

    Memory memory() {
        return memory;
    }

    /** {@return whether it is part of a parameter arena} */
    boolean ownedByParameters() {
        return ownedByParameters;
    }

    /** Counts a user of this tensor: a replay of a workspace, or a call that runs at once, which has none. */
    synchronized void pin(@Nullable EngineWorkspace user) {
        if (!open) {
            throw new IllegalStateException("tensor '" + name + "' is closed");
        }
        pins++;
        foreignPins += user == workspace ? 0 : 1;
    }

    synchronized void unpin(@Nullable EngineWorkspace user) {
        pins--;
        foreignPins -= user == workspace ? 0 : 1;
    }

    /** Closes to new users and says true, unless a replay of another workspace uses this tensor. */
    synchronized boolean retireUnlessUsedElsewhere() {
        if (foreignPins > 0) {
            return false;
        }
        open = false;
        return true;
    }

    /** Takes {@link #retireUnlessUsedElsewhere} back. */
    synchronized void revive() {
        open = true;
    }

    /** Notes that a kernel wrote to it. */
    void changed() {
        workspace.valuesChanged(this);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public DType type() {
        return type;
    }

    @Override
    public long[] shape() {
        return shape.clone();
    }

    // Both without a copy of the shape, for those who ask in every call.
    @Override
    public long rows() {
        return rows;
    }

    @Override
    public long columns() {
        return columns;
    }

    @Override
    public Backend backend() {
        return workspace.backend();
    }

    @Override
    public synchronized boolean isOpen() {
        return open;
    }

    @Override
    public void upload(MemorySegment source, long elementOffset) {
        long offset = byteOffset("upload", source, elementOffset);
        workspace.enter("upload to '" + name + "'");
        try {
            requireOpen("upload");
            memory.upload(source, offset);
            workspace.valuesChanged(this);
        } finally {
            workspace.exit();
        }
    }

    @Override
    public void download(MemorySegment target, long elementOffset) {
        long offset = byteOffset("download", target, elementOffset);
        if (target.isReadOnly()) {
            throw new IllegalArgumentException("download of '" + name + "': the target segment is read-only");
        }
        workspace.enter("download of '" + name + "'");
        try {
            requireOpen("download");
            memory.download(target, offset);
        } finally {
            workspace.exit();
        }
    }

    private void requireOpen(String what) {
        if (!isOpen()) {
            throw new IllegalStateException(what + ": tensor '" + name + "' is closed");
        }
    }

    private long byteOffset(String what, MemorySegment host, long elementOffset) {
        requireOpen(what);
        long elements = host.byteSize() / type.bytes();
        if (host.byteSize() % type.bytes() != 0
                || elementOffset < 0
                || elementOffset > size()
                || elements > size() - elementOffset) {
            throw new IllegalArgumentException(what + ": " + host.byteSize() + " bytes at element " + elementOffset
                    + " do not fit tensor '" + name + "' of " + size() + " elements of " + type);
        }
        return elementOffset * type.bytes();
    }

    @Override
    public View view(String viewName, long elementOffset, long... viewShape) {
        long elements = EngineWorkspace.elements(viewName, viewShape);
        if (elementOffset < 0
                || elementOffset > size() - elements
                || elementOffset * type.bytes() % VIEW_ALIGNMENT != 0) {
            throw new IllegalArgumentException("view '" + viewName + "' of " + elements + " elements at "
                    + elementOffset
                    + " must lie in tensor '" + name + "' of " + size() + " elements and begin at a multiple of "
                    + VIEW_ALIGNMENT + " bytes");
        }
        return new EngineView(this, viewName, elementOffset, viewShape);
    }

    @Override
    public void close() {
        if (ownedByParameters && workspace.isOpen()) {
            throw new IllegalStateException(
                    "'" + name + "' belongs to parameters, which live as long as workspace '" + workspace.name() + "'");
        }
        if (isOpen()) {
            // Marks it closed once the workspace is held, so that a refused close changes nothing.
            workspace.release(this);
        }
    }

    /** {@return whether this call closed it: false if it was closed before; refused while a replay uses it} */
    synchronized boolean retire() {
        if (pins > 0) {
            throw new IllegalStateException("tensor '" + name
                    + "' is used by an open replay, or by a call on another thread; close the replay first");
        }
        boolean first = open;
        open = false;
        return first;
    }

    /** Frees without asking: the workspace is being closed and its replays with it. */
    void free() {
        synchronized (this) {
            open = false;
        }
        memory.free();
    }

    @Override
    public String toString() {
        return io.github.elbo4j.backend.KernelCall.describe(this);
    }
}
