package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.engine.Memory;

/** Memory of one tensor that kernels reach by its address. */
abstract sealed class CudaMemory implements Memory permits CudaDeviceMemory, CudaPinnedMemory {
    /** {@return the address of the first element} */
    abstract long address();

    /** {@return the bytes of the elements} */
    abstract long elementBytes();

    /** {@return the address of the first element's copy in bf16, 0 if there is none} */
    long twin() {
        return 0;
    }

    /** {@return all elements of memory that has a twin} */
    CudaOperand values() {
        return new CudaOperand(this, 0, 1, elementBytes() / Float.BYTES, DType.F32);
    }

    /** {@return whether there is a twin that does not hold the present elements} */
    boolean stale() {
        return false;
    }

    /** Says whether the twin, if there is one, holds the present elements. */
    void setStale(boolean now) {}
}
