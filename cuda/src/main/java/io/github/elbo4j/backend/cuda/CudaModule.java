package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.BackendException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;

/**
 * The kernels of this library on one device. A launch is checked against the build's descriptors before anything native
 * happens, as the driver reads as many arguments as the kernel has, whatever it is given.
 */
final class CudaModule implements AutoCloseable {
    /** Where the jar holds the image. */
    static final String IMAGE = "/META-INF/native/cuda/elbo4j.fatbin";

    /** Where the jar holds the descriptors. */
    static final String DESCRIPTORS = "/META-INF/native/cuda/kernels.txt";

    /** Names a file to take the image from in place of the jar's. */
    static final String PROPERTY = "elbo4j.cuda.kernels";

    private static final int MAX_GRID_Y = 65_535;
    private static final long WORD = 8;

    private final CudaContext context;
    private final CUmodule module;
    private final Map<String, Kernel> kernels = new HashMap<>();
    private final AtomicBoolean closed = new AtomicBoolean();

    private CudaModule(CudaContext context, CUmodule module) {
        this.context = context;
        this.module = module;
    }

    /**
     * Loads the kernels of the jar, or those of the file that {@code -Delbo4j.cuda.kernels} names.
     *
     * @throws BackendException if there are none, or if the device cannot run them
     */
    static CudaModule load(CudaContext context) {
        try {
            return load(context, image(), descriptors());
        } catch (IOException e) {
            throw new BackendException("the CUDA kernels cannot be read: " + e.getMessage(), e);
        }
    }

    static CudaModule load(CudaContext context, byte[] image, KernelDescriptors descriptors) {
        CUmodule module = new CUmodule();
        context.run(
                "cuModuleLoadData of " + image.length + " bytes", () -> JCudaDriver.cuModuleLoadData(module, image));
        CudaModule loaded = new CudaModule(context, module);
        try {
            descriptors.kernels().forEach(loaded::add);
            return loaded;
        } catch (RuntimeException e) {
            loaded.close();
            throw e;
        }
    }

    /** {@return the image to load} */
    static byte[] image() throws IOException {
        String file = System.getProperty(PROPERTY);
        return file == null || file.isBlank() ? resource(IMAGE) : Files.readAllBytes(Path.of(file.strip()));
    }

    /** {@return what the build says of the kernels} */
    static KernelDescriptors descriptors() throws IOException {
        return KernelDescriptors.parse(new String(resource(DESCRIPTORS), StandardCharsets.UTF_8));
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream content = CudaModule.class.getResourceAsStream(name)) {
            if (content == null) {
                throw new IOException("they were not compiled into this jar (" + name + " is not in it)");
            }
            return content.readAllBytes();
        }
    }

    private void add(String name, String codes) {
        CUfunction function = new CUfunction();
        context.run("cuModuleGetFunction of " + name, () -> JCudaDriver.cuModuleGetFunction(function, module, name));
        // Loads its code now: the driver would do so at the first launch, which may stand in a capture.
        context.run(
                "cuFuncGetAttribute of " + name,
                () -> JCudaDriver.cuFuncGetAttribute(
                        new int[1], CUfunction_attribute.CU_FUNC_ATTRIBUTE_NUM_REGS, function));
        kernels.put(name, new Kernel(name, codes, function));
    }

    /**
     * {@return a kernel}
     *
     * @throws IllegalArgumentException if there is none of that name
     */
    Kernel kernel(String name) {
        Kernel kernel = kernels.get(name);
        if (kernel == null) {
            throw new IllegalArgumentException("there is no kernel '" + name + "' in " + DESCRIPTORS);
        }
        return kernel;
    }

    /** Unloads them; never throws. Nothing issued may still use them. */
    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            context.release("cuModuleUnload", () -> JCudaDriver.cuModuleUnload(module));
        }
    }

    /** One kernel. */
    final class Kernel {
        private final String name;
        private final String codes;
        private final CUfunction function;

        private Kernel(String name, String codes, CUfunction function) {
            this.name = name;
            this.codes = codes;
            this.function = function;
        }

        /**
         * Launches it.
         *
         * @param arguments a {@link Long} for a pointer or a 64-bit integer, an {@link Integer} for a 32-bit one, a
         *     {@link Float} or a {@link Double}
         * @throws IllegalArgumentException if the arguments are not those of the kernel, or if no device runs such a grid
         */
        void launch(CudaStream stream, int gridX, int gridY, int blockX, int blockY, Object... arguments) {
            checkGrid(gridX, gridY, blockX, blockY);
            checkArguments(arguments);
            if (closed.get()) {
                throw new IllegalStateException("kernel " + name + ": its module is closed");
            }
            try (Arena arena = Arena.ofConfined()) {
                // The driver copies the values before the call returns.
                HostPointer encoded = HostPointer.of(encode(arena, arguments));
                context.run(
                        "cuLaunchKernel of " + name,
                        () -> JCudaDriver.cuLaunchKernel(
                                function, gridX, gridY, 1, blockX, blockY, 1, 0, stream.handle(), encoded, null));
            }
        }

        private void checkGrid(int gridX, int gridY, int blockX, int blockY) {
            CudaLaunch.Device limits = context.device().limits();
            boolean grid = gridX >= 1 && gridX <= limits.maxGrid() && gridY >= 1 && gridY <= MAX_GRID_Y;
            boolean block = blockX >= 1 && blockY >= 1 && (long) blockX * blockY <= limits.maxBlock();
            if (!grid || !block) {
                throw new IllegalArgumentException("kernel " + name + ": no device runs a grid of " + gridX + " x "
                        + gridY + " blocks of " + blockX + " x " + blockY + " threads");
            }
        }

        private void checkArguments(Object[] arguments) {
            if (arguments.length != codes.length()) {
                throw new IllegalArgumentException("kernel " + name + " takes " + codes.length() + " arguments ("
                        + codes + "), not " + arguments.length);
            }
            for (int i = 0; i < arguments.length; i++) {
                if (!type(codes.charAt(i)).isInstance(arguments[i])) {
                    throw new IllegalArgumentException("kernel " + name + " (" + codes + "): argument " + i + " is "
                            + arguments[i] + ", not a " + type(codes.charAt(i)).getSimpleName());
                }
            }
        }

        /** Pointers to the values first, then the values, a word each. */
        private static MemorySegment encode(Arena arena, Object[] arguments) {
            // A null pointer in place of no arguments would kill the process inside JCuda.
            MemorySegment words = arena.allocate(Math.max(1, 2 * arguments.length) * WORD, WORD);
            long values = arguments.length * WORD;
            for (int i = 0; i < arguments.length; i++) {
                long at = values + i * WORD;
                words.set(ValueLayout.JAVA_LONG, i * WORD, words.address() + at);
                switch (arguments[i]) {
                    case Long value -> words.set(ValueLayout.JAVA_LONG, at, value);
                    case Integer value -> words.set(ValueLayout.JAVA_INT, at, value);
                    case Float value -> words.set(ValueLayout.JAVA_FLOAT, at, value);
                    case Double value -> words.set(ValueLayout.JAVA_DOUBLE, at, value);
                    default -> throw new IllegalArgumentException(String.valueOf(arguments[i]));
                }
            }
            return words;
        }

        private static Class<?> type(char code) {
            return switch (code) {
                case 'p', 'l' -> Long.class;
                case 'i', 'u' -> Integer.class;
                case 'f' -> Float.class;
                case 'd' -> Double.class;
                default -> throw new IllegalArgumentException("no parameter type has the letter " + code);
            };
        }
    }
}
