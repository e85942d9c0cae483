package io.github.elbo4j.backend.cuda;

import java.util.Arrays;
import java.util.function.IntSupplier;
import jcuda.driver.JCudaDriver;

/** Overwrites words of one place in device memory in the stream's order, without allocating. Used by one thread at a time. */
final class CudaFill {
    private final CudaContext context;
    private final DevicePointer[] words;
    private final IntSupplier call;
    private DevicePointer to;
    private int value;
    private long count;

    /**
     * For a place.
     *
     * @param address where it begins
     * @param bytes how long it is
     */
    CudaFill(CudaContext context, CudaStream stream, long address, long bytes) {
        this.context = context;
        this.words = new DevicePointer[Math.toIntExact(bytes / Integer.BYTES)];
        Arrays.setAll(words, i -> new DevicePointer(address + (long) i * Integer.BYTES));
        this.to = words[0];
        this.call = () -> JCudaDriver.cuMemsetD32Async(to, value, count, stream.handle());
    }

    /** Overwrites 32-bit words from an offset in bytes on. */
    void words(long offset, int with, long words32) {
        to = words[(int) (offset / Integer.BYTES)];
        value = with;
        count = words32;
        context.run("cuMemsetD32Async", call);
    }
}
