package io.github.elbo4j.backend.cuda;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;

/** The system's dynamic loader: {@code dlopen} and what belongs to it. Libraries stay open until the process ends. */
final class DynamicLoader {
    /**
     * What opening a library gave.
     *
     * @param handle for {@link #find}; null if it could not be opened
     * @param message the loader's message if it could not be opened, else empty
     */
    record Opened(MemorySegment handle, String message) {
        boolean failed() {
            return handle.equals(MemorySegment.NULL);
        }
    }

    private static final int RTLD_LAZY = 1;
    private static final int RTLD_DI_LINKMAP = 2;
    /** Of {@code l_name} in {@code struct link_map}, after one pointer. */
    private static final long LINK_MAP_NAME = 8;

    private static final long MAX_TEXT = 1 << 16;
    private static final AddressLayout POINTER = ValueLayout.ADDRESS;
    private final MethodHandle dlopen;
    private final MethodHandle dlsym;
    private final MethodHandle dlerror;
    private final MethodHandle dlinfo;

    /**
     * Binds the loader's functions.
     *
     * @throws IllegalCallerException if native access is denied
     */
    DynamicLoader() {
        dlopen = bind("dlopen", FunctionDescriptor.of(POINTER, POINTER, ValueLayout.JAVA_INT));
        dlsym = bind("dlsym", FunctionDescriptor.of(POINTER, POINTER, POINTER));
        dlerror = bind("dlerror", FunctionDescriptor.of(POINTER));
        dlinfo = bind("dlinfo", FunctionDescriptor.of(ValueLayout.JAVA_INT, POINTER, ValueLayout.JAVA_INT, POINTER));
    }

    private static MethodHandle bind(String name, FunctionDescriptor descriptor) {
        Linker linker = Linker.nativeLinker();
        MemorySegment function = linker.defaultLookup()
                .find(name)
                .orElseThrow(() -> new UnsatisfiedLinkError("the C library has no " + name));
        return linker.downcallHandle(function, descriptor);
    }

    /**
     * Opens a library for this process, its symbols visible to those only that depend on it.
     *
     * @param name a path, or a name to be looked for where the system looks
     */
    Opened open(String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment handle = (MemorySegment) dlopen.invokeExact(arena.allocateFrom(name), RTLD_LAZY);
            if (!handle.equals(MemorySegment.NULL)) {
                return new Opened(handle, "");
            }
            MemorySegment message = (MemorySegment) dlerror.invokeExact();
            return new Opened(handle, message.equals(MemorySegment.NULL) ? "no message" : text(message));
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /** {@return the address of a symbol, if the library or one that it depends on has it} */
    Optional<MemorySegment> find(Opened library, String symbol) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment found = (MemorySegment) dlsym.invokeExact(library.handle(), arena.allocateFrom(symbol));
            return found.equals(MemorySegment.NULL) ? Optional.empty() : Optional.of(found);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /** {@return the file of an opened library, if the loader tells} */
    Optional<Path> file(Opened library) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment map = arena.allocate(POINTER);
            int status = (int) dlinfo.invokeExact(library.handle(), RTLD_DI_LINKMAP, map);
            if (status != 0) {
                return Optional.empty();
            }
            MemorySegment linkMap = map.get(POINTER, 0).reinterpret(LINK_MAP_NAME + POINTER.byteSize());
            String name = text(linkMap.get(POINTER, LINK_MAP_NAME));
            return name.isEmpty() ? Optional.empty() : Optional.of(Path.of(name).toAbsolutePath());
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /** {@return the text that a pointer from C points to} */
    static String text(MemorySegment pointer) {
        return pointer.reinterpret(MAX_TEXT).getString(0);
    }

    /** Only errors and unchecked exceptions can come out of a call to C. */
    private static RuntimeException rethrown(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException unchecked ? unchecked : new IllegalStateException(e);
    }
}
