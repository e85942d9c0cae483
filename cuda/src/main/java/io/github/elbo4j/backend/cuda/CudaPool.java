package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.BackendMemoryException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * Device memory of a backend. Everything that uses it runs on one stream, so a block that was freed may be handed out at
 * once: the stream's order keeps its old use before its new one.
 *
 * <p>Unpooled, each block is an allocation of the driver to the byte, so that what runs over its end is found out by the
 * emulated device and by compute-sanitizer.
 *
 * <p>Safe for any number of threads.
 */
final class CudaPool implements AutoCloseable {
    /**
     * A piece of device memory.
     *
     * @param address where it begins: a multiple of 256 when pooled, and on every real device
     * @param bytes its size as asked for
     * @param serial which allocation it was, so that one that was freed is told from another at the same place
     */
    record Block(long address, long bytes, long serial) {}

    private final CudaContext context;
    private final CudaStream stream;
    private final boolean pooled;
    private final ReentrantLock lock = new ReentrantLock();
    private final BlockAllocator allocator;
    private final Map<Long, Block> live = new HashMap<>();
    private long unpooledBytes;
    private long serial;
    private boolean closed;

    /**
     * A pool that holds nothing yet.
     *
     * @param stream the one stream that uses its blocks
     * @param pooled whether blocks are cut out of chunks
     */
    CudaPool(CudaContext context, CudaStream stream, boolean pooled) {
        this.context = context;
        this.stream = stream;
        this.pooled = pooled;
        this.allocator = new BlockAllocator(new DriverChunks());
    }

    /** Chunks of the driver. */
    private final class DriverChunks implements BlockAllocator.Chunks {
        @Override
        public long take(long bytes) {
            return takeFromDriver(bytes);
        }

        @Override
        public void give(long address) {
            giveToDriver(address);
        }
    }

    /**
     * Takes a block and zeroes it on the stream.
     *
     * @param what what it is for, in words
     * @param bytes its size, at least 1
     * @throws BackendMemoryException if the device has no room; nothing has changed then
     */
    Block allocate(String what, long bytes) {
        if (bytes < 1) {
            throw new IllegalArgumentException(what + ": a block of " + bytes + " bytes");
        }
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("the memory of the CUDA backend on " + context.device() + " is closed");
            }
            context.requireUsable();
            long address = take(bytes);
            if (address == 0 && allocator.trim()) {
                address = take(bytes);
            }
            if (address == 0) {
                throw noRoom(what, bytes);
            }
            zero(what, address, bytes);
            Block block = new Block(address, bytes, serial++);
            live.put(address, block);
            return block;
        } finally {
            lock.unlock();
        }
    }

    private long take(long bytes) {
        if (pooled) {
            return allocator.allocate(bytes);
        }
        long address = takeFromDriver(bytes);
        unpooledBytes += address == 0 ? 0 : bytes;
        return address;
    }

    private void zero(String what, long address, long bytes) {
        try {
            context.run(
                    "cuMemsetD8Async for " + what,
                    () -> JCudaDriver.cuMemsetD8Async(new DevicePointer(address), (byte) 0, bytes, stream.handle()));
        } catch (RuntimeException e) {
            giveBack(address, bytes);
            throw e;
        }
    }

    private void giveBack(long address, long bytes) {
        if (pooled) {
            allocator.free(address);
        } else {
            unpooledBytes -= bytes;
            giveToDriver(address);
        }
    }

    /**
     * Takes a block back. What the stream has been given before may still use it.
     *
     * @throws IllegalStateException if it was freed before, or is another pool's
     */
    void free(Block block) {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            if (!live.remove(block.address(), block)) {
                throw new IllegalStateException(block + " is not in use: it was freed before, or is another pool's");
            }
            giveBack(block.address(), block.bytes());
        } finally {
            lock.unlock();
        }
    }

    /** {@return bytes held from the driver} */
    long reservedBytes() {
        lock.lock();
        try {
            return pooled ? allocator.reservedBytes() : unpooledBytes;
        } finally {
            lock.unlock();
        }
    }

    private long takeFromDriver(long bytes) {
        DevicePointer pointer = new DevicePointer();
        context.enter();
        try {
            int status = CudaCalls.driver(() -> JCudaDriver.cuMemAlloc(pointer, bytes));
            if (status == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
                return 0;
            }
            context.check("cuMemAlloc of " + bytes + " bytes", status);
            return pointer.address();
        } finally {
            context.exit();
        }
    }

    private void giveToDriver(long address) {
        // The driver does not ask whether a stream still uses it.
        context.release("cuStreamSynchronize", () -> JCudaDriver.cuStreamSynchronize(stream.handle()));
        context.release("cuMemFree", () -> JCudaDriver.cuMemFree(new DevicePointer(address)));
    }

    private BackendMemoryException noRoom(String what, long bytes) {
        long[] free = new long[1];
        long[] total = new long[1];
        context.run("cuMemGetInfo", () -> JCudaDriver.cuMemGetInfo(free, total));
        CudaStatus status = CudaStatus.driver(CUresult.CUDA_ERROR_OUT_OF_MEMORY);
        return new BackendMemoryException(what + " needs " + bytes + " bytes; " + context.device() + " has " + free[0]
                + " free of " + total[0] + ", and this backend holds "
                + (pooled ? allocator.reservedBytes() : unpooledBytes) + "; " + status.remedy());
    }

    /** Gives everything back, freed or not; never throws. */
    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            if (pooled) {
                allocator.clear();
            } else {
                live.keySet().forEach(this::giveToDriver);
                unpooledBytes = 0;
            }
            live.clear();
        } finally {
            lock.unlock();
        }
    }
}
