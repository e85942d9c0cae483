package io.github.elbo4j.backend.nativecpu;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** The name of the machine's CPU. */
final class CpuModel {
    private static final String NAME = read(Path.of("/proc/cpuinfo"));

    private CpuModel() {}

    /** {@return the maker's name for it, or the architecture where the system does not tell} */
    static String name() {
        return NAME;
    }

    /** {@return the first model name of a file in the form of Linux} */
    static String read(Path cpuinfo) {
        String architecture = System.getProperty("os.arch", "?");
        try (Stream<String> lines = Files.lines(cpuinfo)) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .filter(name -> !name.isEmpty())
                    .findFirst()
                    .orElse(architecture);
        } catch (IOException | UncheckedIOException e) {
            return architecture;
        }
    }
}
