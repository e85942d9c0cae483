package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CudaStagingTest extends DeviceTest {
    private static final int BUFFER = (int) CudaStaging.BUFFER;

    @ParameterizedTest
    @ValueSource(
            ints = {
                0,
                1,
                3,
                4096,
                BUFFER - 1,
                BUFFER,
                BUFFER + 1,
                2 * BUFFER,
                2 * BUFFER + 7,
                5 * BUFFER + 3,
                6 * BUFFER
            })
    void bytesGoThereAndBack(int bytes) {
        byte[] source = new byte[bytes];
        new Random(bytes).nextBytes(source);
        try (CudaPool pool = new CudaPool(context, stream, true);
                CudaStaging staging = new CudaStaging(context, stream);
                Arena arena = Arena.ofConfined()) {
            long address = pool.allocate("bytes", bytes + 64L).address();
            staging.upload(MemorySegment.ofArray(source), address);
            byte[] heap = new byte[bytes];
            staging.download(address, MemorySegment.ofArray(heap));
            assertThat(Arrays.equals(heap, source)).isTrue();

            // One byte off, native, and what lies around must not change.
            MemorySegment around = arena.allocate(bytes + 2L).fill((byte) 0x5a);
            staging.download(address, around.asSlice(1, bytes));
            assertThat(MemorySegment.mismatch(around, 1, bytes + 1L, MemorySegment.ofArray(source), 0, bytes))
                    .isEqualTo(-1);
            assertThat(around.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 0x5a);
            assertThat(around.get(java.lang.foreign.ValueLayout.JAVA_BYTE, bytes + 1L))
                    .isEqualTo((byte) 0x5a);
            staging.upload(around.asSlice(1, bytes), address + 1);
            byte[] last = new byte[1];
            staging.download(address + bytes + 1, MemorySegment.ofArray(last));
            assertThat(last[0]).as("behind the copy").isZero();
        }
    }

    /** Nothing has run yet when upload returns: the emulated device waits until somebody does. */
    @Test
    void theSourceMayBeChangedAtOnce() {
        try (CudaPool pool = new CudaPool(context, stream, true);
                CudaStaging staging = new CudaStaging(context, stream)) {
            float[] values = new float[3 * BUFFER / 4 + 5];
            Arrays.fill(values, 1f);
            CudaPool.Block block = pool.allocate("numbers", values.length * 4L);
            staging.upload(MemorySegment.ofArray(values), block.address());
            Arrays.fill(values, 9f);
            float[] seen = read(staging, block);
            for (float each : seen) {
                if (each != 1f) {
                    throw new AssertionError(each + " was uploaded late");
                }
            }
        }
    }

    @Test
    void copiesKeepTheStreamsOrder() {
        try (CudaPool pool = new CudaPool(context, stream, true);
                CudaStaging staging = new CudaStaging(context, stream);
                CudaModule kernels = sound()) {
            CudaPool.Block x = pool.allocate("numbers", 4);
            for (int i = 0; i < 50; i++) {
                staging.upload(MemorySegment.ofArray(new float[] {i}), x.address());
                kernels.kernel("scale_by").launch(stream, 1, 1, 32, 1, x.address(), 2f, 1);
                assertThat(read(staging, x)).containsExactly(2f * i);
            }
        }
    }

    @Test
    void collectionsDoNotDisturbHeapCopies() throws InterruptedException {
        AtomicBoolean stop = new AtomicBoolean();
        List<byte[]> garbage = Collections.synchronizedList(new ArrayList<>());
        Thread collector = Thread.ofPlatform().start(() -> {
            while (!stop.get()) {
                garbage.add(new byte[1 << 20]);
                if (garbage.size() > 50) {
                    garbage.clear();
                    System.gc();
                }
            }
        });
        try (CudaPool pool = new CudaPool(context, stream, true);
                CudaStaging staging = new CudaStaging(context, stream)) {
            byte[] source = new byte[BUFFER + 17];
            new Random(3).nextBytes(source);
            long address = pool.allocate("bytes", source.length).address();
            for (int i = 0; i < 20; i++) {
                byte[] target = new byte[source.length];
                staging.upload(MemorySegment.ofArray(source), address);
                staging.download(address, MemorySegment.ofArray(target));
                assertThat(Arrays.equals(source, target)).isTrue();
            }
        } finally {
            stop.set(true);
            collector.join();
        }
    }

    @Test
    void virtualThreadsTakeTurns() throws InterruptedException {
        try (CudaPool pool = new CudaPool(context, stream, true);
                CudaStaging staging = new CudaStaging(context, stream)) {
            List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
            List<Thread> threads = new ArrayList<>();
            for (int t = 0; t < 32; t++) {
                int seed = t;
                long address = pool.allocate("bytes", 10_000).address();
                threads.add(Thread.startVirtualThread(() -> {
                    try {
                        byte[] source = new byte[10_000];
                        new Random(seed).nextBytes(source);
                        for (int i = 0; i < 10; i++) {
                            byte[] target = new byte[source.length];
                            staging.upload(MemorySegment.ofArray(source), address);
                            staging.download(address, MemorySegment.ofArray(target));
                            assertThat(target).isEqualTo(source);
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
    void whatCannotBeWrittenIsRefusedAndAFailureLeavesItUsable() {
        try (CudaPool pool = new CudaPool(context, stream, true);
                CudaStaging staging = new CudaStaging(context, stream)) {
            CudaPool.Block x = floats(pool, staging, 1, 2);
            MemorySegment fixed = MemorySegment.ofArray(new float[2]).asReadOnly();
            assertThatThrownBy(() -> staging.download(x.address(), fixed)).isInstanceOf(IllegalArgumentException.class);
            EmulatorControl.failNth("cuMemcpyDtoHAsync_v2", 1, 1);
            assertThatThrownBy(() -> read(staging, x)).hasMessageContaining("cuMemcpyDtoHAsync of 8 bytes");
            EmulatorControl.failNth("cuMemcpyHtoDAsync_v2", 1, 1);
            assertThatThrownBy(() -> staging.upload(fixed, x.address())).hasMessageContaining("cuMemcpyHtoDAsync of 8");
            assertThat(read(staging, x)).containsExactly(1, 2);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void withoutPinnedMemoryNothingIsLeft(int which) {
        EmulatorControl.failNth("cuMemHostAlloc", which, 2);
        assertThatThrownBy(() -> new CudaStaging(context, stream))
                .isInstanceOf(CudaException.class)
                .hasMessageContaining("cuMemHostAlloc of 4194304 bytes");
        long freed = EmulatorControl.callCount("cuMemFreeHost");
        CudaStaging staging = new CudaStaging(context, stream);
        staging.close();
        staging.close();
        assertThat(EmulatorControl.callCount("cuMemFreeHost")).isEqualTo(freed + 2);
        assertThatThrownBy(() -> staging.upload(MemorySegment.ofArray(new byte[1]), 0))
                .isInstanceOf(IllegalStateException.class);
    }
}
