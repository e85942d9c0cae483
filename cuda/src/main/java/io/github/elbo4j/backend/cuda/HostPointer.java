package io.github.elbo4j.backend.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.Pointer;

/** An address outside of the Java heap: the only kind of host memory that a call may be given, as nothing moves it. */
final class HostPointer extends Pointer {
    /** Null, for a call that fills it in. */
    HostPointer() {}

    HostPointer(long address) {
        super(address);
    }

    /** The address of a native segment, which the caller keeps alive. */
    static HostPointer of(MemorySegment segment) {
        if (!segment.isNative()) {
            throw new IllegalArgumentException("a segment on the Java heap has no address to give away");
        }
        return new HostPointer(segment.address());
    }

    /** {@return the address} */
    long address() {
        return getNativePointer() + getByteOffset();
    }
}
