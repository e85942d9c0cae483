package io.github.elbo4j.backend.engine;

import java.lang.foreign.MemorySegment;

/** The memory of one tensor or intermediate. */
public interface Memory {
    /** {@return the bytes that it takes, what an engine keeps beside the elements included} */
    long bytes();

    /** Overwrites bytes after all work of this thread, and returns when the source may be changed. */
    void upload(MemorySegment source, long byteOffset);

    /** Copies bytes to the host after all work of this thread. */
    void download(MemorySegment target, long byteOffset);

    /** {@return the elements of memory for staging; accesses after it was freed do no harm} */
    MemorySegment host();

    /** Frees it, once; work that uses it may still be enqueued. Never throws. */
    void free();
}
