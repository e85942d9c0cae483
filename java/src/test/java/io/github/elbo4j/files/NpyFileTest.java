package io.github.elbo4j.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NpyFileTest {
    /** [[1, -2, 0.5], [3, 4, 5]] as '<f4': 93 NUMPY, version 1.0, length 0x76, 118 characters of header, six floats. */
    private static final String GOLDEN = """
            93 4e 55 4d 50 59 01 00 76 00 7b 27 64 65 73 63 72 27 3a 20 27 3c 66 34 27 2c 20 27 66 6f 72 74
            72 61 6e 5f 6f 72 64 65 72 27 3a 20 46 61 6c 73 65 2c 20 27 73 68 61 70 65 27 3a 20 28 32 2c 20
            33 29 2c 20 7d 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20
            20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 20 0a
            00 00 80 3f 00 00 00 c0 00 00 00 3f 00 00 40 40 00 00 80 40 00 00 a0 40""";

    private static final String F4_2_BY_3 = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";

    @TempDir
    Path folder;

    private NpyFile read(byte[] bytes) throws IOException {
        return NpyFile.read(Files.write(folder.resolve("array.npy"), bytes));
    }

    private void refused(byte[] bytes, String... parts) {
        assertThatThrownBy(() -> read(bytes))
                .isInstanceOf(FormatException.class)
                .hasMessageStartingWith(folder.resolve("array.npy") + ": ")
                .hasMessageContainingAll(parts);
    }

    @Test
    void readsTheGoldenBytes() throws IOException {
        NpyFile array = read(RawNpy.hex(GOLDEN));
        assertThat(array.type()).isEqualTo(NpyType.FLOAT32);
        assertThat(array.shape()).containsExactly(2, 3);
        assertThat(array.data().toArray(ValueLayout.JAVA_FLOAT)).containsExactly(1, -2, 0.5f, 3, 4, 5);
        assertThat(array.data().isReadOnly()).isTrue();
        assertThat(array.data().address() % 64).isZero();
        assertThat(array).hasToString("float32 [2, 3]");
        assertThat(array.source()).isEqualTo(folder.resolve("array.npy").toString());
    }

    @Test
    void readsVersionsTwoAndThree() throws IOException {
        byte[] data = new byte[24];
        assertThat(read(RawNpy.file(2, F4_2_BY_3 + "\n", data)).shape()).containsExactly(2, 3);
        assertThat(read(RawNpy.file(3, F4_2_BY_3 + "\n", data)).shape()).containsExactly(2, 3);
        refused(RawNpy.file(4, F4_2_BY_3, data), "npy version 4.0");
        refused(RawNpy.file(0, F4_2_BY_3, data), "npy version 0.0");
        byte[] minor = RawNpy.file(1, F4_2_BY_3, data);
        minor[7] = 1;
        refused(minor, "npy version 1.1");
    }

    @Test
    void onlyVersionThreeMustBeUtf8() {
        byte[] bytes = RawNpy.file(3, "{'descr': '<f4', 'x': 1}");
        bytes[12 + 11] = (byte) 0xff;
        refused(bytes, "its header is not valid UTF-8");
        bytes[6] = 2;
        refused(bytes, "unknown entry \"x\"");
    }

    @ParameterizedTest
    @CsvSource({
        "|b1, BOOL, 01, 1",
        "<b1, BOOL, 00, 0",
        "|u1, UINT8, ff, -1",
        "|i1, INT8, fe, -2",
        ">u2, UINT16, 01 02, 258",
        "<u2, UINT16, 01 02, 513",
        ">i2, INT16, ff fe, -2",
        "<i4, INT32, 04 03 02 01, 16909060",
        ">i4, INT32, 01 02 03 04, 16909060",
        ">u4, UINT32, ff ff ff fe, -2",
        "<i8, INT64, 08 07 06 05 04 03 02 01, 72623859790382856",
        ">i8, INT64, 01 02 03 04 05 06 07 08, 72623859790382856",
        ">f4, FLOAT32, c0 20 00 00, -2.5",
        "<f8, FLOAT64, 00 00 00 00 00 00 04 c0, -2.5",
        ">f8, FLOAT64, c0 04 00 00 00 00 00 00, -2.5",
    })
    void everyTypeInBothByteOrders(String descr, NpyType type, String bytes, double value) throws IOException {
        NpyFile array = read(RawNpy.numpy(descr, false, "(1,)", RawNpy.hex(bytes)));
        assertThat(array.type()).isEqualTo(type);
        assertThat(array.data().byteSize()).isEqualTo(type.bytes());
        double found = switch (type) {
            case BOOL, UINT8, INT8 -> array.data().get(ValueLayout.JAVA_BYTE, 0);
            case UINT16, INT16 -> array.data().get(ValueLayout.JAVA_SHORT, 0);
            case UINT32, INT32 -> array.data().get(ValueLayout.JAVA_INT, 0);
            case INT64 -> array.data().get(ValueLayout.JAVA_LONG, 0);
            case FLOAT32 -> array.data().get(ValueLayout.JAVA_FLOAT, 0);
            case FLOAT64 -> array.data().get(ValueLayout.JAVA_DOUBLE, 0);
        };
        assertThat(found).isEqualTo(value);
    }

    @Test
    void theEqualsSignIsTheOrderOfTheMachine() throws IOException {
        byte[] four =
                ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(7).array();
        assertThat(read(RawNpy.numpy("=i4", false, "(1,)", four)).data().get(ValueLayout.JAVA_INT, 0))
                .isEqualTo(7);
    }

    @Test
    void fortranOrderBecomesRowMajor() throws IOException {
        // numpy.asfortranarray([[1, 2, 3], [4, 5, 6]]): column by column.
        byte[] matrix = RawNpy.numpy("|u1", true, "(2, 3)", new byte[] {1, 4, 2, 5, 3, 6});
        assertThat(read(matrix).data().toArray(ValueLayout.JAVA_BYTE)).containsExactly(1, 2, 3, 4, 5, 6);
        // Element (i, j, k, l) of shape (2, 1, 3, 4) is 12 i + 4 k + l, and lies at i + 2 k + 6 l in the file.
        ByteBuffer columns = ByteBuffer.allocate(48);
        for (int place = 0; place < 24; place++) {
            columns.putShort((short) (12 * (place % 2) + 4 * (place / 2 % 3) + place / 6));
        }
        NpyFile array = read(RawNpy.numpy(">i2", true, "(2, 1, 3, 4)", columns.array()));
        for (int i = 0; i < 24; i++) {
            assertThat(array.data().getAtIndex(ValueLayout.JAVA_SHORT, i)).isEqualTo((short) i);
        }
        // One axis, or one that is longer than 1, has one order only.
        assertThat(read(RawNpy.numpy("|u1", true, "(3,)", new byte[] {1, 2, 3}))
                        .data()
                        .toArray(ValueLayout.JAVA_BYTE))
                .containsExactly(1, 2, 3);
        assertThat(read(RawNpy.numpy("|u1", true, "(1, 3)", new byte[] {1, 2, 3}))
                        .data()
                        .toArray(ValueLayout.JAVA_BYTE))
                .containsExactly(1, 2, 3);
    }

    @Test
    void scalarsEmptyArraysAndManyDimensions() throws IOException {
        NpyFile scalar = read(RawNpy.numpy("<f8", false, "()", RawNpy.hex("00 00 00 00 00 00 04 40")));
        assertThat(scalar.shape()).isEmpty();
        assertThat(scalar.data().get(ValueLayout.JAVA_DOUBLE, 0)).isEqualTo(2.5);
        NpyFile empty = read(RawNpy.numpy("<f4", true, "(0, 4611686018427387904, 4611686018427387904)"));
        assertThat(empty.data().byteSize()).isZero();
        String ones = "1, ".repeat(31);
        assertThat(read(RawNpy.file(
                                1, "{'descr':'|u1','fortran_order':True,'shape':(" + ones + "2)}", (byte) 8, (byte) 9))
                        .shape())
                .hasSize(32)
                .endsWith(1, 2);
        refused(
                RawNpy.file(1, "{'descr':'|u1','fortran_order':True,'shape':(" + ones + "1, 2)}", (byte) 8, (byte) 9),
                "more than 32 dimensions");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'shape':(2,3),'fortran_order':False,'descr':'<f4'}",
                "{\"descr\": \"<f4\", \"fortran_order\": False, \"shape\": (2, 3,)}",
                " \t{ 'descr' : '<f4' , 'fortran_order' : False , 'shape' : ( 2 , 3 ) , } \r\n ",
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }",
            })
    void theDictMayBeWrittenInAnyWayThatPythonReads(String header) throws IOException {
        assertThat(read(RawNpy.file(1, header, new byte[24])).shape()).containsExactly(2, 3);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "`` ~ no '{'",
                "{ ~ no string",
                "{} ~ lacks the entry 'descr'",
                "{'descr': '<f4'} ~ lacks the entry 'fortran_order'",
                "{'descr': '<f4', 'fortran_order': False} ~ lacks the entry 'shape'",
                "{'descr': '<f4', 'descr': '<f4'} ~ the entry 'descr' twice",
                "{'shape': (), 'shape': ()} ~ the entry 'shape' twice",
                "{'fortran_order': True, 'fortran_order': True} ~ the entry 'fortran_order' twice",
                "{'name': 'x'} ~ unknown entry \"name\"",
                "{descr: '<f4'} ~ no string",
                "{'descr' '<f4'} ~ no ':'",
                "{'descr': '<f4' 'shape': ()} ~ no ','",
                "{'descr': '<f4'; } ~ no ','",
                "{,} ~ no string",
                "{'descr': 4} ~ no string",
                "{'descr': None} ~ no string",
                "{'descr': '<f4} ~ string without an end",
                "{'descr': '<f\\x34'} ~ escape",
                "{'fortran_order': 0} ~ no True or False",
                "{'fortran_order': true} ~ no True or False",
                "{'fortran_order': 'False'} ~ no True or False",
                "{'shape': 3} ~ no '('",
                "{'shape': [3]} ~ no '('",
                "{'shape': (3)} ~ no tuple",
                "{'shape': (,)} ~ no whole number",
                "{'shape': (2 3)} ~ lacks a comma",
                "{'shape': (2,,3)} ~ no whole number",
                "{'shape': (2.0,)} ~ lacks a comma",
                "{'shape': (02,)} ~ no whole number",
                "{'shape': ('2',)} ~ no whole number",
                "{'shape': (True,)} ~ no whole number",
                "{'shape': (-1,)} ~ negative extent",
                "{'shape': (0x2,)} ~ lacks a comma",
                "{'shape': (9223372036854775808,)} ~ above 2^63 - 1",
                "{'shape': (99999999999999999999999,)} ~ above 2^63 - 1",
                "{'shape': (2 ~ lacks a comma",
                "{'shape': ( ~ no whole number",
                "{'descr': '<f4', 'fortran_order': False, 'shape': ()} x ~ goes on after its dict",
                "{'descr': '<f4', 'fortran_order': False, 'shape': ()}{} ~ goes on after its dict",
                "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': ()} ~ structured elements",
                "{'descr': ('<f4', (2,)), 'fortran_order': False, 'shape': ()} ~ structured elements",
                "{'descr': '|O', 'fortran_order': False, 'shape': (1,)} ~ pickle",
                "{'descr': 'O', 'fortran_order': False, 'shape': (1,)} ~ pickle",
                "{'descr': '<f2', 'fortran_order': False, 'shape': (1,)} ~ dtype \"<f2\"",
                "{'descr': '<c8', 'fortran_order': False, 'shape': (1,)} ~ dtype \"<c8\"",
                "{'descr': '<U5', 'fortran_order': False, 'shape': (1,)} ~ dtype \"<U5\"",
                "{'descr': '|V8', 'fortran_order': False, 'shape': (1,)} ~ dtype \"|V8\"",
                "{'descr': '<u8', 'fortran_order': False, 'shape': (1,)} ~ dtype \"<u8\"",
                "{'descr': 'f4', 'fortran_order': False, 'shape': (1,)} ~ dtype \"f4\"",
                "{'descr': '|f4', 'fortran_order': False, 'shape': (1,)} ~ dtype \"|f4\"",
                "{'descr': '!f4', 'fortran_order': False, 'shape': (1,)} ~ dtype \"!f4\"",
                "{'descr': '', 'fortran_order': False, 'shape': (1,)} ~ dtype \"\"",
            })
    void whatIsNoSuchDictIsRefused(String header, String problem) {
        refused(RawNpy.file(1, header, new byte[4]), problem, "; ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(4611686018427387904,)",
                "(4611686018427387904, 2)",
                "(4611686018427387904, 4611686018427387904)",
                "(9223372036854775807,)",
                "(3037000500, 3037000500)",
                "(2305843009213693952, 8)",
            })
    void shapesThatNoMemoryCanHoldAreRefusedBeforeAnyIsAsked(String shape) {
        refused(RawNpy.numpy("<f4", false, shape, new byte[16]), "claims the shape [", "more than any file can hold");
    }

    @Test
    void theSizeMustBeExactlyWhatTheShapeNeeds() {
        refused(RawNpy.numpy("<f4", false, "(2, 3)", new byte[23]), "needs 24 bytes", "but 23 follow");
        refused(RawNpy.numpy("<f4", false, "(2, 3)", new byte[25]), "needs 24 bytes", "but 25 follow");
        refused(RawNpy.numpy("<f4", false, "(1152921504606846976,)", new byte[4]), "needs 4611686018427387904 bytes");
        refused(RawNpy.numpy("<f4", false, "(0,)", new byte[4]), "needs 0 bytes");
    }

    @Test
    void headersAreBounded() {
        // A header bomb: version 2.0 can claim 4 GiB.
        byte[] bomb = RawNpy.file(2, F4_2_BY_3, new byte[24]);
        ByteBuffer.wrap(bomb).putInt(8, -1);
        refused(bomb, "claims a header of 4294967295 bytes");
        refused(RawNpy.file(2, F4_2_BY_3 + " ".repeat(1 << 16), new byte[24]), "but at most 65535 are read");
        refused(RawNpy.file(1, "(".repeat(60_000)), "no '{'");
        refused(RawNpy.file(1, "{'shape': " + "(".repeat(60_000)), "no whole number");
        byte[] longer = RawNpy.file(1, F4_2_BY_3);
        longer[8]++;
        refused(longer, "claims a header of 60 bytes");
    }

    @Test
    void everyTruncationIsRefused() throws IOException {
        byte[] golden = RawNpy.hex(GOLDEN);
        for (int length = 0; length < golden.length; length++) {
            refused(Arrays.copyOf(golden, length), "; ");
        }
        refused("PK\3\4".getBytes(StandardCharsets.ISO_8859_1), "ends in the middle");
        refused("not a numpy file".getBytes(StandardCharsets.ISO_8859_1), "is no npy file");
    }

    @Test
    void aSparseFileOfEightTebibytesIsRefusedWithoutMemory() throws IOException {
        Path path = folder.resolve("sparse.npy");
        byte[] header = RawNpy.numpy("|u1", false, "(8796093022208,)");
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(header));
            channel.write(ByteBuffer.wrap(new byte[1]), header.length + 8_796_093_022_207L);
        }
        assertThatThrownBy(() -> NpyFile.read(path))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("no memory");
    }

    @Test
    void whatIsNoFileIsRefused() {
        assertThatThrownBy(() -> NpyFile.read(folder.resolve("absent.npy")))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("does not exist");
        assertThatThrownBy(() -> NpyFile.read(folder))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("is a folder");
    }

    @Test
    void anArenaOwnsTheData() throws IOException {
        Path path = Files.write(folder.resolve("array.npy"), RawNpy.hex(GOLDEN));
        NpyFile array;
        try (Arena arena = Arena.ofConfined()) {
            array = NpyFile.read(path, arena);
            assertThat(array.data().get(ValueLayout.JAVA_FLOAT, 0)).isOne();
        }
        assertThatThrownBy(() -> array.data().get(ValueLayout.JAVA_FLOAT, 0)).isInstanceOf(IllegalStateException.class);
    }
}
