package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.BackendProvider.Problem;
import io.github.elbo4j.backend.engine.UnpackedLibrary;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Finds the library, checks it and loads it. It comes from a folder that a property names, or from the jar, and then by
 * way of a private folder that is deleted again.
 *
 * <p>Each class loader loads a file of its own, so an application that is deployed again loads it again; the library goes
 * with the last class that can call it.
 *
 * @param platform what the library must be built for
 * @param folder the folder that the property names; null to take the library of the jar
 * @param temporary the folder for temporary files
 * @param resources gives the resource of a name, null if there is none
 */
record NativeLoader(
        NativePlatform platform,
        @Nullable String folder,
        Path temporary,
        Function<String, @Nullable InputStream> resources) {
    /** Names a folder that holds the library, which is loaded from there. */
    static final String FOLDER_PROPERTY = "elbo4j.native.dir";

    /** What became of it. */
    sealed interface Outcome {}

    /**
     * The library is loaded.
     *
     * @param symbols its functions
     * @param origin where it came from, in words
     */
    record Loaded(SymbolLookup symbols, String origin) implements Outcome {}

    /**
     * It could not be loaded.
     *
     * @param problem why, and what to do
     */
    record Failed(Problem problem) implements Outcome {}

    /** Made at the first use, by the loader of classes: one for all threads, and the first cause is kept. */
    private static final class Once {
        static final Outcome OUTCOME = attempt(() -> new NativeLoader(
                        NativePlatform.current(),
                        System.getProperty(FOLDER_PROPERTY),
                        UnpackedLibrary.temporary(),
                        name -> NativeLoader.class.getResourceAsStream("/" + name))
                .find());
    }

    /** {@return what became of the library of this process} */
    static Outcome outcome() {
        return Once.OUTCOME;
    }

    /** {@return the functions of the library of this process, which must be loaded} */
    static SymbolLookup symbols() {
        return switch (outcome()) {
            case Loaded loaded -> loaded.symbols();
            case Failed failed ->
                throw new UnsatisfiedLinkError(failed.problem().toString());
        };
    }

    /** {@return what becomes of it; never throws} */
    Outcome load() {
        return attempt(this::find);
    }

    /** {@return what a search finds, or that nothing is to be found here, or what it threw} */
    static Outcome attempt(Supplier<Outcome> search) {
        Optional<Problem> unsuitable = NativePlatform.unsuitable();
        if (unsuitable.isPresent()) {
            return new Failed(unsuitable.get());
        }
        try {
            return search.get();
        } catch (IllegalCallerException e) {
            return new Failed(NativeObstacles.nativeAccess());
        } catch (RuntimeException | LinkageError e) {
            return new Failed(new Problem("looking for the native library failed: " + e, "report it with this line"));
        }
    }

    private Outcome find() {
        return folder == null ? ofJar() : ofFolder(Path.of(folder).toAbsolutePath());
    }

    private Outcome ofFolder(Path from) {
        Path file = from.resolve(platform.fileName());
        // What is no file, a pipe say, may never end.
        if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
            return new Failed(NativeObstacles.absent(file));
        }
        // The system maps a file that ends too early, and the process dies when it first looks there.
        try {
            if (!ElfFile.isWhole(file)) {
                return new Failed(NativeObstacles.truncated(file));
            }
        } catch (IOException e) {
            return new Failed(NativeObstacles.absent(file));
        }
        return open(file, "-D" + FOLDER_PROPERTY + "=" + from);
    }

    private Outcome ofJar() {
        String resource = platform.resource();
        byte[] content;
        String expected;
        try {
            byte[] found = read(resource);
            byte[] hash = read(resource + ".sha256");
            if (found == null) {
                return new Failed(NativeObstacles.noKernels(platform));
            }
            if (hash == null) {
                return new Failed(NativeObstacles.noHash(resource));
            }
            content = found;
            expected = new String(hash, StandardCharsets.US_ASCII).strip();
            String actual = UnpackedLibrary.sha256(new ByteArrayInputStream(content));
            if (!actual.equals(expected)) {
                return new Failed(NativeObstacles.wrongHash(resource, actual, expected));
            }
        } catch (IOException e) {
            return new Failed(NativeObstacles.unreadableResource(resource, e));
        }
        try (UnpackedLibrary library =
                UnpackedLibrary.unpack(temporary, platform.fileName(), new ByteArrayInputStream(content), expected)) {
            return open(library.file(), "the jar");
        } catch (IOException e) {
            return new Failed(NativeObstacles.unwritable(temporary, e));
        }
    }

    private byte @Nullable [] read(String resource) throws IOException {
        try (InputStream in = resources.apply(resource)) {
            return in == null ? null : in.readAllBytes();
        }
    }

    private Outcome open(Path file, String origin) {
        SymbolLookup symbols;
        try {
            symbols = SymbolLookup.libraryLookup(file, Arena.ofAuto());
        } catch (IllegalArgumentException e) {
            return new Failed(NativeObstacles.loading(file, LoaderMessage.of(file)));
        }
        Optional<MemorySegment> version = symbols.find("elbo4j_abi_version");
        if (version.isEmpty()) {
            return new Failed(NativeObstacles.noFunction(origin, "it has no function elbo4j_abi_version"));
        }
        int found = abiVersion(version.get());
        return found == NativeLibrary.ABI_VERSION
                ? new Loaded(symbols, origin)
                : new Failed(NativeObstacles.otherVersion(origin, found));
    }

    private static int abiVersion(MemorySegment function) {
        MethodHandle handle =
                Linker.nativeLinker().downcallHandle(function, FunctionDescriptor.of(ValueLayout.JAVA_INT));
        try {
            return (int) handle.invokeExact();
        } catch (Throwable e) {
            throw Rethrown.of(e);
        }
    }
}
