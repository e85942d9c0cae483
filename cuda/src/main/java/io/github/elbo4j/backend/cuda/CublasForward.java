package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.BackendProvider.Problem;
import io.github.elbo4j.backend.engine.UnpackedLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.AddressLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The library of our own that stands for {@code libcublas.so.12} when only a newer cuBLAS is there:
 * {@code cublas_forward.S}. Loading it fills its slots with the functions of the newer one.
 */
final class CublasForward {
    /** Where the jar holds it; absent when the jar was built without gcc. */
    static final String RESOURCE = "/META-INF/native/linux-x86_64/libelbo4j_cublas_forward.so";

    private static final String FUNCTIONS = "/META-INF/native/linux-x86_64/cublas_functions.txt";
    private static final String PREFIX = "elbo4j_cublas_forward_";
    private static final AddressLayout POINTER = ValueLayout.ADDRESS;
    private static final long PAIR = 2 * POINTER.byteSize();

    /**
     * What loading gave.
     *
     * @param problem why it cannot be used
     * @param lacking functions that the newer cuBLAS does not have; they return 15, "not supported"
     */
    record Loaded(Optional<Problem> problem, List<String> lacking) {
        private static Loaded failed(String reason, String remedy) {
            return new Loaded(Optional.of(new Problem(reason, remedy)), List.of());
        }
    }

    private CublasForward() {}

    /** {@return whether this jar has the library} */
    static boolean built() {
        return CublasForward.class.getResource(RESOURCE) != null;
    }

    /** {@return the names of the functions that JCublas2 asks for; none if the jar was built without nm} */
    static List<String> functions() {
        try (InputStream content = CublasForward.class.getResourceAsStream(FUNCTIONS)) {
            return content == null
                    ? List.of()
                    : new String(content.readAllBytes(), StandardCharsets.US_ASCII)
                            .lines()
                            .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + FUNCTIONS, e);
        }
    }

    /** Loads it in front of a cuBLAS that is open already. */
    static Loaded load(DynamicLoader loader, DynamicLoader.Opened cublas) {
        Path temporary = UnpackedLibrary.temporary();
        try (InputStream content = CublasForward.class.getResourceAsStream(RESOURCE)) {
            if (content == null) {
                return Loaded.failed(
                        "this jar has no forwarding library for a cuBLAS newer than 12: it was built without gcc",
                        "install cuBLAS 12, or build the jar where gcc and nm are");
            }
            String name = RESOURCE.substring(RESOURCE.lastIndexOf('/') + 1);
            try (UnpackedLibrary library = UnpackedLibrary.unpack(temporary, name, content)) {
                DynamicLoader.Opened forward = loader.open(library.file().toString());
                return forward.failed()
                        ? new Loaded(
                                Optional.of(Obstacles.loading(
                                        new UnsatisfiedLinkError(forward.message()), "elbo4j-cuda", temporary)),
                                List.of())
                        : new Loaded(Optional.empty(), fill(loader, forward, cublas));
            }
        } catch (IOException e) {
            return new Loaded(Optional.of(Obstacles.unwritable(temporary, e)), List.of());
        }
    }

    private static List<String> fill(DynamicLoader loader, DynamicLoader.Opened forward, DynamicLoader.Opened cublas) {
        MemorySegment missing = symbol(loader, forward, "missing");
        MemorySegment missingText = symbol(loader, forward, "missing_text");
        MemorySegment table = symbol(loader, forward, "table").reinterpret(Long.MAX_VALUE);
        List<String> lacking = new ArrayList<>();
        for (long pair = 0; !table.get(POINTER, pair).equals(MemorySegment.NULL); pair += PAIR) {
            String name = DynamicLoader.text(table.get(POINTER, pair));
            Optional<MemorySegment> function = loader.find(cublas, name);
            if (function.isEmpty()) {
                lacking.add(name);
            }
            MemorySegment slot = table.get(POINTER, pair + POINTER.byteSize()).reinterpret(POINTER.byteSize());
            slot.set(POINTER, 0, function.orElse(returnsText(name) ? missingText : missing));
        }
        return List.copyOf(lacking);
    }

    private static boolean returnsText(String name) {
        return name.equals("cublasGetStatusName") || name.equals("cublasGetStatusString");
    }

    private static MemorySegment symbol(DynamicLoader loader, DynamicLoader.Opened forward, String name) {
        return loader.find(forward, PREFIX + name)
                .orElseThrow(() -> new UnsatisfiedLinkError("the forwarding library has no " + PREFIX + name));
    }
}
