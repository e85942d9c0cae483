package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CudaDeviceTest {
    private static final CudaLaunch.Device LIMITS = new CudaLaunch.Device(132, 2048, 1024, Integer.MAX_VALUE);
    private static final List<CudaDevice> TWO = List.of(
            new CudaDevice(
                    0, "GPU-aabbccdd-0000-1111-2222-333333333333", "NVIDIA H200", 9, 0, 150_000_000_000L, LIMITS),
            new CudaDevice(1, "GPU-aabbccee-0000-1111-2222-333333333333", "Tesla T4", 7, 5, 16L << 30, LIMITS));

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "1, 1",
        "' 1 ', 1",
        "GPU-aabbccee, 1",
        "gpu-AABBCCDD-0000, 0",
        "GPU-aabbccdd-0000-1111-2222-333333333333, 0"
    })
    void aWishNamesADevice(String wish, int ordinal) {
        assertThat(CudaDevice.select(wish, TWO).ordinal()).isEqualTo(ordinal);
    }

    @ParameterizedTest
    @ValueSource(strings = {"2", "", "GPU-", "GPU-x", "GPU-aabbcc", "-1", "00", "99999999999999999999", "H200"})
    void aWishThatNamesNoneListsWhatThereIs(String wish) {
        assertThatThrownBy(() -> CudaDevice.select(wish, TWO))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll(
                        "device '" + wish + "' names ",
                        "0 = GPU-aabbccdd-0000-1111-2222-333333333333 NVIDIA H200, 1 = GPU-aabbccee");
    }

    @Test
    void wordsForPeople() {
        assertThat(TWO.get(1)).hasToString("Tesla T4 (device 1, compute capability 7.5, 16.0 GiB)");
        assertThat(TWO.get(1).capability()).isEqualTo(75);
        assertThatThrownBy(() -> CudaDevice.select("0", List.of())).hasMessageContaining("there is none");
    }

    @Test
    void theDriverTellsWhatThereIs() {
        EmulatedDevice.assumeAvailable();
        List<CudaDevice> devices = CudaDevice.list();
        assertThat(devices).isNotEmpty();
        for (CudaDevice device : devices) {
            assertThat(device.uuid()).matches("GPU-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
            assertThat(device.name()).isNotBlank();
            assertThat(device.totalBytes()).isGreaterThan(1L << 30);
            assertThat(CudaDevice.select(device.uuid())).isEqualTo(device);
            assertThat(CudaDevice.select(String.valueOf(device.ordinal()))).isEqualTo(device);
        }
    }
}
