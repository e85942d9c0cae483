package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A context, a stream and the kernels of the emulator's own tests, on a device without a past; nothing may be left. */
abstract class DeviceTest {
    static final KernelDescriptors SOUND = KernelDescriptors.parse("""
            vector_add pppi
            axpy_vector ppfi
            scale_by pfi
            add_constant pfi
            echo_arguments piulfd
            """);
    static final KernelDescriptors BROKEN = KernelDescriptors.parse("out_of_bounds pi\ntrap_itself p\n");

    CudaContext context;
    CudaStream stream;

    @BeforeEach
    void open() {
        EmulatedDevice.assumeEmulated();
        EmulatorControl.reset();
        EmulatorControl.clearFailures();
        CudaContext.forgetLost();
        context = CudaContext.open(CudaDevice.list().get(0));
        stream = CudaStream.open(context);
    }

    @AfterEach
    void close() {
        if (context == null) {
            return;
        }
        EmulatorControl.clearFailures();
        boolean lost = context.lost();
        stream.close();
        long left = EmulatorControl.counter("live_allocations");
        context.close();
        EmulatorControl.reset();
        CudaContext.forgetLost();
        if (!lost) {
            assertThat(left).as("allocations left behind").isZero();
        }
        assertThat(EmulatorControl.counter("violations")).isZero();
        assertThat(EmulatorControl.counter("unpinned_async_copies")).isZero();
    }

    CudaModule sound() {
        return CudaModule.load(context, image("sound.so"), SOUND);
    }

    CudaModule broken() {
        return CudaModule.load(context, image("broken.so"), BROKEN);
    }

    static byte[] image(String name) {
        try {
            return Files.readAllBytes(EmulatedDevice.file(name));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    float[] read(CudaStaging staging, CudaPool.Block block) {
        float[] values = new float[(int) (block.bytes() / Float.BYTES)];
        staging.download(block.address(), MemorySegment.ofArray(values));
        return values;
    }

    CudaPool.Block floats(CudaPool pool, CudaStaging staging, float... values) {
        CudaPool.Block block = pool.allocate("test", values.length * 4L);
        staging.upload(MemorySegment.ofArray(values), block.address());
        return block;
    }
}
