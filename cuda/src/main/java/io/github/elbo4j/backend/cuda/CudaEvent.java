package io.github.elbo4j.backend.cuda;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntSupplier;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/** A mark in a stream, to wait for and to take the time at. */
final class CudaEvent implements AutoCloseable {
    private final CudaContext context;
    private final CUevent handle;
    private final IntSupplier synchronize;
    private final AtomicBoolean closed = new AtomicBoolean();
    private volatile @Nullable Mark mark;

    /** A recording on one stream, made once, so that the next ones allocate nothing. */
    private record Mark(CudaStream stream, IntSupplier record) {}

    private CudaEvent(CudaContext context, CUevent handle) {
        this.context = context;
        this.handle = handle;
        this.synchronize = () -> JCudaDriver.cuEventSynchronize(handle);
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
        Mark known = mark;
        if (known == null || known.stream() != stream) {
            known = new Mark(stream, () -> JCudaDriver.cuEventRecord(handle, stream.handle()));
            mark = known;
        }
        context.run("cuEventRecord", known.record());
    }

    /** Waits until the stream has come to the mark. */
    void synchronize() {
        context.run("cuEventSynchronize", synchronize);
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
