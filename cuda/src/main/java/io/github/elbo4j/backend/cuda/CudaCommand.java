package io.github.elbo4j.backend.cuda;

import java.util.List;

/** A kernel call bound to device memory. */
interface CudaCommand {
    /** Puts its kernels and products on a tape. */
    void issue(CudaTape tape);

    /**
     * {@return how many of its calls run on the first branch; the others go to the second, from where the command forks}
     *
     * @param calls how many it stands for
     */
    default int onMain(int calls) {
        return calls;
    }

    /** {@return the factors of its product, if it has one} */
    default List<CudaOperand> factors() {
        return List.of();
    }
}
