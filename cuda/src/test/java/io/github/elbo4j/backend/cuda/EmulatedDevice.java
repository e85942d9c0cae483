package io.github.elbo4j.backend.cuda;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The device that tests of this process run on: the emulated one that the build has made, or with
 * {@code -Delbo4j.test.device=real} whatever the machine has.
 *
 * <p>A process has one driver, and the first look for it is kept. So every test that may touch JCuda in this process comes
 * here first.
 */
final class EmulatedDevice {
    private static final Path FOLDER = Path.of("target/emulator/lib").toAbsolutePath();
    private static boolean loaded;

    private EmulatedDevice() {}

    /** {@return whether tests run on the machine's own device} */
    static boolean real() {
        return System.getProperty("elbo4j.test.device", "emulated").equals("real");
    }

    /** {@return a file of the emulated device} */
    static Path file(String name) {
        return FOLDER.resolve(name);
    }

    /** {@return whether the build has made it} */
    static boolean built() {
        return Files.isRegularFile(file("libcuda.so.1")) && Files.isRegularFile(file("libcublas.so.12"));
    }

    /** Loads it if it is wanted and there, once. */
    static synchronized void load() {
        if (loaded || real() || !built()) {
            return;
        }
        // By their names these satisfy what JCuda's libraries ask for.
        System.load(file("libcuda.so.1").toString());
        System.load(file("libcublas.so.12").toString());
        System.setProperty(CublasSearch.PROPERTY, file("libcublas.so.12").toString());
        if (Files.isRegularFile(file("elbo4j_kernels.so"))) {
            System.setProperty(CudaModule.PROPERTY, file("elbo4j_kernels.so").toString());
        }
        loaded = true;
    }

    /** Loads it; skips the calling test, or fails it if the CUDA part is required, where there is no device. */
    static void assumeAvailable() {
        Tools.needPlatform();
        load();
        if (!real() && !built()) {
            Tools.lacking("there is no emulated device in " + FOLDER + ": the build needs cmake, make and g++");
        }
    }

    /** The same for a test that steers the emulated device. */
    static void assumeEmulated() {
        if (real()) {
            Tools.skip("only the emulated device can be steered");
        }
        assumeAvailable();
    }
}
