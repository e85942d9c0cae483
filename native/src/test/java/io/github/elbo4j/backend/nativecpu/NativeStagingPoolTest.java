package io.github.elbo4j.backend.nativecpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.BackendMemoryException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class NativeStagingPoolTest {
    private final NativeStagingPool pool = new NativeStagingPool();

    @Test
    void aBlockThatWasGivenBackSuitsAgainAndHoldsZeros() {
        MemorySegment first = pool.take("x", 5000);
        assertThat(first.address() % 64).isZero();
        assertThat(first.byteSize()).isEqualTo(8192 + 64);
        first.fill((byte) 7);
        pool.giveBack(first);
        assertThat(pool.idleBytes()).isEqualTo(first.byteSize());
        MemorySegment again = pool.take("x", 8192);
        assertThat(again.address()).isEqualTo(first.address());
        assertThat(again.asSlice(0, 8192).mismatch(MemorySegment.ofArray(new byte[8192])))
                .isEqualTo(-1);
        assertThat(pool.idleBytes()).isZero();
        assertThat(pool.take("x", 8192).address()).isNotEqualTo(first.address());
    }

    @Test
    void theBlockThatWaitedLongestIsTakenFirst() {
        MemorySegment first = pool.take("x", 5000);
        MemorySegment second = pool.take("x", 5000);
        pool.giveBack(first);
        pool.giveBack(second);
        assertThat(pool.take("x", 5000).address()).isEqualTo(first.address());
        assertThat(pool.take("x", 5000).address()).isEqualTo(second.address());
    }

    /** A host may hold on to the segment of a session that was closed. */
    @Test
    void aSegmentOfAFreedTensorIsStillMemory() {
        NativeStaging staging = NativeStaging.allocate("x", pool, 100);
        MemorySegment host = staging.host();
        assertThat(host.byteSize()).isEqualTo(100);
        staging.free();
        host.set(ValueLayout.JAVA_BYTE, 99, (byte) 3);
        assertThat(NativeStaging.allocate("y", pool, 100).host().get(ValueLayout.JAVA_BYTE, 99))
                .isZero();
    }

    @Test
    void whatTheJvmDoesNotHaveIsNamed() {
        assertThatThrownBy(() -> pool.take("'rows'", 1L << 50))
                .isInstanceOf(BackendMemoryException.class)
                .hasMessageContaining("'rows'")
                .hasMessageContaining("-XX:MaxDirectMemorySize");
    }
}
