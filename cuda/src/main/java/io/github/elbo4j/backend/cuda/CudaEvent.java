package io.github.elbo4j.backend.cuda;

import java.util.concurrent.atomic.AtomicBoolean;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.JCudaDriver;

/** A mark in a stream, to wait for and to take the time at. */
final class CudaEvent implements AutoCloseable {
    private final CudaContext context;
    private final CUevent handle;
    private final AtomicBoolean closed = new AtomicBoolean();

    private CudaEvent(CudaContext context, CUevent handle) {
        this.context = context;
        this.handle = handle;
    }

    /** Makes an event that nothing has recorded yet: waiting for it ends at once. */
    static CudaEvent open(CudaContext context) {
        CUevent handle = new CUevent();
        context.run("cuEventCreate", () -> JCudaDriver.cuEventCreate(handle, CUevent_flags.CU_EVENT_DEFAULT));
        return new CudaEvent(context, handle);
    }

    /** {@return the driver's handle} */
    CUevent handle() {
        return handle;
    }

    /** Marks where a stream is now. */
    void record(CudaStream stream) {
        context.run("cuEventRecord", () -> JCudaDriver.cuEventRecord(handle, stream.handle()));
    }

    /** Waits until the stream has come to the mark. */
    void synchronize() {
        context.run("cuEventSynchronize", () -> JCudaDriver.cuEventSynchronize(handle));
    }

    /** {@return milliseconds on the device from another mark to this one; both must have been reached} */
    double millisSince(CudaEvent start) {
        float[] millis = new float[1];
        context.run("cuEventElapsedTime", () -> JCudaDriver.cuEventElapsedTime(millis, start.handle, handle));
        return millis[0];
    }

    /** Destroys it; never throws. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            context.release("cuEventDestroy", () -> JCudaDriver.cuEventDestroy(handle));
        }
    }
}
