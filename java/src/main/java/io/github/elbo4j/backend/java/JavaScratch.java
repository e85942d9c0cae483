package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Scratch;

/** An intermediate of a recording; open while the recording is made. */
final class JavaScratch implements Scratch {
    private final JavaRecording recording;
    private final String name;
    private final DType type;
    private final long[] shape;
    private final JavaMemory memory;

    JavaScratch(JavaRecording recording, String name, DType type, long[] shape, JavaMemory memory) {
        this.recording = recording;
        this.name = name;
        this.type = type;
        this.shape = shape.clone();
        this.memory = memory;
    }

    JavaRecording recording() {
        return recording;
    }

    JavaMemory memory() {
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
        return recording.workspace().backend();
    }

    @Override
    public boolean isOpen() {
        return recording.isOpen();
    }
}
