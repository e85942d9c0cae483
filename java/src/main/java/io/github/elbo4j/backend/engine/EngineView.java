package io.github.elbo4j.backend.engine;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.View;

/** A window on a tensor. */
final class EngineView implements View {
    private final EngineTensor tensor;
    private final String name;
    private final long offset;
    private final long[] shape;

    EngineView(EngineTensor tensor, String name, long offset, long[] shape) {
        this.tensor = tensor;
        this.name = name;
        this.offset = offset;
        this.shape = shape.clone();
    }

    @Override
    public EngineTensor tensor() {
        return tensor;
    }

    @Override
    public long offset() {
        return offset;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public DType type() {
        return tensor.type();
    }

    @Override
    public long[] shape() {
        return shape.clone();
    }

    @Override
    public Backend backend() {
        return tensor.backend();
    }

    @Override
    public boolean isOpen() {
        return tensor.isOpen();
    }
}
