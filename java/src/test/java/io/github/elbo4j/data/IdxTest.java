package io.github.elbo4j.data;

import static io.github.elbo4j.data.IdxFiles.concat;
import static io.github.elbo4j.data.IdxFiles.counting;
import static io.github.elbo4j.data.IdxFiles.file;
import static io.github.elbo4j.data.IdxFiles.gzip;
import static io.github.elbo4j.data.IdxFiles.images;
import static io.github.elbo4j.data.IdxFiles.labels;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.files.FormatException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class IdxTest {
    @TempDir
    Path folder;

    @Test
    void imagesAndLabelsAreRead() throws IOException {
        Dataset set =
                Idx.read(write("images", images(3, 2, 4)), write("labels", file(new byte[] {0, 9, -1}, 0x801, 3)));
        assertThat(set.rows()).isEqualTo(3);
        assertThat(set.shape()).isEqualTo(new ImageShape(2, 4, 1));
        assertThat(set.type()).isEqualTo(DType.U8);
        assertThat(set.values().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(counting(24));
        assertThat(set.labels().orElseThrow().toArray(ValueLayout.JAVA_INT)).containsExactly(0, 9, 255);
    }

    @Test
    void gzipIsToldByItsContentsNotItsName() throws IOException {
        Dataset set = Idx.read(write("images", gzip(images(3, 2, 4))), write("labels", gzip(labels(3))));
        assertThat(set.values().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(counting(24));
        assertThat(set.label(2)).isEqualTo(3);
        assertThat(Idx.read(write("plain.gz", images(3, 2, 4))).rows()).isEqualTo(3);
    }

    @Test
    void gzipMembersFollowEachOther() throws IOException {
        byte[] whole = images(3, 2, 4);
        byte[] parts = concat(gzip(Arrays.copyOf(whole, 7)), gzip(Arrays.copyOfRange(whole, 7, whole.length)));
        assertThat(Idx.read(write("images", parts)).values().toArray(ValueLayout.JAVA_BYTE))
                .isEqualTo(counting(24));
    }

    @Test
    void gzipHeadersMayHaveEveryOptionalField() throws IOException {
        byte[] plain = gzip(images(1, 1, 2));
        byte[] fields = {0x1f, (byte) 0x8b, 8, 2 + 4 + 8 + 16, 0, 0, 0, 0, 0, 0, 3, 0, 1, 2, 3, 'n', 0, 'c', 0, 5, 5};
        byte[] full = concat(fields, Arrays.copyOfRange(plain, 10, plain.length));
        assertThat(Idx.read(write("images", full)).rows()).isEqualTo(1);
    }

    @Test
    void rowsMayHaveOneOrThreeExtents() throws IOException {
        assertThat(Idx.read(write("vectors", file(counting(6), 0x802, 2, 3))).shape())
                .isEqualTo(new ImageShape(1, 3, 1));
        assertThat(Idx.read(write("colour", file(counting(24), 0x804, 2, 2, 2, 3)))
                        .shape())
                .isEqualTo(new ImageShape(2, 2, 3));
    }

    @Test
    void largeCompressedFilesGrowIntoTheirMemory() throws IOException {
        byte[] pixels = new byte[5_000_003];
        new Random(3).nextBytes(pixels);
        Dataset set = Idx.read(write("images", gzip(file(pixels, 0x803, pixels.length, 1, 1))));
        assertThat(set.values().mismatch(MemorySegment.ofArray(pixels))).isEqualTo(-1);
    }

    @Test
    void whatIsWrittenIsRead() throws IOException {
        Dataset set = Digits.generate(5, 0, 700);
        assertThat(Idx.read(write("images", written(set, false)), write("labels", written(set, true)))
                        .fingerprint())
                .isEqualTo(set.fingerprint());
        Dataset colour = Dataset.ofBytes(counting(36), new ImageShape(2, 3, 3));
        assertThat(written(colour, false)).isEqualTo(file(counting(36), 0x804, 2, 2, 3, 3));
        assertThat(written(Dataset.ofBytes(counting(6), new ImageShape(1, 3, 1)), false))
                .isEqualTo(images(2, 1, 3));
        assertThat(written(colour.withLabels(new int[] {4, 255}), true)).isEqualTo(file(new byte[] {4, -1}, 0x801, 2));
    }

    @Test
    void whatTheFormatCannotHoldIsNotWritten() {
        ImageShape pixel = new ImageShape(1, 1, 1);
        assertThatIllegalArgumentException().isThrownBy(() -> written(Dataset.ofFloats(new float[1], pixel), false));
        assertThatIllegalArgumentException().isThrownBy(() -> written(Dataset.ofBytes(new byte[1], pixel), true));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> written(Dataset.ofBytes(new byte[2], pixel).withLabels(new int[] {0, 256}), true))
                .withMessageContaining("row 1 has label 256");
    }

    @Test
    void aPathMustNameAFile() throws IOException {
        refused(folder.resolve("absent")).hasMessageContaining("no such file; check the path");
        refused(folder).hasMessageContaining("is a folder");
        assertThatThrownBy(() -> Idx.read(write("images", images(1, 1, 1)), folder.resolve("absent")))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("no such file");
    }

    @Test
    void theMagicNumberMustFit() throws IOException {
        refused(labels(3)).hasMessageContaining("holds labels (starts with 0x00000801), not images");
        refused(file(counting(9), 0x80d, 9)).hasMessageContaining("13 dimensions");
        refused(file(counting(9), 0x805, 9)).hasMessageContaining("5 dimensions");
        refused(file(counting(9), 0x800, 9)).hasMessageContaining("0 dimensions");
        refused(file(counting(9), 0xd03, 9, 1, 1)).hasMessageContaining("other values than bytes");
        refused(file(counting(9), 0x03080000, 9, 1, 1)).hasMessageContaining("is no IDX file");
        refused("<html><body>404</body></html>".getBytes(StandardCharsets.UTF_8))
                .hasMessageContaining("is no IDX file: it starts with 0x3c68746d");
        Path images = write("images", images(3, 1, 1));
        assertThatThrownBy(() -> Idx.read(images, images))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("not labels");
    }

    @Test
    void theHeaderMustBeWholeAndPossible() throws IOException {
        for (int length = 0; length < 16; length++) {
            refused(Arrays.copyOf(images(1, 1, 1), length));
            refused(gzip(Arrays.copyOf(images(1, 1, 1), length))).hasMessageContaining("within its header");
        }
        refused(images(0, 2, 2)).hasMessageContaining("no rows");
        refused(images(2, 0, 2)).hasMessageContaining("extents [0, 2]");
        refused(images(2, 2, 0)).hasMessageContaining("extents [2, 0]");
        refused(file(counting(4), 0x803, 1, 1 << 13, 1 << 12)).hasMessageContaining("2^24");
        refused(file(counting(4), 0x803, 1, -1, -1)).hasMessageContaining("[4294967295, 4294967295]");
        // 65536 x 65536 is zero in 32 bits.
        refused(file(counting(4), 0x803, 1, 1 << 16, 1 << 16)).hasMessageContaining("2^24");
    }

    @Test
    void theNumberOfBytesMustBeExact() throws IOException {
        byte[] whole = images(3, 2, 4);
        byte[] less = Arrays.copyOf(whole, whole.length - 1);
        byte[] more = Arrays.copyOf(whole, whole.length + 1);
        refused(less).hasMessageContaining("says 3 rows of 24 bytes in all, but the file holds only 23");
        refused(more).hasMessageContaining("but the file holds 25");
        refused(gzip(less)).hasMessageContaining("but the file holds only 23");
        refused(gzip(more)).hasMessageContaining("but the file holds more");
    }

    @Test
    void damagedGzipIsRefused() throws IOException {
        byte[] whole = gzip(images(3, 2, 4));
        for (int length = 2; length < whole.length; length++) {
            refused(Arrays.copyOf(whole, length));
        }
        refused(concat(whole, new byte[] {1})).hasMessageContaining("unknown bytes after the end");
        refused(concat(whole, new byte[40])).hasMessageContaining("unknown bytes after the end");
        byte[] wrongCrc = whole.clone();
        wrongCrc[whole.length - 8] ^= 1;
        refused(wrongCrc).hasMessageContaining("checksum");
        byte[] wrongSize = whole.clone();
        wrongSize[whole.length - 4] ^= 1;
        refused(wrongSize).hasMessageContaining("checksum");
        byte[] twice = concat(whole, whole);
        refused(twice).hasMessageContaining("but the file holds more");
    }

    @Test
    void aBombIsLeftAtTheSizeThatItDeclares() throws IOException {
        // 100 MB of zeros in 100 kB, declared as a single image.
        byte[] bomb = gzip(file(new byte[100_000_000], 0x803, 1, 2, 2));
        long start = System.nanoTime();
        refused(bomb).hasMessageContaining("says 1 rows of 4 bytes in all, but the file holds more");
        assertThat(System.nanoTime() - start).isLessThan(2_000_000_000L);
    }

    @Test
    void aPlainHeaderThatPromisesTooMuchAllocatesNothing() throws IOException {
        // 2^32 - 1 rows of 2^24 bytes: an allocation would fail with another message.
        refused(file(counting(4), 0x803, -1, 1 << 12, 1 << 12)).hasMessageContaining("but the file holds only 4");
        refused(file(counting(4), 0x803, 1 << 31, 1, 1)).hasMessageContaining("but the file holds only 4");
        assertThatThrownBy(() ->
                        Idx.read(write("images", images(4, 1, 1)), write("labels", file(counting(4), 0x801, 1 << 31))))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("but the file holds only 4");
    }

    @Test
    void aCompressedHeaderThatPromisesTooMuchAllocatesWhatComes() throws IOException {
        refused(gzip(file(counting(4), 0x803, 1 << 31, 1, 1))).hasMessageContaining("but the file holds at most");
        // Four incompressible megabytes could be the start of as much as four gigabytes, more than the JVM may
        // allocate.
        byte[] noise = new byte[4_000_000];
        new Random(1).nextBytes(noise);
        long possible = noise.length * 1000L;
        assertThat(possible).isGreaterThan(Runtime.getRuntime().maxMemory());
        refused(gzip(file(noise, 0x803, (int) possible, 1, 1))).hasMessageContaining("but the file holds only 4000000");
    }

    @Test
    void aFileLargerThanTheMemoryNamesTheLimit() throws IOException {
        long size = Runtime.getRuntime().maxMemory() + (1 << 24);
        Path path = folder.resolve("huge");
        int rows = (int) (size >>> 20);
        try (SeekableByteChannel channel = Files.newByteChannel(
                path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            channel.write(ByteBuffer.wrap(file(new byte[0], 0x803, rows, 1 << 10, 1 << 10)));
            channel.position(16 + ((long) rows << 20) - 1);
            channel.write(ByteBuffer.allocate(1));
        }
        refused(path).hasMessageContaining("MaxDirectMemorySize");
        Files.delete(path);
    }

    @Test
    void labelsMustBeAsManyAsImages() throws IOException {
        Path images = write("images", images(3, 1, 1));
        assertThatThrownBy(() -> Idx.read(images, write("labels", labels(2))))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("holds 2 labels")
                .hasMessageContaining("3 images");
    }

    private AbstractThrowableAssert<?, ? extends Throwable> refused(byte[] bytes) throws IOException {
        return refused(write("refused", bytes));
    }

    private static AbstractThrowableAssert<?, ? extends Throwable> refused(Path path) {
        return assertThatThrownBy(() -> Idx.read(path))
                .isInstanceOf(FormatException.class)
                .hasMessageStartingWith(path + ": ")
                .hasMessageContaining("; ");
    }

    private Path write(String name, byte[] bytes) throws IOException {
        return Files.write(folder.resolve(name), bytes);
    }

    private static byte[] written(Dataset set, boolean labels) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        if (labels) {
            Idx.writeLabels(set, out);
        } else {
            Idx.writeImages(set, out);
        }
        return out.toByteArray();
    }
}
