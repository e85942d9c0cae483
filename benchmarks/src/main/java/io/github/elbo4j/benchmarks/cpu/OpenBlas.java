package io.github.elbo4j.benchmarks.cpu;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Asks the OpenBLAS that this process has loaded for which processor its kernels are. */
public final class OpenBlas {
    private static final Path MAPS = Path.of("/proc/self/maps");
    private static final int LONGEST_NAME = 64;

    private OpenBlas() {}

    /** {@return the core type, such as SkylakeX; "none" where no OpenBLAS is loaded} */
    public static String coreType() {
        try {
            Optional<String> file = Files.readAllLines(MAPS).stream()
                    .filter(line -> line.contains("openblas") && line.contains("/"))
                    .map(line -> line.substring(line.indexOf('/')))
                    .filter(path -> !path.contains("jni"))
                    .findFirst();
            return file.isPresent() ? coreType(file.get()) : "none";
        } catch (IOException e) {
            return "unknown: " + e.getMessage();
        }
    }

    private static String coreType(String file) {
        try (Arena arena = Arena.ofConfined()) {
            Optional<MemorySegment> function =
                    SymbolLookup.libraryLookup(Path.of(file), arena).find("openblas_get_corename");
            if (function.isEmpty()) {
                return "unknown";
            }
            MemorySegment name = (MemorySegment) Linker.nativeLinker()
                    .downcallHandle(function.get(), FunctionDescriptor.of(ValueLayout.ADDRESS))
                    .invokeExact();
            return name.reinterpret(LONGEST_NAME).getString(0);
        } catch (Throwable e) {
            return "unknown: " + e;
        }
    }
}
