package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.BackendMemoryException;
import io.github.elbo4j.backend.engine.Memory;
import java.lang.foreign.MemorySegment;

/** Elements that stay where they are, so that programs know them by their address. */
class NativeMemory implements Memory {
    private final MemorySegment elements;

    /** Memory of these elements. */
    NativeMemory(MemorySegment elements) {
        this.elements = elements;
    }

    /** {@return memory of zeros from the library} */
    static NativeMemory allocate(String what, long bytes) {
        return new NativeMemory(block(what, bytes));
    }

    /**
     * {@return zeroed bytes from the library, aligned to 64; nobody notices when they are freed}
     *
     * @throws BackendMemoryException if there are not so many
     */
    static MemorySegment block(String what, long bytes) {
        long address = SystemMemory.has(bytes) ? NativeLibrary.allocate(bytes) : 0;
        if (address == 0) {
            throw new BackendMemoryException(what + ": the system has no memory for " + bytes
                    + " bytes; use a smaller batch or model, or a machine with more memory");
        }
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    /** {@return where the first element lies} */
    final long address() {
        return elements.address();
    }

    /** {@return the elements} */
    final MemorySegment elements() {
        return elements;
    }

    @Override
    public long bytes() {
        return elements.byteSize();
    }

    @Override
    public void upload(MemorySegment source, long byteOffset) {
        MemorySegment.copy(source, 0, elements, byteOffset, source.byteSize());
    }

    @Override
    public void download(MemorySegment target, long byteOffset) {
        MemorySegment.copy(elements, byteOffset, target, 0, target.byteSize());
    }

    @Override
    public MemorySegment host() {
        throw new IllegalStateException("only memory for staging shows its elements");
    }

    @Override
    public void free() {
        NativeLibrary.free(address());
    }
}
