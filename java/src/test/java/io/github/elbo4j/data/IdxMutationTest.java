package io.github.elbo4j.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.testkit.TestSeed;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Small valid files with random damage: each is read, or refused by a {@link FormatException}, in little time. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class IdxMutationTest {
    private static final int MUTATIONS = 400;
    private static final long MOST_NANOS = 5_000_000_000L;
    private static final byte[][] IMAGES = {
        IdxFiles.images(5, 4, 3),
        IdxFiles.file(IdxFiles.counting(30), 0x802, 6, 5),
        IdxFiles.file(IdxFiles.counting(48), 0x804, 4, 2, 2, 3),
    };
    private static final byte[] LABELS = IdxFiles.labels(5);
    private static final int[] WORDS = {0, 1, 2, 5, 60, 255, 1 << 16, 1 << 24, 1 << 30, 1 << 31, -1, 0x801, 0x803, 0x804
    };

    @TempDir
    Path folder;

    private int read;
    private int refused;

    @Test
    void damagedPlainImages() throws IOException {
        Random random = TestSeed.random(IdxMutationTest.class);
        for (int i = 0; i < MUTATIONS; i++) {
            tryImages(mutated(IMAGES[i % IMAGES.length], random));
        }
        bothHappened();
    }

    @Test
    void damagedImagesWithinGzip() throws IOException {
        Random random = TestSeed.random(IdxMutationTest.class);
        for (int i = 0; i < MUTATIONS; i++) {
            tryImages(IdxFiles.gzip(mutated(IMAGES[i % IMAGES.length], random)));
        }
        bothHappened();
    }

    @Test
    void damagedGzip() throws IOException {
        Random random = TestSeed.random(IdxMutationTest.class);
        for (int i = 0; i < MUTATIONS; i++) {
            tryImages(mutated(IdxFiles.gzip(IMAGES[i % IMAGES.length]), random));
        }
        bothHappened();
    }

    @Test
    void damagedLabels() throws IOException {
        Random random = TestSeed.random(IdxMutationTest.class);
        Path images = Files.write(folder.resolve("images"), IMAGES[0]);
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] bytes = i % 2 == 0 ? mutated(LABELS, random) : IdxFiles.gzip(mutated(LABELS, random));
            tried(bytes, path -> {
                Dataset set = Idx.read(images, path);
                assertThat(set.labels().orElseThrow().byteSize()).isEqualTo(20);
            });
        }
        bothHappened();
    }

    private interface Reading {
        void read(Path path) throws IOException;
    }

    private void tryImages(byte[] bytes) throws IOException {
        tried(bytes, path -> {
            Dataset set = Idx.read(path);
            // The originals are this small; a damaged one that still passes cannot hold more than its bytes.
            assertThat(set.rows() * set.columns()).isBetween(1L, 200L);
        });
    }

    private void tried(byte[] bytes, Reading reading) throws IOException {
        Path path = Files.write(folder.resolve("damaged"), bytes);
        long start = System.nanoTime();
        try {
            reading.read(path);
            read++;
        } catch (FormatException e) {
            assertThat(e).hasMessageStartingWith(path + ": ").hasMessageContaining("; ");
            assertThat(e.getMessage())
                    .as(HexFormat.of().formatHex(bytes))
                    .doesNotContain("MaxDirectMemorySize", "null");
            refused++;
        } catch (RuntimeException | Error e) {
            throw new AssertionError("input " + HexFormat.of().formatHex(bytes), e);
        }
        assertThat(System.nanoTime() - start)
                .as(HexFormat.of().formatHex(bytes))
                .isLessThan(MOST_NANOS);
    }

    private void bothHappened() {
        assertThat(read).as("files still read").isPositive();
        assertThat(refused).as("files refused").isGreaterThan(MUTATIONS / 3);
    }

    private static byte[] mutated(byte[] original, Random random) {
        byte[] bytes = original.clone();
        int edits = 1 + random.nextInt(3);
        for (int i = 0; i < edits && bytes.length > 0; i++) {
            bytes = edited(bytes, random);
        }
        return bytes;
    }

    private static byte[] edited(byte[] bytes, Random random) {
        int at = random.nextInt(bytes.length);
        switch (random.nextInt(6)) {
            case 0, 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
            case 2 -> bytes[at] = (byte) random.nextInt();
            case 3 -> {
                return Arrays.copyOf(bytes, at);
            }
            case 4 -> {
                byte[] inserted = new byte[1 + random.nextInt(8)];
                random.nextBytes(inserted);
                byte[] head = IdxFiles.concat(Arrays.copyOf(bytes, at), inserted);
                return IdxFiles.concat(head, Arrays.copyOfRange(bytes, at, bytes.length));
            }
            default -> {
                int word = 4 * random.nextInt(5);
                if (word + 4 <= bytes.length) {
                    ByteBuffer.wrap(bytes).putInt(word, WORDS[random.nextInt(WORDS.length)]);
                }
            }
        }
        return bytes;
    }
}
