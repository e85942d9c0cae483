import static jcuda.driver.JCudaDriver.*;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import jcuda.CudaException;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;

/** Drives the emulated device through unmodified JCuda and JCublas2: a walk through the API, then faults. */
public final class JvmSmoke {
    private static final int N = 256;
    private static final CUcontext CONTEXT = new CUcontext();
    private static final CUdevice DEVICE = new CUdevice();
    private static Path libraries;

    public static void main(String[] arguments) throws Exception {
        libraries = Path.of(arguments[0]).toAbsolutePath();
        // By SONAME this satisfies what JCuda's native libraries need.
        System.load(libraries.resolve("libcuda.so.1").toString());
        System.load(libraries.resolve("libcublas.so.12").toString());
        setExceptionsEnabled(true);
        JCublas2.setExceptionsEnabled(true);
        cuInit(0);
        cuDeviceGet(DEVICE, 0);
        cuDevicePrimaryCtxRetain(CONTEXT, DEVICE);
        cuCtxSetCurrent(CONTEXT);
        walk();
        faultsBesideBusyThreads(Integer.parseInt(arguments[1]));
        System.out.println("JVM smoke passed");
        System.exit(0);
    }

    private static void walk() throws Exception {
        CUmodule module = load("sound.so");
        CUfunction scale = function(module, "scale_by");
        CUfunction add = function(module, "add_constant");
        CUdeviceptr x = allocate(N);
        upload(x, 3f);
        CUstream first = new CUstream();
        CUstream second = new CUstream();
        cuStreamCreate(first, 1);
        cuStreamCreate(second, 1);
        CUevent fork = new CUevent();
        CUevent join = new CUevent();
        cuEventCreate(fork, 2);
        cuEventCreate(join, 2);

        launch(scale, first, x, 2f);
        cuStreamSynchronize(first);
        expect("launch", 6f, download(x));

        cublasHandle blas = new cublasHandle();
        JCublas2.cublasCreate(blas);
        JCublas2.cublasSetStream(blas, new jcuda.runtime.cudaStream_t(second));
        CUdeviceptr square = allocate(N);
        Pointer one = Pointer.to(new float[] {1f});
        Pointer zero = Pointer.to(new float[] {0f});
        cuStreamBeginCapture(first, 1);
        launch(add, first, x, 1f);
        cuEventRecord(fork, first);
        cuStreamWaitEvent(second, fork, 0);
        JCublas2.cublasGemmEx_new(
                blas, 0, 0, 16, 16, 16, one, x, 0, 16, x, 0, 16, zero, square, 0, 16, 77 /* FAST_TF32 */, -1);
        cuEventRecord(join, second);
        cuStreamWaitEvent(first, join, 0);
        launch(add, first, square, 0.5f);
        CUgraph graph = new CUgraph();
        cuStreamEndCapture(first, graph);
        CUgraphExec executable = new CUgraphExec();
        cuGraphInstantiate(executable, graph, 0);
        cuGraphUpload(executable, first);
        expect("capture runs nothing", 6f, download(x));
        for (int i = 1; i <= 10; i++) {
            cuGraphLaunch(executable, first);
            cuStreamSynchronize(first);
            expect("graph", 6f + i, download(x));
            expect("product", 16f * (6f + i) * (6f + i) + 0.5f, download(square));
        }
        JCublas2.cublasDestroy(blas);
        System.out.println("walk: passed");
    }

    /** Faulting kernels while other threads throw, overflow their stacks and collect: signals the JVM uses itself. */
    private static void faultsBesideBusyThreads(int count) throws Exception {
        AtomicBoolean stop = new AtomicBoolean();
        AtomicLong rounds = new AtomicLong();
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 3; t++) {
            Thread thread = new Thread(() -> {
                while (!stop.get()) {
                    countNulls();
                    overflow();
                    rounds.incrementAndGet();
                }
            });
            thread.start();
            threads.add(thread);
        }
        String[] kernels = {"out_of_bounds", "null_pointer", "misaligned_scalar", "trap_itself"};
        int[] expected = {700, 700, 716, 719};
        for (int i = 0; i < count; i++) {
            CUmodule broken = load("broken.so");
            CUdeviceptr y = i % 4 == 1 ? new CUdeviceptr() : allocate(i % 4 == 3 ? N : 64);
            if (i % 4 == 3) {
                upload(y, 0f);
            }
            int status = 0;
            try {
                cuLaunchKernel(
                        function(broken, kernels[i % 4]), 2, 1, 1, 64, 1, 1, 0, null,
                        Pointer.to(Pointer.to(y), Pointer.to(new int[] {64})), null);
                cuCtxSynchronize();
            } catch (CudaException e) {
                setExceptionsEnabled(false);
                status = cuCtxSynchronize();
                setExceptionsEnabled(true);
            }
            if (status != expected[i % 4]) {
                throw new AssertionError(kernels[i % 4] + " gave " + status);
            }
            cuDevicePrimaryCtxReset(DEVICE);
            if (i % 100 == 0) {
                System.gc();
            }
        }
        stop.set(true);
        for (Thread thread : threads) {
            thread.join();
        }
        long faults = counter("faults");
        if (faults != count || counter("chained_signals") == 0 || rounds.get() == 0) {
            throw new AssertionError(
                    faults + " faults, " + counter("chained_signals") + " chained, " + rounds + " rounds");
        }
        System.out.println(count + " faults beside " + rounds + " rounds of busy threads, "
                + counter("chained_signals") + " signals left to the JVM: passed");
    }

    private static long counter(String name) throws Exception {
        // Declared in emu_control.h; the library is loaded by this class's loader.
        var symbol = SymbolLookup.loaderLookup().find("emu_counter").orElseThrow();
        var type = FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocateFrom(name);
            return (long) Linker.nativeLinker().downcallHandle(symbol, type).invokeExact(text);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static int countNulls() {
        Object[] objects = new Object[2000];
        for (int i = 0; i < objects.length; i += 3) {
            objects[i] = "x" + i;
        }
        int nulls = 0;
        for (Object object : objects) {
            try {
                nulls += object.hashCode() & 0;
            } catch (NullPointerException e) {
                nulls++;
            }
        }
        return nulls;
    }

    private static int depth(int level) {
        return depth(level + 1) + 1;
    }

    private static void overflow() {
        try {
            depth(0);
        } catch (StackOverflowError e) {
            // wanted: the JVM's own use of a guard page
        }
    }

    private static CUmodule load(String name) throws Exception {
        CUmodule module = new CUmodule();
        cuModuleLoadData(module, Files.readAllBytes(libraries.resolve(name)));
        return module;
    }

    private static CUfunction function(CUmodule module, String name) {
        CUfunction function = new CUfunction();
        cuModuleGetFunction(function, module, name);
        return function;
    }

    private static CUdeviceptr allocate(int floats) {
        CUdeviceptr address = new CUdeviceptr();
        cuMemAlloc(address, floats * 4L);
        return address;
    }

    private static void launch(CUfunction kernel, CUstream stream, CUdeviceptr x, float value) {
        Pointer parameters =
                Pointer.to(Pointer.to(x), Pointer.to(new float[] {value}), Pointer.to(new int[] {N}));
        cuLaunchKernel(kernel, 2, 1, 1, 128, 1, 1, 0, stream, parameters, null);
    }

    // Direct buffers: JCuda hands the driver the address of a heap array, and under -Xcheck:jni that of a copy.
    private static FloatBuffer buffer() {
        return ByteBuffer.allocateDirect(N * 4).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    private static void upload(CUdeviceptr x, float value) {
        FloatBuffer host = buffer();
        for (int i = 0; i < N; i++) {
            host.put(i, value);
        }
        cuMemcpyHtoD(x, Pointer.to(host), N * 4L);
    }

    /** The common value of all elements; NaN if they differ. */
    private static float download(CUdeviceptr x) {
        FloatBuffer host = buffer();
        cuMemcpyDtoH(Pointer.to(host), x, N * 4L);
        for (int i = 1; i < N; i++) {
            if (host.get(i) != host.get(0)) {
                return Float.NaN;
            }
        }
        return host.get(0);
    }

    private static void expect(String what, float expected, float actual) {
        if (expected != actual) {
            throw new AssertionError(what + ": " + actual + ", not " + expected);
        }
    }

    private JvmSmoke() {}
}
