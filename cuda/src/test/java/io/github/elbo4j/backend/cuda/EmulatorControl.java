package io.github.elbo4j.backend.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Steers and observes the emulated device: {@code emu_control.h}. Call only where {@link EmulatedDevice} is loaded. */
final class EmulatorControl {
    /**
     * A fault of a kernel.
     *
     * @param status what it made the driver return; 0 if there was none
     * @param kernel its name
     * @param message what happened, in words
     */
    record Fault(int status, String kernel, String message) {}

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final long FAULT_KERNEL = 40;
    private static final long FAULT_MESSAGE = FAULT_KERNEL + 128;
    private static final long FAULT_BYTES = FAULT_MESSAGE + 256;

    private static final MethodHandle SET_OPTION =
            bind("emu_set_option", FunctionDescriptor.of(INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
    private static final MethodHandle FAIL_NTH =
            bind("emu_fail_nth", FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, LONG, INT));
    private static final MethodHandle CLEAR_FAILURES = bind("emu_clear_failures", FunctionDescriptor.ofVoid());
    private static final MethodHandle CALL_COUNT =
            bind("emu_call_count", FunctionDescriptor.of(LONG, ValueLayout.ADDRESS));
    private static final MethodHandle COUNTER = bind("emu_counter", FunctionDescriptor.of(LONG, ValueLayout.ADDRESS));
    private static final MethodHandle LAST_FAULT =
            bind("emu_last_fault", FunctionDescriptor.of(INT, ValueLayout.ADDRESS));
    private static final MethodHandle KERNELS =
            bind("emu_kernels", FunctionDescriptor.of(LONG, ValueLayout.ADDRESS, LONG));
    private static final MethodHandle RESET = bind("emu_reset", FunctionDescriptor.ofVoid());

    private EmulatorControl() {}

    private static MethodHandle bind(String name, FunctionDescriptor type) {
        return Linker.nativeLinker()
                .downcallHandle(SymbolLookup.loaderLookup().find(name).orElseThrow(), type);
    }

    /** Sets an option that counts from now on. */
    static void setOption(String name, String value) {
        try (Arena arena = Arena.ofConfined()) {
            int refused = (int) SET_OPTION.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value));
            if (refused != 0) {
                throw new IllegalArgumentException("the emulated device has no option " + name + "=" + value);
            }
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Makes the n-th call of a function from now return a status; every call if n is 0. */
    static void failNth(String function, long n, int status) {
        try (Arena arena = Arena.ofConfined()) {
            FAIL_NTH.invokeExact(arena.allocateFrom(function), n, status);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void clearFailures() {
        try {
            CLEAR_FAILURES.invokeExact();
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static long callCount(String function) {
        try (Arena arena = Arena.ofConfined()) {
            return (long) CALL_COUNT.invokeExact(arena.allocateFrom(function));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static long counter(String name) {
        try (Arena arena = Arena.ofConfined()) {
            long value = (long) COUNTER.invokeExact(arena.allocateFrom(name));
            if (value < 0) {
                throw new IllegalArgumentException("the emulated device has no counter " + name);
            }
            return value;
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static Fault lastFault() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment fault = arena.allocate(FAULT_BYTES, 8);
            int status = (int) LAST_FAULT.invokeExact(fault);
            return new Fault(status, fault.getString(FAULT_KERNEL), fault.getString(FAULT_MESSAGE));
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** {@return name and parameter letters of every kernel that is loaded, a line each, sorted} */
    static String kernels() {
        try (Arena arena = Arena.ofConfined()) {
            long length = (long) KERNELS.invokeExact(MemorySegment.NULL, 0L);
            MemorySegment text = arena.allocate(length + 1);
            long again = (long) KERNELS.invokeExact(text, length + 1);
            if (again != length) {
                throw new IllegalStateException("a module was loaded or unloaded meanwhile");
            }
            return text.getString(0);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    /** Destroys what lives on the devices, and their lasting errors. */
    static void reset() {
        try {
            RESET.invokeExact();
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    private static RuntimeException unexpected(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(e);
    }
}
