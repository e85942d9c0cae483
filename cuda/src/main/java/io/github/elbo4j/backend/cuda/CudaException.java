package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.BackendException;
import java.io.Serial;

/** A call of the CUDA driver or of cuBLAS that did not succeed. */
final class CudaException extends BackendException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final transient CudaStatus status;

    /**
     * A failed call.
     *
     * @param call the function, {@code cuMemAlloc} for one, with whatever tells this call from others
     * @param status what it returned
     */
    CudaException(String call, CudaStatus status) {
        super(call + " failed with " + status.name() + " (" + status.code() + "): " + status.meaning() + "; "
                + status.remedy());
        this.status = status;
    }

    /** {@return what the call returned} */
    CudaStatus status() {
        return status;
    }
}
