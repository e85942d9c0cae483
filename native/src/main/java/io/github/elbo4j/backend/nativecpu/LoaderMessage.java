package io.github.elbo4j.backend.nativecpu;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;

/** Why the system's loader refuses a file, which the JDK does not pass on. */
final class LoaderMessage {
    private static final int RTLD_NOW = 2;
    private static final long MAX_TEXT = 1 << 16;

    private LoaderMessage() {}

    /** {@return what the loader says about a file that could not be loaded; empty if it says nothing} */
    static String of(Path file) {
        Linker linker = Linker.nativeLinker();
        SymbolLookup system = linker.defaultLookup();
        Optional<MemorySegment> dlopen = system.find("dlopen");
        Optional<MemorySegment> dlerror = system.find("dlerror");
        if (dlopen.isEmpty() || dlerror.isEmpty()) {
            return "";
        }
        MethodHandle open = linker.downcallHandle(
                dlopen.get(), FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        MethodHandle error = linker.downcallHandle(dlerror.get(), FunctionDescriptor.of(ValueLayout.ADDRESS));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = (MemorySegment) open.invokeExact(arena.allocateFrom(file.toString()), RTLD_NOW);
            MemorySegment message = (MemorySegment) error.invokeExact();
            return !handle.equals(MemorySegment.NULL) || message.equals(MemorySegment.NULL)
                    ? ""
                    : message.reinterpret(MAX_TEXT).getString(0);
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }
}
