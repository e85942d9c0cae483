package io.github.elbo4j.backend.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import jcuda.driver.JCudaDriver;

/**
 * Host memory that stays where it is, so that the device can reach it. Freeing it waits for the whole device: whoever comes
 * and goes takes it from {@link CudaPinnedPool}.
 */
final class CudaPinned implements AutoCloseable {
    private final CudaContext context;
    private final HostPointer pointer;
    private final long bytes;

    private CudaPinned(CudaContext context, HostPointer pointer, long bytes) {
        this.context = context;
        this.pointer = pointer;
        this.bytes = bytes;
    }

    /** Allocates memory, whose content is undefined. */
    static CudaPinned allocate(CudaContext context, long bytes) {
        HostPointer pointer = new HostPointer();
        context.run(
                "cuMemHostAlloc of " + bytes + " bytes",
                () -> JCudaDriver.cuMemHostAlloc(pointer, bytes, JCudaDriver.CU_MEMHOSTALLOC_DEVICEMAP));
        return new CudaPinned(context, pointer, bytes);
    }

    /** {@return the memory as copies take it} */
    HostPointer pointer() {
        return pointer;
    }

    long bytes() {
        return bytes;
    }

    /** {@return the first bytes; accesses after the arena was closed throw} */
    MemorySegment memory(long length, Arena arena) {
        return MemorySegment.ofAddress(pointer.address()).reinterpret(Math.min(length, bytes), arena, null);
    }

    /** {@return the address by which kernels reach it} */
    long deviceAddress() {
        DevicePointer device = new DevicePointer();
        context.run("cuMemHostGetDevicePointer", () -> JCudaDriver.cuMemHostGetDevicePointer(device, pointer, 0));
        return device.address();
    }

    /** Frees it, once; never throws. */
    @Override
    public void close() {
        context.release("cuMemFreeHost", () -> JCudaDriver.cuMemFreeHost(pointer));
    }
}
