package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.cuda.CudaLaunch.Device;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CudaLaunchTest {
    private static final Device LARGE = new Device(132, 2048, 1024, Integer.MAX_VALUE);

    @ParameterizedTest
    @CsvSource({
        "1, 1, 1", // less than a warp
        "256, 1, 1", // one block to the full
        "257, 1, 2", // and one thread more
        "1024, 4, 1",
        "1025, 4, 2",
        "270336, 1, 1056", // all that the device holds at once: 132 * 2048 / 256
        "270337, 1, 1056", // from here on threads stride
        "100000000, 4, 1056",
        "9223372036854775807, 1, 1056", // no overflow
    })
    void elementsFillTheDeviceAndNoMore(long elements, int perThread, int grid) {
        assertThat(CudaLaunch.elements(LARGE, elements, perThread)).isEqualTo(new CudaLaunch(grid, 256, 1));
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1, 1, 32, 1",
        "7, 20, 1, 32, 7", // one warp a row
        "128, 20, 16, 32, 8",
        "129, 128, 17, 32, 8",
        "128, 129, 128, 64, 1", // one block a row
        "128, 784, 128, 224, 1",
        "128, 1025, 128, 256, 1",
        "3000000000, 784, 2147483647, 224, 1", // more rows than a grid has blocks
        "9223372036854775807, 1, 2147483647, 32, 8",
        "7, 9223372036854775807, 7, 256, 1",
    })
    void aRowHasAWarpOrABlock(long rows, long columns, int grid, int width, int height) {
        assertThat(CudaLaunch.rows(LARGE, rows, columns)).isEqualTo(new CudaLaunch(grid, width, height));
    }

    @Test
    void everyLaunchIsOneThatTheDeviceCanRunAndReachesEveryElement() {
        Random random = new Random(11);
        for (int i = 0; i < 10_000; i++) {
            Device device = new Device(
                    1 + random.nextInt(200),
                    32 + random.nextInt(2048),
                    32 + random.nextInt(1024),
                    1 + random.nextInt(70_000));
            long elements = 1 + (random.nextLong() >>> (1 + random.nextInt(63)));
            int perThread = 1 << random.nextInt(4);
            CudaLaunch flat = CudaLaunch.elements(device, Math.max(1, elements), perThread);
            CudaLaunch rows = CudaLaunch.rows(device, Math.max(1, elements), 1 + random.nextInt(5000));
            for (CudaLaunch launch : new CudaLaunch[] {flat, rows}) {
                assertThat(launch.grid()).isBetween(1, device.maxGrid());
                assertThat(launch.width() * launch.height()).isBetween(32, device.maxBlock());
                assertThat(launch.width() % 32).isZero();
                assertThat(launch.height() == 1 || launch.width() == 32).isTrue();
            }
            // Either one pass reaches all, or the device is full.
            double reached = (double) flat.grid() * flat.width() * perThread;
            int resident = device.multiprocessors() * Math.max(1, device.threadsPerMultiprocessor() / flat.width());
            assertThat(reached >= elements || flat.grid() == Math.min(resident, device.maxGrid()))
                    .isTrue();
        }
    }

    @Test
    void nothingIsNoLaunch() {
        assertThatThrownBy(() -> CudaLaunch.elements(LARGE, 0, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> CudaLaunch.elements(LARGE, 1, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> CudaLaunch.rows(LARGE, 0, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> CudaLaunch.rows(LARGE, 1, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Device(0, 2048, 1024, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Device(1, 2048, 31, 1)).isInstanceOf(IllegalArgumentException.class);
    }
}
