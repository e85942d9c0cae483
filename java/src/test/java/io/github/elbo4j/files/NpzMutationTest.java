package io.github.elbo4j.files;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.testkit.TestSeed;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Small valid archives with random damage: each is read as it was, or refused by a {@link FormatException}, in little time.
 * {@code -Delbo4j.test.mutations=N} tries more of them.
 */
@Timeout(value = 600, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class NpzMutationTest {
    private static final int MUTATIONS = Integer.getInteger("elbo4j.test.mutations", 6_000);
    private static final long MOST_NANOS = 5_000_000_000L;
    private static final byte[] ARRAY = RawNpy.numpy("<i4", false, "(3, 2)", new byte[24]);
    private static final byte[][] FILES = {
        RawNpy.zip(false, "x.npy", ARRAY),
        RawNpy.zip(true, "x.npy", ARRAY),
        RawNpy.zip(true, "x.npy", ARRAY, "y.npy", RawNpy.numpy("|u1", true, "(2,)", new byte[2]), "text", new byte[9]),
        RawNpy.zip(false, "x.npy", ARRAY, "x", ARRAY),
    };
    private static final int[] WORDS = {0, 1, 5, 0xffff, 1 << 16, 1 << 24, 1 << 30, 1 << 31, -1, 0x04034b50, 0x02014b50
    };

    @TempDir
    Path folder;

    @Test
    void damagedArchivesAreRefusedOrReadWithinBounds() throws IOException {
        Random random = TestSeed.random(NpzMutationTest.class);
        int read = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] bytes = FILES[random.nextInt(FILES.length)];
            for (int rounds = 1 + random.nextInt(3); rounds > 0 && bytes.length > 30; rounds--) {
                bytes = mutated(random, bytes);
            }
            read += tried(bytes) ? 1 : 0;
        }
        // Both outcomes must occur, or the mutations test nothing.
        assertThat(read).isBetween(MUTATIONS / 100, MUTATIONS * 9 / 10);
    }

    private boolean tried(byte[] bytes) throws IOException {
        Path path = folder.resolve("damaged.npz");
        // Some file systems force a file to the disk that is cut and written anew.
        Files.deleteIfExists(path);
        Files.write(path, bytes);
        long start = System.nanoTime();
        try {
            assertThat(NpzFile.names(path)).hasSizeLessThan(10);
            NpyFile array = NpzFile.read(path, "x");
            // The checksum leaves no way to another array.
            assertThat(array).hasToString("int32 [3, 2]");
            assertThat(array.data().byteSize()).isEqualTo(24);
            return true;
        } catch (FormatException e) {
            assertThat(e).hasMessageStartingWith(path.toString()).hasMessageContaining("; ");
            assertThat(e.getMessage()).doesNotContain("MaxDirectMemorySize").hasSizeLessThan(2_000);
            return false;
        } catch (RuntimeException | Error e) {
            throw new AssertionError("input " + HexFormat.of().formatHex(bytes), e);
        } finally {
            assertThat(System.nanoTime() - start)
                    .as(HexFormat.of().formatHex(bytes))
                    .isLessThan(MOST_NANOS);
        }
    }

    private static byte[] mutated(Random random, byte[] bytes) {
        byte[] out = bytes.clone();
        ByteBuffer words = ByteBuffer.wrap(out).order(ByteOrder.LITTLE_ENDIAN);
        int end = bytes.length - 22;
        int directory = words.getInt(bytes.length - 6);
        boolean whole = directory >= 0 && directory <= end - 46;
        switch (random.nextInt(9)) {
            case 0 -> out[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            case 1 -> out = Arrays.copyOf(bytes, random.nextInt(bytes.length));
            case 2 -> {
                byte[] inserted = new byte[1 + random.nextInt(8)];
                random.nextBytes(inserted);
                int at = random.nextInt(bytes.length);
                out = ByteBuffer.allocate(bytes.length + inserted.length)
                        .put(bytes, 0, at)
                        .put(inserted)
                        .put(bytes, at, bytes.length - at)
                        .array();
            }
            case 3 -> out[random.nextInt(30)] = (byte) random.nextInt();
            case 4 -> words.putInt(2 * random.nextInt(13), WORDS[random.nextInt(WORDS.length)]);
            case 5 -> words.putShort(end + 2 * random.nextInt(11), (short) WORDS[random.nextInt(WORDS.length)]);
            case 6 -> words.putInt(end + 2 * random.nextInt(10), WORDS[random.nextInt(WORDS.length)]);
            case 7 ->
                words.putShort(
                        whole ? directory + 2 * random.nextInt(23) : 0, (short) WORDS[random.nextInt(WORDS.length)]);
            default ->
                words.putInt(whole ? directory + 2 * random.nextInt(21) : 0, WORDS[random.nextInt(WORDS.length)]);
        }
        return out;
    }
}
