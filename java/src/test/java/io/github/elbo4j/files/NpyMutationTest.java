package io.github.elbo4j.files;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.testkit.TestSeed;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
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
 * Small valid files with random damage: each is read within its bounds, or refused by a {@link FormatException}, in little
 * time. {@code -Delbo4j.test.mutations=N} tries more of them.
 */
@Timeout(value = 600, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class NpyMutationTest {
    private static final int MUTATIONS = Integer.getInteger("elbo4j.test.mutations", 6_000);
    private static final long MOST_NANOS = 5_000_000_000L;
    private static final byte[][] FILES = {
        RawNpy.numpy("<f4", false, "(2, 3)", new byte[24]),
        RawNpy.numpy(">i2", true, "(2, 1, 2)", new byte[8]),
        RawNpy.file(2, "{'descr': '|u1', 'fortran_order': False, 'shape': (5,), }\n", new byte[5]),
        RawNpy.file(3, "{'shape': (), 'fortran_order': True, 'descr': '>f8'}", new byte[8]),
    };
    private static final String[] PIECES = {
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ",",
        ":",
        "'",
        "\"",
        "\\",
        " ",
        "\n",
        "\0",
        "-",
        "0",
        "1",
        "00",
        "2L",
        "1.5",
        "1e3",
        "(1,)",
        "()",
        "(1, 1, 2, 3)",
        "4611686018427387904",
        "9223372036854775808",
        "18446744073709551616",
        "True",
        "False",
        "None",
        "'<f4'",
        "'|O'",
        "'<U9'",
        "[('a', '<f4')]",
        "'descr': '<f4', ",
        "'shape': (2,), ",
        "\u00e9",
        "((((((((((((((((",
        "{'descr':{'descr':"
    };
    private static final int[] LENGTHS = {0, 1, 10, 117, 118, 119, 0x7fff, 0xffff, 1 << 16, 1 << 30, -1, 1 << 31};

    @TempDir
    Path folder;

    @Test
    void damagedFilesAreRefusedOrReadWithinBounds() throws IOException {
        Random random = TestSeed.random(NpyMutationTest.class);
        int read = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] bytes = FILES[random.nextInt(FILES.length)];
            for (int rounds = 1 + random.nextInt(3); rounds > 0 && bytes.length > 12; rounds--) {
                bytes = mutated(random, bytes);
            }
            read += tried(bytes) ? 1 : 0;
        }
        // Both outcomes must occur, or the mutations test nothing.
        assertThat(read).isBetween(MUTATIONS / 100, MUTATIONS / 2);
    }

    private boolean tried(byte[] bytes) throws IOException {
        Path path = folder.resolve("damaged.npy");
        // Some file systems force a file to the disk that is cut and written anew.
        Files.deleteIfExists(path);
        Files.write(path, bytes);
        long start = System.nanoTime();
        try {
            NpyFile array = NpyFile.read(path);
            // Nothing that passes can hold more than its bytes.
            assertThat(array.data().byteSize()).isLessThan(bytes.length);
            long elements = 1;
            for (long extent : array.shape()) {
                elements *= extent;
            }
            assertThat(array.data().byteSize())
                    .isEqualTo(elements * array.type().bytes());
            return true;
        } catch (FormatException e) {
            assertThat(e).hasMessageStartingWith(path + ": ").hasMessageContaining("; ");
            assertThat(e.getMessage())
                    .doesNotContain("MaxDirectMemorySize", "null")
                    .hasSizeLessThan(2_000);
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
        int at = random.nextInt(bytes.length);
        switch (random.nextInt(9)) {
            case 0 -> out[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> out[random.nextInt(12)] = (byte) random.nextInt();
            case 2 -> out = Arrays.copyOf(bytes, random.nextInt(bytes.length + 20));
            // The data: such a file is still read.
            case 3 -> out[bytes.length - 1 - random.nextInt(5)] ^= (byte) (1 + random.nextInt(255));
            case 4 ->
                ByteBuffer.wrap(out).order(ByteOrder.LITTLE_ENDIAN).putInt(8, LENGTHS[random.nextInt(LENGTHS.length)]);
            default -> out = withPiece(random, bytes);
        }
        return out;
    }

    /** Puts a piece into the header, sometimes in the place of a few characters, and mends the header's length. */
    private static byte[] withPiece(Random random, byte[] bytes) {
        int start = bytes[6] == 1 ? 10 : 12;
        int length = bytes[8] & 0xff;
        if (start + length > bytes.length) {
            return bytes;
        }
        String header = new String(bytes, start, length, StandardCharsets.ISO_8859_1);
        int at = random.nextInt(header.length() + 1);
        int to = Math.min(header.length(), at + random.nextInt(4));
        String piece = PIECES[random.nextInt(PIECES.length)].repeat(random.nextInt(30) == 0 ? 500 : 1);
        byte[] data = Arrays.copyOfRange(bytes, start + length, bytes.length);
        return RawNpy.file(bytes[6], header.substring(0, at) + piece + header.substring(to), data);
    }
}
