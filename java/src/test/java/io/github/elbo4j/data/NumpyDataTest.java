package io.github.elbo4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.RawNpy;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NumpyDataTest {
    @TempDir
    Path folder;

    private Path file(String name, byte[] bytes) throws IOException {
        return Files.write(folder.resolve(name), bytes);
    }

    private Path npy(String descr, String shape, byte... data) throws IOException {
        return file("values.npy", RawNpy.numpy(descr, false, shape, data));
    }

    private void refused(Path path, String... parts) {
        assertThatThrownBy(() -> NumpyData.readNpy(path))
                .isInstanceOf(FormatException.class)
                .hasMessageStartingWith(path + ": ")
                .hasMessageContainingAll(parts);
    }

    private static byte[] doubles(double... values) {
        ByteBuffer bytes = ByteBuffer.allocate(8 * values.length);
        Arrays.stream(values).forEach(bytes::putDouble);
        return bytes.array();
    }

    @Test
    void float32IsTakenAsItIs() throws IOException {
        Dataset set = NumpyData.readNpy(npy(">f4", "(2, 1)", RawNpy.hex("3e 80 00 00 7f c0 00 00")));
        assertThat(set.type()).isEqualTo(DType.F32);
        assertThat(set.values().toArray(ValueLayout.JAVA_FLOAT)).containsExactly(0.25f, Float.NaN);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> set.requireUnitRange("the Bernoulli likelihood"))
                .withMessageContaining("row 1, column 0 is NaN");
    }

    @Test
    void float64IsRoundedToTheNearest() throws IOException {
        // 1 + 2^-24 lies half way and goes to the even 1; a bit more goes up.
        double half = 1 + 0x1p-24;
        Dataset set = NumpyData.readNpy(npy(
                ">f8", "(3, 2)", doubles(half, Math.nextUp(half), 1e-300, Double.NaN, Double.NEGATIVE_INFINITY, -0.0)));
        assertThat(set.type()).isEqualTo(DType.F32);
        assertThat(set.values().toArray(ValueLayout.JAVA_FLOAT))
                .containsExactly(1f, Math.nextUp(1f), 0f, Float.NaN, Float.NEGATIVE_INFINITY, -0.0f);
        refused(npy(">f8", "(2, 2)", doubles(0, 0, 3.4028235677973366e38, 0)), "row 1, column 0 is 3.4", "too large");
    }

    @Test
    void bytesStayAndBoolsBecomeZeroAnd255() throws IOException {
        Dataset bytes = NumpyData.readNpy(npy("|u1", "(2, 2)", (byte) 0, (byte) 1, (byte) 128, (byte) 255));
        assertThat(bytes.type()).isEqualTo(DType.U8);
        assertThat(bytes.values().toArray(ValueLayout.JAVA_BYTE)).containsExactly(0, 1, -128, -1);
        Dataset bools = NumpyData.readNpy(npy("|b1", "(2, 2)", (byte) 0, (byte) 1, (byte) 1, (byte) 0));
        assertThat(bools.type()).isEqualTo(DType.U8);
        assertThat(bools.values().toArray(ValueLayout.JAVA_BYTE)).containsExactly(0, -1, -1, 0);
        refused(npy("|b1", "(2, 2)", (byte) 0, (byte) 1, (byte) 1, (byte) 2), "row 1, column 1 is the byte 2");
    }

    @ParameterizedTest
    @CsvSource({
        "'(2, 6)', 1, 6, 1",
        "'(2, 3, 2)', 3, 2, 1",
        "'(2, 3, 1, 2)', 3, 1, 2",
    })
    void extentsAreRowsHeightWidthAndChannels(String shape, int height, int width, int channels) throws IOException {
        Dataset set = NumpyData.readNpy(npy("|u1", shape, new byte[12]));
        assertThat(set.rows()).isEqualTo(2);
        assertThat(set.shape()).isEqualTo(new ImageShape(height, width, channels));
    }

    @Test
    void arraysThatAreNoSetOfRowsAreRefused() throws IOException {
        refused(npy("|u1", "()", (byte) 1), "uint8 []", "no set of rows", "reshape it");
        refused(npy("|u1", "(3,)", new byte[3]), "uint8 [3]", "no set of rows");
        refused(npy("|u1", "(1, 1, 1, 1, 3)", new byte[3]), "no set of rows");
        refused(npy("|u1", "(0, 3)"), "uint8 [0, 3]", "empty");
        refused(npy("|u1", "(3, 0)"), "empty");
        refused(npy("|u1", "(0, 4611686018427387904, 4611686018427387904)"), "empty");
        refused(npy("|u1", "(1, 16777217)", new byte[16777217]), "at most 2^24 values");
        refused(npy("|u1", "(1, 4097, 4096)", new byte[4097 * 4096]), "at most 2^24 values");
        refused(npy("<i4", "(1, 1)", new byte[4]), "int32 [1, 1]", "float32, float64, uint8 or bool");
    }

    @ParameterizedTest
    @CsvSource({
        "|u1, 07 ff, 255",
        "|i1, 07 7f, 127",
        "|b1, 00 01, 1",
        "<u2, 07 00 ff ff, 65535",
        "<i2, 07 00 ff 7f, 32767",
        ">u4, 00 00 00 07 7f ff ff ff, 2147483647",
        ">i4, 00 00 00 07 7f ff ff ff, 2147483647",
        "<i8, 07 00 00 00 00 00 00 00 ff ff ff 7f 00 00 00 00, 2147483647",
    })
    void labelsAreIntegersOfAnyType(String descr, String bytes, int last) throws IOException {
        Path values = npy("|u1", "(2, 3)", new byte[6]);
        byte[] data = RawNpy.hex(bytes);
        Path labels = file("labels.npy", RawNpy.numpy(descr, false, "(2,)", data));
        assertThat(NumpyData.readNpy(values, labels).label(1)).isEqualTo(last);
        file("labels.npy", RawNpy.numpy(descr, true, "(2, 1)", data));
        assertThat(NumpyData.readNpy(values, labels).label(1)).isEqualTo(last);
    }

    @ParameterizedTest
    @CsvSource({
        "|i1, '(2,)', 07 ff, label -1 of row 1",
        "<u4, '(2,)', 07 00 00 00 00 00 00 80, label 2147483648 of row 1",
        "<i8, '(2,)', 07 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00, label 4294967296 of row 1",
        "<f4, '(2,)', 00 00 00 00 00 00 00 00, no labels",
        "<f8, '(1,)', 00 00 00 00 00 00 00 00, no labels",
        "|u1, '(3,)', 00 00 00, 3 labels for 2 rows",
        "|u1, '()', 00, no labels",
        "|u1, '(1, 2)', 00 00, no labels",
        "|u1, '(2, 1, 1)', 00 00, no labels",
    })
    void otherLabelsAreRefused(String descr, String shape, String bytes, String problem) throws IOException {
        Path values = npy("|u1", "(2, 3)", new byte[6]);
        Path labels = file("labels.npy", RawNpy.numpy(descr, false, shape, RawNpy.hex(bytes)));
        assertThatThrownBy(() -> NumpyData.readNpy(values, labels))
                .isInstanceOf(FormatException.class)
                .hasMessageStartingWith(labels + ": ")
                .hasMessageContaining(problem);
    }

    @Test
    void archivesHoldValuesAndLabels() throws IOException {
        Path path = file(
                "arrays.npz",
                RawNpy.zip(
                        true,
                        "x.npy",
                        RawNpy.numpy("|u1", false, "(2, 1)", (byte) 8, (byte) 9),
                        "y.npy",
                        RawNpy.numpy("|u1", false, "(2,)", (byte) 3, (byte) 4)));
        assertThat(NumpyData.readNpz(path, "x").hasLabels()).isFalse();
        Dataset set = NumpyData.readNpz(path, "x", "y");
        assertThat(set.values().toArray(ValueLayout.JAVA_BYTE)).containsExactly(8, 9);
        assertThat(set.label(0)).isEqualTo(3);
        assertThat(set.label(1)).isEqualTo(4);
        assertThatThrownBy(() -> NumpyData.readNpz(path, "y"))
                .isInstanceOf(FormatException.class)
                .hasMessageStartingWith(path + "#y: ");
    }
}
