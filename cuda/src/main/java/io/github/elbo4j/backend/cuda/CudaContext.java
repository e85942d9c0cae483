package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.BackendException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntSupplier;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

/**
 * The primary context of a device, which other users of CUDA in this process share: it is retained and released, pushed
 * and popped, and never reset; its flags are never changed.
 *
 * <p>A lasting failure, a kernel's illegal address for one, ends it for the whole process: from then on each call throws
 * at once and names the first cause, and closing does nothing.
 *
 * <p>Safe for any number of threads. The current context belongs to the thread of the operating system, so a virtual
 * thread must not block between {@link #enter} and {@link #exit}.
 */
final class CudaContext implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("io.github.elbo4j.backend.cuda");

    /** What this process has lost, by UUID, and by which failure: opening it again would fail as well. */
    private static final Map<String, CudaException> LOST = new ConcurrentHashMap<>();

    private final CudaDevice device;
    // Kept, so that closing asks the driver for nothing.
    private final CUdevice ordinal;
    // Made once: every call of the driver pushes and pops, and a launch shall allocate nothing.
    private final IntSupplier push;
    private final IntSupplier pop;
    private final AtomicReference<@Nullable CudaException> first = new AtomicReference<>();
    private final AtomicBoolean closed = new AtomicBoolean();

    private CudaContext(CudaDevice device, CUdevice ordinal, CUcontext handle) {
        this.device = device;
        this.ordinal = ordinal;
        this.push = () -> JCudaDriver.cuCtxPushCurrent(handle);
        // What is popped is known; threads may overwrite each other's answer.
        CUcontext popped = new CUcontext();
        this.pop = () -> JCudaDriver.cuCtxPopCurrent(popped);
    }

    /**
     * Retains a device's primary context.
     *
     * @throws BackendException if it cannot be had, or if this process lost it earlier
     */
    static CudaContext open(CudaDevice device) {
        CudaException earlier = LOST.get(device.uuid());
        if (earlier != null) {
            throw gone(device, earlier);
        }
        CudaCalls.require("cuInit", () -> JCudaDriver.cuInit(0));
        CUdevice ordinal = device.handle();
        CUcontext handle = new CUcontext();
        CudaCalls.require("cuDevicePrimaryCtxRetain", () -> JCudaDriver.cuDevicePrimaryCtxRetain(handle, ordinal));
        return new CudaContext(device, ordinal, handle);
    }

    /** {@return the device} */
    CudaDevice device() {
        return device;
    }

    /**
     * Makes the context current on this thread, above whichever is.
     *
     * @throws BackendException if it is lost or closed
     */
    void enter() {
        requireUsable();
        check("cuCtxPushCurrent", CudaCalls.driver(push));
    }

    /** Makes current what was before {@link #enter}; never throws. */
    void exit() {
        int status = CudaCalls.driver(pop);
        if (status != 0) {
            LOG.log(System.Logger.Level.DEBUG, "cuCtxPopCurrent returned {0}", status);
        }
    }

    /**
     * Calls the driver with the context current.
     *
     * @param call the function, with whatever tells this call from others
     * @throws BackendException if it fails, or if the context is lost or closed
     */
    void run(String call, IntSupplier body) {
        enter();
        try {
            check(call, CudaCalls.driver(body));
        } finally {
            exit();
        }
    }

    /** The same for cuBLAS. */
    void runBlas(String call, IntSupplier body) {
        enter();
        try {
            checkBlas(call, CudaCalls.cublas(body));
        } finally {
            exit();
        }
    }

    /** Calls the driver to free something; does nothing once the context is gone, and never throws. */
    void release(String call, IntSupplier body) {
        release(call, body, false);
    }

    /** The same for cuBLAS. */
    void releaseBlas(String call, IntSupplier body) {
        release(call, body, true);
    }

    private void release(String call, IntSupplier body, boolean blas) {
        if (lost() || closed.get()) {
            return;
        }
        try {
            if (blas) {
                runBlas(call, body);
            } else {
                run(call, body);
            }
        } catch (BackendException e) {
            LOG.log(System.Logger.Level.DEBUG, "while closing", e);
        }
    }

    /**
     * Looks at what a call of the driver returned.
     *
     * @throws CudaException unless it succeeded; if the failure is lasting, the context is lost from here on
     */
    void check(String call, int cuResult) {
        if (cuResult == 0) {
            return;
        }
        CudaException failure = new CudaException(call, CudaStatus.driver(cuResult));
        note(failure);
        throw failure;
    }

    /** The same for cuBLAS, which hides a lost context behind a status of its own; called with the context current. */
    void checkBlas(String call, int cublasStatus) {
        if (cublasStatus == 0) {
            return;
        }
        CudaException failure = new CudaException(call, CudaStatus.cublas(cublasStatus));
        int behind = CudaCalls.driver(() -> JCudaDriver.cuMemGetInfo(new long[1], new long[1]));
        CudaStatus status = CudaStatus.driver(behind);
        if (status.lasting()) {
            CudaException cause = new CudaException(call, status);
            cause.addSuppressed(failure);
            note(cause);
            throw cause;
        }
        throw failure;
    }

    private void note(CudaException failure) {
        if (failure.status().lasting() && first.compareAndSet(null, failure)) {
            LOST.putIfAbsent(device.uuid(), failure);
        }
    }

    /** {@return whether a lasting failure has ended it} */
    boolean lost() {
        return first.get() != null || LOST.containsKey(device.uuid());
    }

    /**
     * Lets only a living context pass.
     *
     * @throws BackendException if it is lost, with the first cause
     * @throws IllegalStateException if it is closed
     */
    void requireUsable() {
        CudaException cause = first.get();
        if (cause == null) {
            cause = LOST.get(device.uuid());
        }
        if (cause != null) {
            throw gone(device, cause);
        }
        if (closed.get()) {
            throw new IllegalStateException("the CUDA backend on " + device + " is closed");
        }
    }

    private static BackendException gone(CudaDevice device, CudaException cause) {
        return new BackendException(
                "this process has lost " + device + "; the first cause was: " + cause.getMessage()
                        + "; restart the process",
                cause);
    }

    /** Releases the context; what was made in it must be closed before. Never throws. */
    @Override
    public void close() {
        // A lost context stays retained: it cannot be revived, and releasing it could end others' last hold on it.
        if (closed.compareAndSet(false, true) && !lost()) {
            try {
                CudaCalls.require("cuDevicePrimaryCtxRelease", () -> JCudaDriver.cuDevicePrimaryCtxRelease(ordinal));
            } catch (CudaException e) {
                LOG.log(System.Logger.Level.DEBUG, "while closing", e);
            }
        }
    }

    /** Forgets that devices were lost, which only an emulated one can be brought back from. */
    static void forgetLost() {
        LOST.clear();
    }
}
