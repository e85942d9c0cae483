package io.github.elbo4j.backend.engine;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Scratch;

/** An intermediate of a recording; open while the recording is made. */
final class EngineScratch implements Scratch {
    private final EngineRecording<?> recording;
    private final String name;
    private final DType type;
    private final long[] shape;
    private final Memory memory;

    EngineScratch(EngineRecording<?> recording, String name, DType type, long[] shape, Memory memory) {
        this.recording = recording;
        this.name = name;
        this.type = type;
        this.shape = shape.clone();
        this.memory = memory;
    }

    EngineRecording<?> recording() {
        return recording;
    }

    Memory memory() {
        return memory;
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

    @Override
    public Backend backend() {
        return recording.backend();
    }

    @Override
    public boolean isOpen() {
        return recording.isOpen();
    }
}
