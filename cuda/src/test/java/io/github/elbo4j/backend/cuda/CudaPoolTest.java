package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.BackendException;
import io.github.elbo4j.backend.BackendMemoryException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CudaPoolTest extends DeviceTest {
    private static final long CHUNK = BlockAllocator.CHUNK;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void blocksAreZeroEachTime(boolean pooled) {
        try (CudaPool pool = new CudaPool(context, stream, pooled);
                CudaStaging staging = new CudaStaging(context, stream)) {
            float[] ones = new float[1000];
            java.util.Arrays.fill(ones, 1f);
            for (int i = 0; i < 4; i++) {
                CudaPool.Block block = pool.allocate("numbers", 4000);
                assertThat(block.bytes()).isEqualTo(4000);
                assertThat(block.address() % (pooled ? 256 : 16)).isZero();
                assertThat(read(staging, block)).containsOnly(0f);
                staging.upload(java.lang.foreign.MemorySegment.ofArray(ones), block.address());
                pool.free(block);
            }
            assertThat(pool.reservedBytes()).isEqualTo(pooled ? CHUNK : 0);
        }
        assertThat(EmulatorControl.counter("live_allocations")).isZero();
    }

    /** A kernel that is still to run uses the block that is freed behind it. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aBlockCanBeFreedBehindTheWorkThatUsesIt(boolean pooled) {
        try (CudaPool pool = new CudaPool(context, stream, pooled);
                CudaStaging staging = new CudaStaging(context, stream);
                CudaModule kernels = sound()) {
            CudaPool.Block a = floats(pool, staging, 1, 2, 3, 4);
            CudaPool.Block sum = pool.allocate("sum", 16);
            CudaModule.Kernel add = kernels.kernel("vector_add");
            add.launch(stream, 1, 1, 32, 1, a.address(), a.address(), sum.address(), 4);
            long waits = EmulatorControl.callCount("cuStreamSynchronize");
            pool.free(a);
            // Given back to the driver only behind its last use; the driver need not wait for a stream.
            assertThat(EmulatorControl.callCount("cuStreamSynchronize") - waits).isEqualTo(pooled ? 0 : 1);
            CudaPool.Block next = pool.allocate("next", 16);
            if (pooled) {
                assertThat(next.address()).isEqualTo(a.address());
            }
            assertThat(read(staging, sum)).containsExactly(2, 4, 6, 8);
            assertThat(read(staging, next)).containsOnly(0f);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void withoutRoomEverythingStaysUsable(boolean pooled) {
        try (CudaPool pool = new CudaPool(context, stream, pooled)) {
            CudaPool.Block held = pool.allocate("held", 1000);
            long before = pool.reservedBytes();
            assertThatThrownBy(() -> pool.allocate("weights of a giant", 1L << 45))
                    .isInstanceOf(BackendMemoryException.class)
                    .hasMessageContainingAll(
                            "weights of a giant needs 35184372088832 bytes",
                            "free of",
                            "this backend holds " + before,
                            "smaller model, batch or data set");
            assertThat(pool.reservedBytes()).isEqualTo(before);
            assertThat(context.lost()).isFalse();
            pool.free(held);
            pool.free(pool.allocate("after", 1000));
        }
    }

    @Test
    void aSpareChunkIsGivenBackBeforeGivingUp() {
        try (CudaPool pool = new CudaPool(context, stream, true)) {
            pool.free(pool.allocate("small", 10));
            assertThat(pool.reservedBytes()).isEqualTo(CHUNK);
            EmulatorControl.failNth("cuMemAlloc_v2", 1, 2);
            CudaPool.Block large = pool.allocate("large", CHUNK + 1);
            assertThat(pool.reservedBytes()).isEqualTo(BlockAllocator.rounded(CHUNK + 1));
            pool.free(large);
            assertThat(pool.reservedBytes()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aFailureToZeroLeavesNoBlock(boolean pooled) {
        try (CudaPool pool = new CudaPool(context, stream, pooled)) {
            EmulatorControl.failNth("cuMemsetD8Async", 1, 1);
            assertThatThrownBy(() -> pool.allocate("numbers", 100))
                    .isInstanceOf(CudaException.class)
                    .hasMessageContaining("cuMemsetD8Async for numbers failed with CUDA_ERROR_INVALID_VALUE");
            assertThat(pool.reservedBytes()).isEqualTo(pooled ? CHUNK : 0);
            pool.free(pool.allocate("numbers", 100));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void nothingIsFreedTwice(boolean pooled) {
        try (CudaPool pool = new CudaPool(context, stream, pooled)) {
            CudaPool.Block block = pool.allocate("numbers", 100);
            pool.free(block);
            assertThatThrownBy(() -> pool.free(block)).isInstanceOf(IllegalStateException.class);
            // The same place, another block.
            CudaPool.Block other = pool.allocate("numbers", 100);
            assertThatThrownBy(() -> pool.free(block)).isInstanceOf(IllegalStateException.class);
            pool.free(other);
            assertThatThrownBy(() -> pool.allocate("nothing", 0)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void closingTakesWhatIsLeft(boolean pooled) {
        CudaPool pool = new CudaPool(context, stream, pooled);
        CudaPool.Block block = pool.allocate("small", 10);
        pool.allocate("large", 2 * CHUNK);
        pool.close();
        pool.close();
        assertThat(EmulatorControl.counter("live_allocations")).isZero();
        pool.free(block);
        assertThatThrownBy(() -> pool.allocate("late", 1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is closed");
    }

    @Test
    @SuppressWarnings("ThreadPriorityCheck")
    void manyVirtualThreadsShareIt() throws InterruptedException {
        try (CudaPool pool = new CudaPool(context, stream, true)) {
            List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
            Set<Long> held = Collections.synchronizedSet(new HashSet<>());
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 64; t++) {
                Random random = new Random(t);
                threads.add(Thread.startVirtualThread(() -> {
                    try {
                        for (int i = 0; i < 50; i++) {
                            CudaPool.Block block = pool.allocate("numbers", 1 + random.nextInt(100_000));
                            if (!held.add(block.address())) {
                                throw new AssertionError("handed out twice: " + block);
                            }
                            Thread.yield();
                            held.remove(block.address());
                            pool.free(block);
                        }
                    } catch (RuntimeException | AssertionError e) {
                        failures.add(e);
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(failures).isEmpty();
        }
    }

    @Test
    void aLostContextRefusesAtOnceAndClosesQuietly() {
        CudaPool pool = new CudaPool(context, stream, true);
        CudaPool.Block block = pool.allocate("numbers", 100);
        assertThatThrownBy(() -> context.check("cuLaunchKernel of x", 700)).isInstanceOf(CudaException.class);
        long calls = EmulatorControl.callCount("cuMemAlloc_v2");
        assertThatThrownBy(() -> pool.allocate("more", 2 * CHUNK))
                .isInstanceOf(BackendException.class)
                .hasMessageContainingAll("cuLaunchKernel of x", "restart the process");
        assertThat(EmulatorControl.callCount("cuMemAlloc_v2")).isEqualTo(calls);
        pool.free(block);
        pool.close();
    }
}
