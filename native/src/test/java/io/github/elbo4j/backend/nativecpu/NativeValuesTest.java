package io.github.elbo4j.backend.nativecpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NativeValuesTest {
    private NativeValues values;

    @BeforeEach
    void allocate() {
        NativeFixture.assumeAvailable();
        values = NativeValues.allocate("values", 4 * 1000);
    }

    @AfterEach
    void free() {
        if (values != null) {
            values.free();
        }
    }

    private long version() {
        return number(values.version());
    }

    private static long number(long address) {
        return MemorySegment.ofAddress(address).reinterpret(Long.BYTES).get(ValueLayout.JAVA_LONG, 0);
    }

    @Test
    void copiesLieBehindTheValuesAndBothAreAligned() {
        assertThat(values.address() % 64).isZero();
        assertThat(values.packed() % 64).isZero();
        assertThat(values.packed() - values.address()).isGreaterThanOrEqualTo(4000);
        assertThat(values.bytes()).isEqualTo(NativeValues.bytes(4000)).isEqualTo(64 + 2 * 4032);
        assertThat(values.elements().byteSize()).isEqualTo(4000);
    }

    @Test
    void everyUploadIsCounted() {
        long before = version();
        values.upload(MemorySegment.ofArray(new float[] {1, 2}), 8);
        values.upload(MemorySegment.ofArray(new float[] {3}), 0);
        assertThat(version()).isEqualTo(before + 2);
        assertThat(values.elements().get(ValueLayout.JAVA_FLOAT, 8)).isEqualTo(1f);
    }

    @Test
    void viewsThatOverlapShareNoCopy() {
        long first = values.packedVersion(0, 4, 32);
        assertThat(number(first)).isEqualTo(-1);
        assertThat(values.packedVersion(0, 4, 32)).isEqualTo(first);
        assertThat(values.packedVersion(128, 4, 32)).isNotZero().isNotEqualTo(first);
        assertThat(values.packedVersion(0, 32, 4)).isZero();
        assertThat(values.packedVersion(112, 4, 32)).isZero();
        assertThat(values.packedVersion(256, 2, 16)).isNotZero();
    }

    @Test
    void whereAnyKernelWritesNoCopyIsRead() {
        assertThat(values.packedVersion(0, 4, 32)).isNotZero();
        values.writtenByAnyKernel();
        assertThat(values.packedVersion(0, 4, 32)).isZero();
    }
}
