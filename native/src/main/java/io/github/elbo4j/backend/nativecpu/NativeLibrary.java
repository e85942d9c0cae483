package io.github.elbo4j.backend.nativecpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;

/**
 * The functions of {@code elbo4j.h}, one method each, by the names they have there. Pointers are addresses, 0 for none.
 * Nothing is checked on either side: kernels come here with checked calls only.
 *
 * <p>The class initialises once the library is loaded, see {@link NativeLoader}; a function that the library lacks is an
 * {@link UnsatisfiedLinkError}.
 */
final class NativeLibrary {
    /** {@code ELBO4J_ABI_VERSION} of the header that this class was written from. */
    static final int ABI_VERSION = 1;

    /** {@code ELBO4J_OK}. */
    static final int OK = 0;

    private static final long MAX_NAME = 256;

    // A pointer is passed as the number that it is; a segment would be made for each and thrown away.
    private static final MemoryLayout POINTER = JAVA_LONG;
    private static final SymbolLookup SYMBOLS = NativeLoader.symbols();

    private static final MethodHandle ISA_COUNT = bind("elbo4j_isa_count", FunctionDescriptor.of(JAVA_INT));
    private static final MethodHandle ISA_NAME = bind("elbo4j_isa_name", FunctionDescriptor.of(POINTER, JAVA_INT));
    private static final MethodHandle ISA_SUPPORTED =
            bind("elbo4j_isa_supported", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    private static final MethodHandle ALLOCATE = bind("elbo4j_allocate", FunctionDescriptor.of(POINTER, JAVA_LONG));
    private static final MethodHandle FREE = bind("elbo4j_free", FunctionDescriptor.ofVoid(POINTER));
    private static final MethodHandle PROGRAM_CREATE =
            bind("elbo4j_program_create", FunctionDescriptor.of(POINTER, JAVA_INT, JAVA_INT, JAVA_LONG, POINTER));
    private static final MethodHandle PROGRAM_DESTROY =
            bind("elbo4j_program_destroy", FunctionDescriptor.ofVoid(POINTER));
    private static final MethodHandle PROGRAM_PLAN =
            bind("elbo4j_program_plan", FunctionDescriptor.of(JAVA_LONG, POINTER));
    private static final MethodHandle PROGRAM_BIND =
            bind("elbo4j_program_bind", FunctionDescriptor.ofVoid(POINTER, POINTER));
    // Asked before every run and a few instructions long.
    private static final MethodHandle PROGRAM_THREADS = bind(
            "elbo4j_program_threads",
            FunctionDescriptor.of(JAVA_INT, POINTER, JAVA_LONG),
            Linker.Option.critical(false));
    private static final MethodHandle PROGRAM_RUN =
            bind("elbo4j_program_run", FunctionDescriptor.ofVoid(POINTER, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT));
    private static final MethodHandle PROGRAM_HELP =
            bind("elbo4j_program_help", FunctionDescriptor.ofVoid(POINTER, JAVA_LONG));
    // Two stores, called before every run that has helpers.
    private static final MethodHandle PROGRAM_END =
            bind("elbo4j_program_end", FunctionDescriptor.ofVoid(POINTER, JAVA_LONG), Linker.Option.critical(false));
    private static final MethodHandle PROGRAM_EXPLAIN =
            bind("elbo4j_program_explain", FunctionDescriptor.of(JAVA_LONG, POINTER, POINTER, JAVA_LONG));

    private static final MethodHandle SELECT_ROWS =
            bindKernel("elbo4j_select_rows", JAVA_LONG, JAVA_LONG, JAVA_INT, POINTER);
    private static final MethodHandle GATHER = bindKernel(
            "elbo4j_gather_f32", POINTER, POINTER, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT, POINTER, POINTER);
    private static final MethodHandle LOAD =
            bindKernel("elbo4j_load_f32", POINTER, JAVA_INT, JAVA_LONG, JAVA_INT, POINTER);
    private static final MethodHandle STORE = bindKernel("elbo4j_store_f32", JAVA_LONG, POINTER, JAVA_LONG, POINTER);
    private static final MethodHandle LINEAR_FORWARD = bindKernel(
            "elbo4j_linear_forward_f32",
            JAVA_LONG,
            POINTER,
            JAVA_LONG,
            JAVA_LONG,
            POINTER,
            POINTER,
            JAVA_INT,
            POINTER,
            POINTER);
    private static final MethodHandle LINEAR_BACKWARD_INPUT = bindKernel(
            "elbo4j_linear_backward_input_f32",
            JAVA_LONG,
            POINTER,
            JAVA_LONG,
            JAVA_LONG,
            POINTER,
            JAVA_INT,
            POINTER,
            POINTER,
            JAVA_INT);
    private static final MethodHandle LINEAR_BACKWARD_WEIGHTS = bindKernel(
            "elbo4j_linear_backward_weights_f32",
            JAVA_LONG,
            POINTER,
            POINTER,
            JAVA_LONG,
            JAVA_LONG,
            POINTER,
            POINTER,
            JAVA_INT);
    private static final MethodHandle REPARAMETERIZE_FORWARD = bindKernel(
            "elbo4j_reparameterize_forward_f32",
            JAVA_LONG,
            POINTER,
            JAVA_LONG,
            JAVA_DOUBLE,
            JAVA_DOUBLE,
            POINTER,
            POINTER);
    private static final MethodHandle REPARAMETERIZE_BACKWARD = bindKernel(
            "elbo4j_reparameterize_backward_f32",
            JAVA_LONG,
            POINTER,
            JAVA_LONG,
            JAVA_DOUBLE,
            JAVA_DOUBLE,
            POINTER,
            POINTER,
            POINTER,
            JAVA_INT,
            POINTER);
    private static final MethodHandle GAUSSIAN_KL_FORWARD =
            bindKernel("elbo4j_gaussian_kl_forward_f32", POINTER, JAVA_LONG, JAVA_DOUBLE, JAVA_DOUBLE, POINTER);
    private static final MethodHandle BERNOULLI_FORWARD =
            bindKernel("elbo4j_bernoulli_forward_f32", JAVA_LONG, POINTER, POINTER, JAVA_LONG, POINTER);
    private static final MethodHandle BERNOULLI_FORWARD_BACKWARD = bindKernel(
            "elbo4j_bernoulli_forward_backward_f32",
            JAVA_LONG,
            POINTER,
            POINTER,
            JAVA_LONG,
            POINTER,
            JAVA_INT,
            POINTER,
            POINTER);
    private static final MethodHandle ACCUMULATE =
            bindKernel("elbo4j_accumulate_f32", JAVA_LONG, JAVA_LONG, POINTER, JAVA_LONG);
    private static final MethodHandle CHECK_GRADIENTS =
            bindKernel("elbo4j_check_gradients_f32", POINTER, JAVA_LONG, POINTER, POINTER, POINTER);
    private static final MethodHandle ADAM = bindKernel(
            "elbo4j_adam_f32",
            POINTER,
            POINTER,
            POINTER,
            POINTER,
            JAVA_LONG,
            JAVA_LONG,
            POINTER,
            POINTER,
            POINTER,
            POINTER,
            JAVA_DOUBLE,
            JAVA_DOUBLE,
            JAVA_DOUBLE);
    private static final MethodHandle SGD =
            bindKernel("elbo4j_sgd_f32", POINTER, POINTER, JAVA_LONG, JAVA_LONG, POINTER, POINTER);
    private static final MethodHandle ADVANCE = bindKernel("elbo4j_advance");

    private NativeLibrary() {}

    private static MethodHandle bind(String name, FunctionDescriptor descriptor, Linker.Option... options) {
        MemorySegment function =
                SYMBOLS.find(name).orElseThrow(() -> new UnsatisfiedLinkError("the library has no function " + name));
        return Linker.nativeLinker().downcallHandle(function, descriptor, options);
    }

    /** Of a kernel: takes the program first, and gives a status. */
    private static MethodHandle bindKernel(String name, MemoryLayout... arguments) {
        return bind(name, FunctionDescriptor.of(JAVA_INT, arguments).insertArgumentLayouts(0, POINTER));
    }

    /** Binds everything; what the library lacks comes out here. */
    static void initialize() {
        // Calling it has initialised the class.
    }

    static int isaCount() {
        try {
            return (int) ISA_COUNT.invokeExact();
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static String isaName(int isa) {
        try {
            return text((long) ISA_NAME.invokeExact(isa), MAX_NAME);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static boolean isaSupported(int isa) {
        try {
            return (int) ISA_SUPPORTED.invokeExact(isa) != 0;
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static long allocate(long bytes) {
        try {
            return (long) ALLOCATE.invokeExact(bytes);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static void free(long memory) {
        try {
            FREE.invokeExact(memory);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static long programCreate(int isa, int threads, long capacity, long state) {
        try {
            return (long) PROGRAM_CREATE.invokeExact(isa, threads, capacity, state);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static void programDestroy(long program) {
        try {
            PROGRAM_DESTROY.invokeExact(program);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static long programPlan(long program) {
        try {
            return (long) PROGRAM_PLAN.invokeExact(program);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static void programBind(long program, long workspace) {
        try {
            PROGRAM_BIND.invokeExact(program, workspace);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int programThreads(long program, long activeRows) {
        try {
            return (int) PROGRAM_THREADS.invokeExact(program, activeRows);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static void programRun(long program, long times, long activeRows, long run, boolean helped) {
        try {
            PROGRAM_RUN.invokeExact(program, times, activeRows, run, helped ? 1 : 0);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static void programHelp(long program, long run) {
        try {
            PROGRAM_HELP.invokeExact(program, run);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static void programEnd(long program, long run) {
        try {
            PROGRAM_END.invokeExact(program, run);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static String programExplain(long program) {
        try (Arena arena = Arena.ofConfined()) {
            long length = (long) PROGRAM_EXPLAIN.invokeExact(program, 0L, 0L);
            MemorySegment text = arena.allocate(length + 1);
            var _ = (long) PROGRAM_EXPLAIN.invokeExact(program, text.address(), text.byteSize());
            return text.getString(0, StandardCharsets.UTF_8);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int selectRows(long program, long firstRow, long rowCount, int shuffled, long rowIds) {
        try {
            return (int) SELECT_ROWS.invokeExact(program, firstRow, rowCount, shuffled, rowIds);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int gather(
            long program,
            long rowIds,
            long data,
            int type,
            long dataRows,
            long columns,
            int pixels,
            long noise,
            long out) {
        try {
            return (int) GATHER.invokeExact(program, rowIds, data, type, dataRows, columns, pixels, noise, out);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int load(long program, long in, int type, long columns, int pixels, long out) {
        try {
            return (int) LOAD.invokeExact(program, in, type, columns, pixels, out);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int store(long program, long fold, long in, long columns, long out) {
        try {
            return (int) STORE.invokeExact(program, fold, in, columns, out);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int linearForward(
            long program, long fold, long x, long in, long out, long w, long b, int activation, long y, long pre) {
        try {
            return (int) LINEAR_FORWARD.invokeExact(program, fold, x, in, out, w, b, activation, y, pre);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int linearBackwardInput(
            long program,
            long fold,
            long g,
            long in,
            long out,
            long w,
            int activation,
            long saved,
            long dx,
            int write) {
        try {
            return (int) LINEAR_BACKWARD_INPUT.invokeExact(program, fold, g, in, out, w, activation, saved, dx, write);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int linearBackwardWeights(
            long program, long fold, long x, long g, long in, long out, long dw, long db, int write) {
        try {
            return (int) LINEAR_BACKWARD_WEIGHTS.invokeExact(program, fold, x, g, in, out, dw, db, write);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int reparameterizeForward(
            long program, long fold, long muLogVar, long d, double clampLow, double clampHigh, long noise, long z) {
        try {
            return (int) REPARAMETERIZE_FORWARD.invokeExact(program, fold, muLogVar, d, clampLow, clampHigh, noise, z);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int reparameterizeBackward(
            long program,
            long fold,
            long muLogVar,
            long d,
            double clampLow,
            double clampHigh,
            long noise,
            long dz,
            long klWeight,
            int reduction,
            long dMuLogVar) {
        try {
            return (int) REPARAMETERIZE_BACKWARD.invokeExact(
                    program, fold, muLogVar, d, clampLow, clampHigh, noise, dz, klWeight, reduction, dMuLogVar);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int gaussianKlForward(long program, long muLogVar, long d, double clampLow, double clampHigh, long kl) {
        try {
            return (int) GAUSSIAN_KL_FORWARD.invokeExact(program, muLogVar, d, clampLow, clampHigh, kl);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int bernoulliForward(long program, long fold, long logits, long target, long d, long logLikelihood) {
        try {
            return (int) BERNOULLI_FORWARD.invokeExact(program, fold, logits, target, d, logLikelihood);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int bernoulliForwardBackward(
            long program,
            long fold,
            long logits,
            long target,
            long d,
            long weight,
            int reduction,
            long logLikelihood,
            long dLogits) {
        try {
            return (int) BERNOULLI_FORWARD_BACKWARD.invokeExact(
                    program, fold, logits, target, d, weight, reduction, logLikelihood, dLogits);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int accumulate(long program, long fold, long metric, long perRow, long haltName) {
        try {
            return (int) ACCUMULATE.invokeExact(program, fold, metric, perRow, haltName);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int checkGradients(long program, long gradients, long count, long offsets, long sizes, long haltNames) {
        try {
            return (int) CHECK_GRADIENTS.invokeExact(program, gradients, count, offsets, sizes, haltNames);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int adam(
            long program,
            long values,
            long gradients,
            long moment0,
            long moment1,
            long offset,
            long size,
            long version,
            long learningRate,
            long correction1,
            long correction2,
            double beta1,
            double beta2,
            double epsilon) {
        try {
            return (int) ADAM.invokeExact(
                    program,
                    values,
                    gradients,
                    moment0,
                    moment1,
                    offset,
                    size,
                    version,
                    learningRate,
                    correction1,
                    correction2,
                    beta1,
                    beta2,
                    epsilon);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int sgd(long program, long values, long gradients, long offset, long size, long version, long learningRate) {
        try {
            return (int) SGD.invokeExact(program, values, gradients, offset, size, version, learningRate);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    static int advance(long program) {
        try {
            return (int) ADVANCE.invokeExact(program);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }

    private static String text(long address, long longest) {
        return MemorySegment.ofAddress(address).reinterpret(longest).getString(0, StandardCharsets.UTF_8);
    }
}
