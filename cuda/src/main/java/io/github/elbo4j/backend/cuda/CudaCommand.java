package io.github.elbo4j.backend.cuda;

import java.util.List;

/** A kernel call bound to device memory. */
interface CudaCommand {
    /** Puts its kernels and products on a tape. */
    void issue(CudaTape tape);

    /** {@return whether it goes to the second branch: nothing but the end of the step waits for it} */
    default boolean side() {
        return false;
    }

    /** {@return the factors of its product, if it has one} */
    default List<CudaOperand> factors() {
        return List.of();
    }
}
