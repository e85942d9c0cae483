package io.github.elbo4j.backend.nativecpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteOrder;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NativePlatformTest {
    @ParameterizedTest
    @CsvSource({
        "Linux, amd64, true, META-INF/native/linux-x86_64/libelbo4j.so",
        "Linux, aarch64, true, META-INF/native/linux-aarch64/libelbo4j.so",
        "Linux, amd64, false, META-INF/native/linux-musl-x86_64/libelbo4j.so",
        "Linux, riscv64, true, META-INF/native/linux-riscv64/libelbo4j.so",
        "Mac OS X, aarch64, false, META-INF/native/macos-aarch64/libelbo4j.dylib",
        "Mac OS X, x86_64, false, META-INF/native/macos-x86_64/libelbo4j.dylib",
        "Windows Server 2022, amd64, false, META-INF/native/windows-x86_64/elbo4j.dll",
        "Some OS/2, mips, false, META-INF/native/some-os-2-mips/libelbo4j.so",
    })
    void eachPlatformHasAPlaceInTheJar(String os, String architecture, boolean glibc, String resource) {
        assertThat(NativePlatform.of(os, architecture, () -> glibc).resource()).isEqualTo(resource);
    }

    @Test
    void onlyLinuxIsAskedForItsCLibrary() {
        BooleanSupplier unaskable = () -> {
            throw new UnsupportedOperationException("no linker");
        };
        assertThat(NativePlatform.of("Windows 11", "aarch64", unaskable)).hasToString("windows-aarch64");
        assertThat(NativePlatform.of("Mac OS X", "aarch64", unaskable)).hasToString("macos-aarch64");
        assertThatThrownBy(() -> NativePlatform.of("Linux", "aarch64", unaskable))
                .isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void narrowAndBigEndianJvmsAreRefused() {
        assertThat(NativePlatform.unsuitable(8, ByteOrder.LITTLE_ENDIAN)).isEmpty();
        assertThat(NativePlatform.unsuitable(4, ByteOrder.LITTLE_ENDIAN)
                        .orElseThrow()
                        .reason())
                .contains("64-bit", "32-bit pointers and LITTLE_ENDIAN");
        assertThat(NativePlatform.unsuitable(8, ByteOrder.BIG_ENDIAN)
                        .orElseThrow()
                        .reason())
                .contains("64-bit pointers and BIG_ENDIAN");
    }
}
