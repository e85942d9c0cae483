package io.github.elbo4j.backend.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.locks.ReentrantLock;
import jcuda.driver.JCudaDriver;

/**
 * Copies between the host and the device through two pinned buffers: while the device copies one, the host fills or empties
 * the other. A caller's memory is only ever touched by Java, so it may lie on the heap.
 *
 * <p>Safe for any number of threads; copies take turns.
 */
final class CudaStaging implements AutoCloseable {
    /** Bytes of a buffer. */
    static final long BUFFER = 4L << 20;

    /** A pinned buffer and the end of its latest copy. */
    private record Buffer(CudaPinned pinned, MemorySegment memory, CudaEvent copied) {
        HostPointer pointer() {
            return pinned.pointer();
        }
    }

    private final CudaContext context;
    private final CudaStream stream;
    private final ReentrantLock lock = new ReentrantLock();
    private final Buffer[] buffers = new Buffer[2];
    private int turn;
    private boolean closed;

    /** Pins the buffers. */
    CudaStaging(CudaContext context, CudaStream stream) {
        this.context = context;
        this.stream = stream;
        try {
            for (int i = 0; i < buffers.length; i++) {
                buffers[i] = pin();
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private Buffer pin() {
        CudaPinned pinned = CudaPinned.allocate(context, BUFFER);
        try {
            return new Buffer(pinned, pinned.memory(BUFFER, Arena.global()), CudaEvent.open(context));
        } catch (RuntimeException e) {
            pinned.close();
            throw e;
        }
    }

    /**
     * Copies to the device, in the stream's order; returns when the source may be changed.
     *
     * @param source on the heap or not, of any alignment
     * @param deviceAddress where it goes
     */
    void upload(MemorySegment source, long deviceAddress) {
        lock.lock();
        try {
            requireOpen();
            long bytes = source.byteSize();
            for (long from = 0; from < bytes; from += BUFFER) {
                long count = Math.min(BUFFER, bytes - from);
                // In turns over all uploads, so that a small one seldom waits for the one before it.
                Buffer buffer = buffers[turn];
                turn = 1 - turn;
                buffer.copied.synchronize();
                MemorySegment.copy(source, from, buffer.memory(), 0, count);
                DevicePointer to = new DevicePointer(deviceAddress + from);
                context.run(
                        "cuMemcpyHtoDAsync of " + count + " bytes",
                        () -> JCudaDriver.cuMemcpyHtoDAsync(to, buffer.pointer(), count, stream.handle()));
                buffer.copied.record(stream);
            }
        } catch (RuntimeException e) {
            settle();
            throw e;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Copies from the device once everything before it in the stream is done, and waits.
     *
     * @param deviceAddress where it comes from
     * @param target on the heap or not, of any alignment
     */
    void download(long deviceAddress, MemorySegment target) {
        lock.lock();
        try {
            requireOpen();
            if (target.isReadOnly()) {
                throw new IllegalArgumentException("the target of a download is read-only");
            }
            long bytes = target.byteSize();
            long chunks = Math.ceilDiv(bytes, BUFFER);
            for (long chunk = 0; chunk < chunks + 1; chunk++) {
                // One copy is always under way while the one before it is emptied.
                if (chunk < chunks) {
                    fetch(buffers[(int) (chunk % buffers.length)], deviceAddress, chunk, bytes);
                }
                if (chunk > 0) {
                    Buffer done = buffers[(int) ((chunk - 1) % buffers.length)];
                    long from = (chunk - 1) * BUFFER;
                    done.copied.synchronize();
                    MemorySegment.copy(done.memory(), 0, target, from, Math.min(BUFFER, bytes - from));
                }
            }
        } catch (RuntimeException e) {
            settle();
            throw e;
        } finally {
            lock.unlock();
        }
    }

    private void fetch(Buffer buffer, long deviceAddress, long chunk, long bytes) {
        long from = chunk * BUFFER;
        long count = Math.min(BUFFER, bytes - from);
        DevicePointer source = new DevicePointer(deviceAddress + from);
        context.run(
                "cuMemcpyDtoHAsync of " + count + " bytes",
                () -> JCudaDriver.cuMemcpyDtoHAsync(buffer.pointer(), source, count, stream.handle()));
        buffer.copied.record(stream);
    }

    /** A copy may have been issued whose end no event marks: it must not meet the next one in its buffer. */
    private void settle() {
        stream.drain();
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("the CUDA backend on " + context.device() + " is closed");
        }
    }

    /** Waits for copies under way and frees the buffers; never throws. */
    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            context.release("cuStreamSynchronize", () -> JCudaDriver.cuStreamSynchronize(stream.handle()));
            for (Buffer buffer : buffers) {
                if (buffer != null) {
                    buffer.copied.close();
                    buffer.pinned.close();
                }
            }
        } finally {
            lock.unlock();
        }
    }
}
