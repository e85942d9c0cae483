package io.github.elbo4j.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.testkit.TestSeed;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
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
class CsvMutationTest {
    private static final int MUTATIONS = Integer.getInteger("elbo4j.test.mutations", 6_000);
    private static final long MOST_NANOS = 5_000_000_000L;
    private static final String[] FILES = {
        "1,2,3\n4,5,6\n7,8,9\n",
        "\uFEFFa,b,c\r\n0.5,1e-3,x\r\n-1,\"2\",\"y, \"\"z\"\"\"\r\n",
        "\"a\",\"b\",\"c\"\n1,2,\"line\nbreak\"\n\n3,4,text\n",
    };
    private static final String[] COLUMNS = {"", "1,2", "1,label=3", "b,a,label=c", "2"};
    private static final String[] PIECES = {
        ",", "\"", "\"\"", "\"\"\"", "\n", "\r", "\r\n", "\n\n", " ", "\t", "\0", "\uFEFF", "\uFFFF", "\ud83d\ude00",
                "1",
        "-", ".", "e", "1e99", "NaN", "0x1p3", "1f", "#", "a,b,c\n", ",,,,", "\"\n", "\n\"", "\u001b[0m", ";", "'"
    };
    private static final byte[][] BAD_BYTES = {
        {(byte) 0xff}, {(byte) 0xc3}, {(byte) 0xed, (byte) 0xa0, (byte) 0x80}, {(byte) 0xf5, 0, 0, 0}, {(byte) 0xc0, 0}
    };

    @TempDir
    Path folder;

    @Test
    void damagedFilesAreRefusedOrReadWithinBounds() throws IOException {
        Random random = TestSeed.random(CsvMutationTest.class);
        int read = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] bytes = FILES[random.nextInt(FILES.length)].getBytes(StandardCharsets.UTF_8);
            for (int rounds = 1 + random.nextInt(3); rounds > 0; rounds--) {
                bytes = mutated(random, bytes);
            }
            read += tried(bytes, CsvColumns.parse(COLUMNS[random.nextInt(COLUMNS.length)])) ? 1 : 0;
        }
        // Both outcomes must occur, or the mutations test nothing.
        assertThat(read).isBetween(MUTATIONS / 20, MUTATIONS * 9 / 10);
    }

    private boolean tried(byte[] bytes, CsvColumns columns) throws IOException {
        Path path = folder.resolve("damaged.csv");
        // Some file systems force a file to the disk that is cut and written anew.
        Files.deleteIfExists(path);
        Files.write(path, bytes);
        long start = System.nanoTime();
        try {
            Dataset set = CsvData.read(path, columns);
            // A value and what ends it take two bytes, but for the last one.
            assertThat(2 * set.rows() * set.columns()).isLessThanOrEqualTo(bytes.length + 1);
            assertThat(set.hasLabels()).isEqualTo(columns.label() != null);
            assertThat(set.values().elements(ValueLayout.JAVA_FLOAT))
                    .allMatch(value -> Float.isFinite(value.get(ValueLayout.JAVA_FLOAT, 0)));
            return true;
        } catch (FormatException e) {
            assertThat(e).hasMessageStartingWith(path + ": ").hasMessageContaining("; ");
            assertThat(String.valueOf(e.getMessage()).chars().noneMatch(Character::isISOControl))
                    .as(HexFormat.of().formatHex(bytes))
                    .isTrue();
            assertThat(e.getMessage())
                    .doesNotContain("MaxDirectMemorySize", "null")
                    .hasSizeLessThan(1_000);
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
        int at = random.nextInt(bytes.length + 1);
        int to = Math.min(bytes.length, at + random.nextInt(3));
        byte[] piece = switch (random.nextInt(8)) {
            case 0 -> BAD_BYTES[random.nextInt(BAD_BYTES.length)];
            case 1 -> new byte[] {(byte) random.nextInt()};
            case 2 -> {
                to = bytes.length;
                yield new byte[0];
            }
            case 3 -> Arrays.copyOfRange(bytes, bytes.length - random.nextInt(bytes.length + 1), bytes.length);
            default ->
                PIECES[random.nextInt(PIECES.length)]
                        .repeat(random.nextInt(100) == 0 ? 40_000 : 1)
                        .getBytes(StandardCharsets.UTF_8);
        };
        return IdxFiles.concat(
                IdxFiles.concat(Arrays.copyOf(bytes, at), piece), Arrays.copyOfRange(bytes, to, bytes.length));
    }
}
