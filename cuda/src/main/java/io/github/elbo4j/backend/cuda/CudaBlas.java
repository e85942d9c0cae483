package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.BackendUnavailableException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import jcuda.cudaDataType;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasOperation;
import jcuda.runtime.cudaStream_t;

/**
 * Matrix products by cuBLAS on one stream, with a workspace of their own: without one, cuBLAS would allocate inside a
 * capture. Calls take turns by the caller's doing; it is not safe for several threads.
 */
final class CudaBlas implements AutoCloseable {
    private static final long WORKSPACE_HOPPER = 32L << 20;
    private static final long WORKSPACE = 8L << 20;

    private final CudaContext context;
    private final CudaPool pool;
    private final Precision precision;
    private final cublasHandle handle = new cublasHandle();
    private final CudaPool.Block workspace;
    private final Arena arena = Arena.ofShared();
    private final HostPointer zero;
    private final HostPointer one;
    private final AtomicBoolean closed = new AtomicBoolean();

    /**
     * Makes a handle and its workspace.
     *
     * @param pool where the workspace comes from
     * @param stream where products are issued
     */
    CudaBlas(CudaContext context, CudaPool pool, CudaStream stream, Precision precision) {
        CublasLoader.load().problem().ifPresent(problem -> {
            throw new BackendUnavailableException("cuda", List.of(problem));
        });
        this.context = context;
        this.pool = pool;
        this.precision = precision;
        MemorySegment constants = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 0f, 1f);
        zero = new HostPointer(constants.address());
        one = new HostPointer(constants.address() + Float.BYTES);
        workspace =
                pool.allocate("the workspace of cuBLAS", context.device().major() >= 9 ? WORKSPACE_HOPPER : WORKSPACE);
        boolean created = false;
        try {
            context.runBlas("cublasCreate", () -> JCublas2.cublasCreate(handle));
            created = true;
            bind(stream);
        } catch (RuntimeException e) {
            if (created) {
                close();
            } else {
                pool.free(workspace);
                arena.close();
            }
            throw e;
        }
    }

    /** Issues products on another stream from here on; both streams must not run at once, as they share the workspace. */
    void bind(CudaStream stream) {
        context.runBlas("cublasSetStream", () -> JCublas2.cublasSetStream(handle, new cudaStream_t(stream.handle())));
        // Setting the stream takes the workspace away.
        context.runBlas(
                "cublasSetWorkspace",
                () -> JCublas2.cublasSetWorkspace(handle, new DevicePointer(workspace.address()), workspace.bytes()));
    }

    /**
     * C = op(A) op(B), or C += op(A) op(B), all column-major.
     *
     * @param m rows of op(A) and of C
     * @param n columns of op(B) and of C
     * @param k columns of op(A), rows of op(B)
     * @param a address of binary32 numbers, or of bfloat16 ones with {@link Precision#BF16}; b the same
     * @param lda elements from one column of A as stored to the next
     * @param add whether to add to C
     * @param c address of binary32 numbers
     */
    void gemm(
            boolean transposeA,
            boolean transposeB,
            int m,
            int n,
            int k,
            long a,
            int lda,
            long b,
            int ldb,
            boolean add,
            long c,
            int ldc) {
        int factors = precision == Precision.BF16 ? cudaDataType.CUDA_R_16BF : cudaDataType.CUDA_R_32F;
        // The method without _new takes an old compute type and refuses the fast ones.
        context.runBlas(
                "cublasGemmEx",
                () -> JCublas2.cublasGemmEx_new(
                        handle,
                        operation(transposeA),
                        operation(transposeB),
                        m,
                        n,
                        k,
                        one,
                        new DevicePointer(a),
                        factors,
                        lda,
                        new DevicePointer(b),
                        factors,
                        ldb,
                        add ? one : zero,
                        new DevicePointer(c),
                        cudaDataType.CUDA_R_32F,
                        ldc,
                        precision.computeType(),
                        cublasGemmAlgo.CUBLAS_GEMM_DEFAULT));
    }

    private static int operation(boolean transpose) {
        return transpose ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
    }

    /** Destroys the handle and frees the workspace; never throws. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            context.releaseBlas("cublasDestroy", () -> JCublas2.cublasDestroy(handle));
            pool.free(workspace);
            arena.close();
        }
    }
}
