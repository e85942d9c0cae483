package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BlockAllocatorTest {
    private static final long CHUNK = BlockAllocator.CHUNK;

    /** Chunks at made-up addresses, two of them always apart, out of a limited memory. */
    private static final class Memory implements BlockAllocator.Chunks {
        private final Map<Long, Long> chunks = new HashMap<>();
        private final long limit;
        private long next = 0x7000_0000_0000L;
        private long taken;

        Memory(long limit) {
            this.limit = limit;
        }

        @Override
        public long take(long bytes) {
            if (taken + bytes > limit) {
                return 0;
            }
            long address = next;
            next += bytes + 4096;
            taken += bytes;
            chunks.put(address, bytes);
            return address;
        }

        @Override
        public void give(long address) {
            Long bytes = chunks.remove(address);
            assertThat(bytes).as("a chunk that was taken").isNotNull();
            taken -= Objects.requireNonNull(bytes);
        }

        boolean holds(long address, long bytes) {
            return chunks.entrySet().stream()
                    .anyMatch(
                            chunk -> address >= chunk.getKey() && address + bytes <= chunk.getKey() + chunk.getValue());
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void blocksNeverOverlapAndEverythingComesBack(long seed) {
        Random random = new Random(seed);
        Memory memory = new Memory(40 * CHUNK);
        BlockAllocator allocator = new BlockAllocator(memory);
        TreeMap<Long, Long> blocks = new TreeMap<>();
        int refused = 0;
        for (int i = 0; i < 20_000; i++) {
            if (blocks.isEmpty() || random.nextInt(100) < (i / 2000 % 2 == 0 ? 65 : 35)) {
                // From single bytes to three chunks, small ones most often.
                long bytes = 1 + (long) (Math.pow(random.nextDouble(), 8) * 3 * CHUNK);
                long address = allocator.allocate(bytes);
                if (address == 0) {
                    refused++;
                    continue;
                }
                long size = BlockAllocator.rounded(bytes);
                assertThat(address % BlockAllocator.ALIGNMENT).isZero();
                assertThat(memory.holds(address, size)).isTrue();
                Map.Entry<Long, Long> below = blocks.floorEntry(address);
                Map.Entry<Long, Long> above = blocks.ceilingEntry(address);
                assertThat(below == null || below.getKey() + below.getValue() <= address)
                        .isTrue();
                assertThat(above == null || address + size <= above.getKey()).isTrue();
                blocks.put(address, size);
            } else {
                List<Long> all = new ArrayList<>(blocks.keySet());
                long address = all.get(random.nextInt(all.size()));
                blocks.remove(address);
                allocator.free(address);
            }
            assertThat(allocator.reservedBytes()).isEqualTo(memory.taken);
            assertThat(allocator.bytesInUse())
                    .isEqualTo(
                            blocks.values().stream().mapToLong(Long::longValue).sum());
        }
        assertThat(refused).as("the limit was met").isPositive();
        blocks.keySet().forEach(allocator::free);
        // Joined to whole chunks, all but the spare one have gone.
        assertThat(allocator.bytesInUse()).isZero();
        assertThat(memory.taken).isLessThanOrEqualTo(CHUNK);
        allocator.trim();
        assertThat(memory.chunks).isEmpty();
        assertThat(allocator.reservedBytes()).isZero();
    }

    @Test
    void neighboursJoinInEveryOrder() {
        int[][] orders = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
        for (int[] order : orders) {
            Memory memory = new Memory(CHUNK);
            BlockAllocator allocator = new BlockAllocator(memory);
            long[] blocks = {allocator.allocate(CHUNK / 2), allocator.allocate(CHUNK / 4), allocator.allocate(CHUNK / 4)
            };
            assertThat(allocator.allocate(1)).isZero();
            for (int each : order) {
                allocator.free(blocks[each]);
            }
            assertThat(allocator.allocate(CHUNK)).isEqualTo(blocks[0]);
        }
    }

    @Test
    void theSmallestGapThatFitsIsTaken() {
        BlockAllocator allocator = new BlockAllocator(new Memory(CHUNK));
        long large = allocator.allocate(10 * 256);
        allocator.allocate(256);
        long small = allocator.allocate(3 * 256);
        allocator.allocate(256);
        allocator.free(large);
        allocator.free(small);
        assertThat(allocator.allocate(2 * 256 + 1)).isEqualTo(small);
        assertThat(allocator.allocate(4 * 256)).isEqualTo(large);
    }

    @Test
    void oneWholeChunkIsKeptAndLargeOnesAreNot() {
        Memory memory = new Memory(10 * CHUNK);
        BlockAllocator allocator = new BlockAllocator(memory);
        long first = allocator.allocate(CHUNK);
        long second = allocator.allocate(CHUNK);
        long large = allocator.allocate(CHUNK + 1);
        assertThat(memory.taken).isEqualTo(3 * CHUNK + 256);
        allocator.free(large);
        assertThat(memory.taken).isEqualTo(2 * CHUNK);
        allocator.free(first);
        assertThat(memory.taken).isEqualTo(2 * CHUNK);
        allocator.free(second);
        assertThat(memory.taken).isEqualTo(CHUNK);
        assertThat(allocator.trim()).isTrue();
        assertThat(allocator.trim()).isFalse();
        assertThat(memory.taken).isZero();
    }

    @Test
    void theSpareChunkIsNotGivenBackOnceItIsUsedAgain() {
        Memory memory = new Memory(10 * CHUNK);
        BlockAllocator allocator = new BlockAllocator(memory);
        allocator.free(allocator.allocate(100));
        long again = allocator.allocate(100);
        assertThat(allocator.trim()).isFalse();
        assertThat(memory.holds(again, 256)).isTrue();
    }

    @Test
    void nothingIsFreedTwiceAndNoSizeIsImpossible() {
        BlockAllocator allocator = new BlockAllocator(new Memory(CHUNK));
        long block = allocator.allocate(1);
        allocator.free(block);
        assertThatThrownBy(() -> allocator.free(block)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> allocator.free(block + 256)).isInstanceOf(IllegalStateException.class);
        for (long bytes : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
            assertThatThrownBy(() -> allocator.allocate(bytes)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(allocator.allocate(Long.MAX_VALUE / 2)).isZero();
    }

    @Test
    void clearingGivesEverythingBack() {
        Memory memory = new Memory(10 * CHUNK);
        BlockAllocator allocator = new BlockAllocator(memory);
        allocator.allocate(5);
        allocator.allocate(2 * CHUNK);
        allocator.clear();
        assertThat(memory.chunks).isEmpty();
        assertThat(allocator.reservedBytes() + allocator.bytesInUse()).isZero();
    }
}
