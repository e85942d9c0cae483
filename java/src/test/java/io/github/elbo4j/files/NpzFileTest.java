package io.github.elbo4j.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpzFileTest {
    /**
     * numpy.savez(file, x=numpy.array([[1, 2]], 'u1')) of NumPy 2.4: a local header (PK 03 04) whose sizes are in a zip64
     * extra field of 20 bytes, "x.npy" stored, the central directory (PK 01 02) and its end (PK 05 06).
     */
    private static final String STORED = """
            50 4b 03 04 2d 00 00 00 00 00 00 00 21 00 9c 02 e4 1b ff ff ff ff ff ff ff ff 05 00 14 00 78 2e
            6e 70 79 01 00 10 00 82 00 00 00 00 00 00 00 82 00 00 00 00 00 00 00 93 4e 55 4d 50 59 01 00 76
            00 7b 27 64 65 73 63 72 27 3a 20 27 7c 75 31 27 2c 20 27 66 6f 72 74 72 61 6e 5f 6f 72 64 65 72
            27 3a 20 46 61 6c 73 65 2c 20 27 73 68 61 70 65 27 3a 20 28 31 2c 20 32 29 2c 20 7d 20 20 20 20
            20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20
            20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 0a 01 02 50 4b 01 02 2d 03 2d
            00 00 00 00 00 00 00 21 00 9c 02 e4 1b 82 00 00 00 82 00 00 00 05 00 00 00 00 00 00 00 00 00 00
            00 80 01 00 00 00 00 78 2e 6e 70 79 50 4b 05 06 00 00 00 00 01 00 01 00 33 00 00 00 b9 00 00 00
            00 00""";

    /** numpy.savez_compressed(file, x=numpy.array([[1, 2]], 'u1'), y=numpy.array([5], 'i8')): method 08, deflate. */
    private static final String DEFLATED = """
            50 4b 03 04 2d 00 00 00 08 00 00 00 21 00 9c 02 e4 1b ff ff ff ff ff ff ff ff 05 00 14 00 78 2e
            6e 70 79 01 00 10 00 82 00 00 00 00 00 00 00 48 00 00 00 00 00 00 00 9b ec 17 ea 1b 10 c9 c8 50
            c6 50 ad 9e 92 5a 9c 5c a4 6e a5 a0 5e 53 6a a8 ae a3 a0 9e 96 5f 54 52 94 98 17 9f 5f 94 92 0a
            12 77 4b cc 29 4e 05 8a 17 67 24 16 a4 02 f9 1a 86 3a 0a 46 9a 3a 0a b5 0a 64 03 2e 46 26 00 50
            4b 03 04 2d 00 00 00 08 00 00 00 21 00 c4 94 5e da ff ff ff ff ff ff ff ff 05 00 14 00 79 2e 6e
            70 79 01 00 10 00 88 00 00 00 00 00 00 00 48 00 00 00 00 00 00 00 9b ec 17 ea 1b 10 c9 c8 50 c6
            50 ad 9e 92 5a 9c 5c a4 6e a5 a0 6e 93 69 a1 ae a3 a0 9e 96 5f 54 52 94 98 17 9f 5f 94 92 0a 12
            77 4b cc 29 4e 05 8a 17 67 24 16 a4 02 f9 1a 86 3a 9a 3a 0a b5 0a 14 00 2e 56 06 08 00 00 50 4b
            01 02 2d 03 2d 00 00 00 08 00 00 00 21 00 9c 02 e4 1b 48 00 00 00 82 00 00 00 05 00 00 00 00 00
            00 00 00 00 00 00 80 01 00 00 00 00 78 2e 6e 70 79 50 4b 01 02 2d 03 2d 00 00 00 08 00 00 00 21
            00 c4 94 5e da 48 00 00 00 88 00 00 00 05 00 00 00 00 00 00 00 00 00 00 00 80 01 7f 00 00 00 79
            2e 6e 70 79 50 4b 05 06 00 00 00 00 02 00 02 00 66 00 00 00 fe 00 00 00 00 00""";

    /** Places in the central directory's entry, after its four signature bytes PK 01 02. */
    private static final int FLAGS = 8;

    private static final int METHOD = 10;
    private static final int COMPRESSED_SIZE = 20;
    private static final int SIZE = 24;

    @TempDir
    Path folder;

    private Path file(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("arrays.npz"), bytes);
    }

    private void refused(byte[] bytes, String... parts) throws IOException {
        Path path = file(bytes);
        assertThatThrownBy(() -> NpzFile.read(path, "x"))
                .isInstanceOf(FormatException.class)
                .hasMessageStartingWith(path.toString())
                .hasMessageContainingAll(parts);
    }

    private static byte[] array(byte... values) {
        return RawNpy.numpy("|u1", false, "(" + values.length + ",)", values);
    }

    /** Where the central directory's first entry begins. */
    private static int directory(byte[] zip) {
        ByteBuffer bytes = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
        return bytes.getInt(zip.length - 6);
    }

    private static ByteBuffer little(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Test
    void readsTheGoldenArchives() throws IOException {
        Path path = file(RawNpy.hex(STORED));
        assertThat(NpzFile.names(path)).containsExactly("x");
        NpyFile x = NpzFile.read(path, "x");
        assertThat(x.shape()).containsExactly(1, 2);
        assertThat(x.data().toArray(ValueLayout.JAVA_BYTE)).containsExactly(1, 2);
        assertThat(x.source()).isEqualTo(path + "#x");

        file(RawNpy.hex(DEFLATED));
        assertThat(NpzFile.names(path)).containsExactly("x", "y");
        assertThat(NpzFile.read(path, "x.npy").data().toArray(ValueLayout.JAVA_BYTE))
                .containsExactly(1, 2);
        assertThat(NpzFile.read(path, "y").data().toArray(ValueLayout.JAVA_LONG))
                .containsExactly(5);
    }

    @Test
    void aMissingNameListsTheOthers() throws IOException {
        Path path = file(RawNpy.hex(DEFLATED));
        assertThatThrownBy(() -> NpzFile.read(path, "z"))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("has no array \"z\" but \"x\", \"y\"");
        Object[] many = new Object[24];
        for (int i = 0; i < 12; i++) {
            many[2 * i] = "a" + i + ".npy";
            many[2 * i + 1] = array((byte) i);
        }
        file(RawNpy.zip(false, many));
        assertThatThrownBy(() -> NpzFile.read(path, "z")).hasMessageContaining("\"a9\" and 2 more");
        refused(RawNpy.zip(true, "readme.txt", new byte[3]), "and no others");
        refused(RawNpy.zip(true), "; ");
    }

    @Test
    void anExactNameComesFirst() throws IOException {
        Path path =
                file(RawNpy.zip(true, "x.npy", array((byte) 1), "x", array((byte) 2), "y.npy.npy", array((byte) 3)));
        assertThat(NpzFile.read(path, "x").data().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 2);
        assertThat(NpzFile.read(path, "x.npy").data().get(ValueLayout.JAVA_BYTE, 0))
                .isEqualTo((byte) 1);
        assertThat(NpzFile.read(path, "y.npy").data().get(ValueLayout.JAVA_BYTE, 0))
                .isEqualTo((byte) 3);
        assertThat(NpzFile.names(path)).containsExactly("x", "y.npy");
    }

    @Test
    void largeArraysComeBackWhole() throws IOException {
        // Beyond twice the memory that is given before any data has come.
        byte[] values = new byte[40_000_001];
        for (int i = 0; i < values.length; i++) {
            values[i] = (byte) ((i * 31) >> 3);
        }
        Path path = file(RawNpy.zip(true, "x.npy", array(values)));
        try (Arena arena = Arena.ofConfined()) {
            assertThat(NpzFile.read(path, "x", arena).data().toArray(ValueLayout.JAVA_BYTE))
                    .isEqualTo(values);
        }
        byte[] truncated = RawNpy.zip(true, "x.npy", array(values));
        int compressed = little(truncated).getInt(directory(truncated) + COMPRESSED_SIZE);
        little(truncated).putInt(directory(truncated) + COMPRESSED_SIZE, compressed / 2);
        refused(truncated, "; ");
    }

    @Test
    void aBombIsRefusedByItsClaim() throws IOException {
        // 64 MiB of zeros in 64 KB: within what deflate can do, so it is read only as far as the header needs.
        byte[] array = RawNpy.numpy("|u1", false, "(3,)", new byte[1 << 26]);
        refused(RawNpy.zip(true, "x.npy", array), "needs 3 bytes", "but 67108864 follow");
        // A claim of 1 GiB from the few bytes of a small array.
        byte[] small = RawNpy.zip(true, "x.npy", RawNpy.numpy("|u1", false, "(1073741696,)"));
        little(small).putInt(directory(small) + SIZE, 1 << 30);
        refused(small, "claims 1073741824 bytes", "more than deflate can make");
        // A claim that the compressed bytes would allow, but do not keep.
        byte[] short1 = RawNpy.zip(true, "x.npy", RawNpy.numpy("|u1", false, "(10000,)", new byte[3]));
        little(short1).putInt(directory(short1) + SIZE, 128 + 10_000);
        refused(short1, "ends in the middle");
        byte[] longer = RawNpy.zip(true, "x.npy", RawNpy.numpy("|u1", false, "(3,)", new byte[5]));
        little(longer).putInt(directory(longer) + SIZE, 128 + 3);
        refused(longer, "goes on after its array");
        byte[] stored = RawNpy.zip(false, "x.npy", RawNpy.numpy("|u1", false, "(3,)", new byte[5]));
        little(stored).putInt(directory(stored) + SIZE, 128 + 3);
        refused(stored, "; ");
    }

    @Test
    void damageIsFoundByTheChecksum() throws IOException {
        byte[] stored = RawNpy.hex(STORED);
        stored[directory(stored) - 1] ^= 1;
        refused(stored, "checksum");
    }

    @Test
    void twoEntriesOfOneNameAreRefused() throws IOException {
        byte[] zip = RawNpy.zip(false, "x.npy", array((byte) 1), "y.npy", array((byte) 2));
        zip[directory(zip) + 51 + 46] = 'x';
        refused(zip, "two entries named \"x.npy\"");
    }

    @Test
    void encryptedEntriesAndOtherMethodsAreRefused() throws IOException {
        byte[] encrypted = RawNpy.hex(DEFLATED);
        encrypted[directory(encrypted) + FLAGS] |= 1;
        refused(encrypted, "encrypted");
        byte[] bzip2 = RawNpy.hex(DEFLATED);
        bzip2[directory(bzip2) + METHOD] = 12;
        refused(bzip2, "is no valid npz file");
    }

    @Test
    void everyTruncationIsRefused() throws IOException {
        byte[] zip = RawNpy.hex(DEFLATED);
        for (int length = 0; length < zip.length; length++) {
            refused(Arrays.copyOf(zip, length), "; ");
        }
        refused(RawNpy.hex(STORED.replace("50 4b 01 02", "50 4b 01 03")), "is no valid npz file");
        refused("no archive".getBytes(StandardCharsets.ISO_8859_1), "is no valid npz file");
    }

    @Test
    void moreEntriesThanAllowedAreRefused() throws IOException {
        Path path = folder.resolve("arrays.npz");
        try (OutputStream out = Files.newOutputStream(path);
                ZipOutputStream zip = new ZipOutputStream(new BufferedOutputStream(out))) {
            for (int i = 0; i <= 100_000; i++) {
                ZipEntry entry = new ZipEntry(Integer.toString(i));
                entry.setMethod(ZipEntry.STORED);
                entry.setSize(0);
                entry.setCrc(new CRC32().getValue());
                zip.putNextEntry(entry);
            }
        }
        assertThatThrownBy(() -> NpzFile.names(path))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("has 100001 entries, more than 100000");
    }

    @Test
    void whatIsNoFileOfTheDefaultFileSystemIsRefused() throws IOException {
        assertThatThrownBy(() -> NpzFile.names(folder.resolve("absent.npz")))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("does not exist");
        assertThatThrownBy(() -> NpzFile.names(folder))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("is a folder");
        try (FileSystem zip = FileSystems.newFileSystem(folder.resolve("outer.zip"), Map.of("create", "true"))) {
            Path inner = Files.write(zip.getPath("/arrays.npz"), RawNpy.hex(STORED));
            assertThatThrownBy(() -> NpzFile.names(inner))
                    .isInstanceOf(FormatException.class)
                    .hasMessageContaining("default file system");
        }
    }
}
