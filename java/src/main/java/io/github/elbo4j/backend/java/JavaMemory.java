package io.github.elbo4j.backend.java;

import io.github.elbo4j.backend.BackendMemoryException;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.engine.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Elements of one tensor: an array for the types that kernels compute with, so that their loops read as plain Java, and a
 * native segment for the others, whose tensors (data sets) may exceed what an array holds.
 */
final class JavaMemory implements Memory {
    static final long MAX_ARRAY = Integer.MAX_VALUE - 8;

    private final MemorySegment segment;
    private final @Nullable Arena arena;

    JavaMemory(DType type, long elements, String what) {
        boolean inArray = type == DType.F32 || type == DType.F64 || type == DType.I64;
        if (inArray && elements > MAX_ARRAY) {
            throw new BackendMemoryException(what + ": the Java backend holds at most " + MAX_ARRAY + " elements of "
                    + type + " in one tensor; use fewer rows or a smaller layer");
        }
        // To close a shared arena every thread is asked; arrays need none.
        Arena shared = inArray ? null : Arena.ofShared();
        this.arena = shared;
        try {
            this.segment = switch (type) {
                case F32 -> MemorySegment.ofArray(new float[(int) elements]);
                case F64 -> MemorySegment.ofArray(new double[(int) elements]);
                case I64 -> MemorySegment.ofArray(new long[(int) elements]);
                case BF16, U8, I32 ->
                    Objects.requireNonNull(shared).allocate(Math.multiplyExact(elements, type.bytes()), type.bytes());
            };
        } catch (OutOfMemoryError e) {
            free();
            throw new BackendMemoryException(
                    what + ": the JVM has no memory for " + elements + " elements of " + type
                            + "; raise -Xmx (arrays) or -XX:MaxDirectMemorySize, or use a smaller batch or model",
                    e);
        }
    }

    MemorySegment segment() {
        return segment;
    }

    float[] f32() {
        return (float[]) segment.heapBase().orElseThrow();
    }

    double[] f64() {
        return (double[]) segment.heapBase().orElseThrow();
    }

    long[] i64() {
        return (long[]) segment.heapBase().orElseThrow();
    }

    @Override
    public long bytes() {
        return segment.byteSize();
    }

    @Override
    public void upload(MemorySegment source, long byteOffset) {
        MemorySegment.copy(source, 0, segment, byteOffset, source.byteSize());
    }

    @Override
    public void download(MemorySegment target, long byteOffset) {
        MemorySegment.copy(segment, byteOffset, target, 0, target.byteSize());
    }

    @Override
    public MemorySegment host() {
        return segment;
    }

    @Override
    public void free() {
        if (arena != null) {
            arena.close();
        }
    }
}
