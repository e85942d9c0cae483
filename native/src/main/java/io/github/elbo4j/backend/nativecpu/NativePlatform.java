package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.BackendProvider.Problem;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * What a library is built for, as the folders of the jar are named.
 *
 * @param os linux, linux-musl, macos or windows; any other by its own name
 * @param architecture x86_64 or aarch64; any other by its own name
 */
record NativePlatform(String os, String architecture) {
    /**
     * {@return that of this process}
     *
     * @throws UnsupportedOperationException if this is Linux and the JVM cannot call native code
     */
    static NativePlatform current() {
        return of(System.getProperty("os.name", "?"), System.getProperty("os.arch", "?"), NativePlatform::usesGlibc);
    }

    /**
     * {@return the platform of a JVM}
     *
     * @param osName its {@code os.name}
     * @param osArch its {@code os.arch}
     * @param glibc whether the C library is glibc, asked on Linux only
     */
    static NativePlatform of(String osName, String osArch, BooleanSupplier glibc) {
        String name = osName.toLowerCase(Locale.ROOT);
        String os = name;
        if (name.startsWith("linux")) {
            os = glibc.getAsBoolean() ? "linux" : "linux-musl";
        } else if (name.startsWith("mac")) {
            os = "macos";
        } else if (name.startsWith("windows")) {
            os = "windows";
        }
        String architecture = switch (osArch.toLowerCase(Locale.ROOT)) {
            case "amd64", "x86_64" -> "x86_64";
            case "aarch64", "arm64" -> "aarch64";
            default -> osArch;
        };
        return new NativePlatform(os.replaceAll("[^a-z0-9-]", "-"), architecture);
    }

    private static boolean usesGlibc() {
        return Linker.nativeLinker()
                .defaultLookup()
                .find("gnu_get_libc_version")
                .isPresent();
    }

    /** {@return that the library cannot be had for this process at all; empty if it can} */
    static Optional<Problem> unsuitable() {
        return unsuitable(ValueLayout.ADDRESS.byteSize(), ByteOrder.nativeOrder());
    }

    /** {@return the same for a process with pointers of so many bytes in that order} */
    static Optional<Problem> unsuitable(long pointerBytes, ByteOrder order) {
        if (pointerBytes == Long.BYTES && order.equals(ByteOrder.LITTLE_ENDIAN)) {
            return Optional.empty();
        }
        return Optional.of(new Problem(
                "the native kernels need 64-bit pointers and little-endian numbers; this JVM has " + 8 * pointerBytes
                        + "-bit pointers and " + order,
                "use the backend 'java'"));
    }

    /** {@return the name of the library's file} */
    String fileName() {
        return switch (os) {
            case "windows" -> "elbo4j.dll";
            case "macos" -> "libelbo4j.dylib";
            default -> "libelbo4j.so";
        };
    }

    /** {@return the resource that holds the library} */
    String resource() {
        return "META-INF/native/" + this + "/" + fileName();
    }

    @Override
    public String toString() {
        return os + "-" + architecture;
    }
}
