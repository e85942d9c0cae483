package io.github.elbo4j.backend.cuda;

import java.util.concurrent.atomic.AtomicBoolean;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/** A queue of work on the device, independent of the legacy stream that others in the process may use. */
final class CudaStream implements AutoCloseable {
    private final CudaContext context;
    private final CUstream handle;
    private final AtomicBoolean closed = new AtomicBoolean();

    private CudaStream(CudaContext context, CUstream handle) {
        this.context = context;
        this.handle = handle;
    }

    /** Makes a stream. */
    static CudaStream open(CudaContext context) {
        CUstream handle = new CUstream();
        context.run("cuStreamCreate", () -> JCudaDriver.cuStreamCreate(handle, CUstream_flags.CU_STREAM_NON_BLOCKING));
        return new CudaStream(context, handle);
    }

    /** {@return the driver's handle} */
    CUstream handle() {
        return handle;
    }

    /** Waits for everything issued so far; failures of kernels come out here. */
    void synchronize() {
        context.run("cuStreamSynchronize", () -> JCudaDriver.cuStreamSynchronize(handle));
    }

    /** Makes what is issued from here on wait for an event. */
    void waitFor(CudaEvent event) {
        context.run("cuStreamWaitEvent", () -> JCudaDriver.cuStreamWaitEvent(handle, event.handle(), 0));
    }

    /** Destroys it once its work is done; never throws. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            context.release("cuStreamDestroy", () -> JCudaDriver.cuStreamDestroy(handle));
        }
    }
}
