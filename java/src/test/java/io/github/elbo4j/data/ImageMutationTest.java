package io.github.elbo4j.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.testkit.TestSeed;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Small valid images with random damage: each is read, or refused by a {@link FormatException}, in little time. */
@Timeout(value = 300, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ImageMutationTest {
    /** For each of the formats; {@code -Delbo4j.test.mutations=N} for more. */
    private static final int MUTATIONS = Integer.getInteger("elbo4j.test.mutations", 2_000);

    private static final long MOST_NANOS = 5_000_000_000L;

    @TempDir
    Path folder;

    private int read;
    private int refused;

    @Test
    void damagedPng() throws IOException {
        byte[] palette = ImageFiles.concat(
                ImageFiles.SIGNATURE,
                ImageFiles.header(4, 2, 2, ImageFiles.PALETTE),
                ImageFiles.chunk("PLTE", new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}),
                ImageFiles.chunk("tRNS", new byte[] {0, 1}),
                ImageFiles.chunk("IDAT", ImageFiles.deflated(new byte[] {0, 0x1b, 2, 0x2d})),
                ImageFiles.chunk("IEND"));
        damaged(
                true,
                ImageFiles.grey(3, 2, 1, 2, 3, 4, 5, 6),
                ImageFiles.rgb(2, 1, 1, 2, 3, 4, 5, 6),
                palette,
                ImageFiles.png(1, 1, 16, ImageFiles.RGB_ALPHA, new byte[9]),
                ImageFiles.gradient("png", 20, 15, false, false),
                ImageFiles.gradient("png", 9, 9, false, true));
    }

    @Test
    void damagedJpeg() throws IOException {
        damaged(
                false,
                ImageFiles.gradient("jpg", 20, 15, false, false),
                ImageFiles.gradient("jpg", 9, 9, true, false),
                ImageFiles.gradient("jpg", 17, 18, false, true));
    }

    @Test
    void damagedGif() throws IOException {
        damaged(
                false,
                ImageFiles.gradient("gif", 20, 15, false, false),
                ImageFiles.gradient("gif", 9, 9, true, false),
                ImageFiles.gradient("gif", 17, 18, false, true));
    }

    private void damaged(boolean png, byte[]... originals) throws IOException {
        Random random = TestSeed.random(ImageMutationTest.class);
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] bytes = Mutations.mutated(originals[i % originals.length], random);
            if (png && i % 3 != 0) {
                // Beyond the checksums there is more to break.
                mendChecksums(bytes);
            }
            tried(bytes, i % 5 == 0);
        }
        assertThat(read).as("files still read").isGreaterThan(MUTATIONS / 50);
        assertThat(refused).as("files refused").isGreaterThan(MUTATIONS / 3);
    }

    private static void mendChecksums(byte[] bytes) {
        ByteBuffer file = ByteBuffer.wrap(bytes);
        int at = 8;
        while (at + 12 <= bytes.length) {
            int length = file.getInt(at);
            if (length < 0 || length > bytes.length - at - 12) {
                return;
            }
            CRC32 crc = new CRC32();
            crc.update(bytes, at + 4, length + 4);
            file.putInt(at + 8 + length, (int) crc.getValue());
            at += 12 + length;
        }
    }

    private void tried(byte[] bytes, boolean resized) throws IOException {
        Path path = Files.write(folder.resolve("damaged.png"), bytes);
        long start = System.nanoTime();
        try {
            Dataset set = resized ? ImageFolder.read(folder, 5, 4) : ImageFolder.read(folder);
            assertThat(set.rows()).isEqualTo(1);
            assertThat((long) set.columns()).isLessThanOrEqualTo(3L * 8 * 1032 * bytes.length);
            read++;
        } catch (FormatException e) {
            assertThat(e).hasMessageStartingWith(path + ": ").hasMessageContaining("; ");
            assertThat(e.getMessage())
                    .as(HexFormat.of().formatHex(bytes))
                    .doesNotContain("MaxDirectMemorySize", "-Xmx", "null", "\n");
            refused++;
        } catch (RuntimeException | Error e) {
            throw new AssertionError("input " + HexFormat.of().formatHex(bytes), e);
        }
        long nanos = System.nanoTime() - start;
        // Writing over a file waits for the disk; making a new one does not.
        Files.delete(path);
        assertThat(nanos).as(HexFormat.of().formatHex(bytes)).isLessThan(MOST_NANOS);
    }
}
