package io.github.elbo4j.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are byte for byte what numpy.save of NumPy 2.4 writes on a little-endian machine. */
class NpyWriterTest {
    @TempDir
    Path folder;

    private Path target() {
        return folder.resolve("array.npy");
    }

    private void leavesNothingBut(String... names) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString())).containsExactlyInAnyOrder(names);
        }
    }

    @Test
    void writesTheBytesOfNumpy() throws IOException {
        NpyWriter.write(target(), new float[] {1, -2, 0.5f, 3, 4, 5}, 2, 3);
        byte[] floats = RawNpy.hex("00 00 80 3f 00 00 00 c0 00 00 00 3f 00 00 40 40 00 00 80 40 00 00 a0 40");
        assertThat(Files.readAllBytes(target())).isEqualTo(RawNpy.numpy("<f4", false, "(2, 3)", floats));

        NpyWriter.write(target(), DType.U8, new long[] {1}, MemorySegment.ofArray(new byte[] {7}));
        assertThat(Files.readAllBytes(target())).isEqualTo(RawNpy.numpy("|u1", false, "(1,)", (byte) 7));

        NpyWriter.write(target(), DType.I32, new long[] {2, 1, 1, 1}, MemorySegment.ofArray(new int[] {1, -1}));
        assertThat(Files.readAllBytes(target()))
                .isEqualTo(RawNpy.numpy("<i4", false, "(2, 1, 1, 1)", RawNpy.hex("01 00 00 00 ff ff ff ff")));

        NpyWriter.write(target(), DType.I64, new long[] {1}, MemorySegment.ofArray(new long[] {1L << 40}));
        assertThat(Files.readAllBytes(target()))
                .isEqualTo(RawNpy.numpy("<i8", false, "(1,)", RawNpy.hex("00 00 00 00 00 01 00 00")));

        NpyWriter.write(target(), DType.F64, new long[0], MemorySegment.ofArray(new double[] {2.5}));
        assertThat(Files.readAllBytes(target()))
                .isEqualTo(RawNpy.numpy("<f8", false, "()", RawNpy.hex("00 00 00 00 00 00 04 40")));

        NpyWriter.write(target(), new float[0], 0, 784);
        assertThat(Files.readAllBytes(target())).isEqualTo(RawNpy.numpy("<f4", false, "(0, 784)"));
    }

    @Test
    void everyHeaderEndsAtAMultipleOf64AndIsRead() throws IOException {
        for (int dimensions = 0; dimensions <= 32; dimensions++) {
            long[] shape = new long[dimensions];
            Arrays.fill(shape, 1);
            byte[] header = NpyWriter.header(DType.U8, shape);
            assertThat(header.length % 64).isZero();
            assertThat(header[header.length - 1]).isEqualTo((byte) '\n');
            assertThat(header[header.length - 2]).isEqualTo((byte) ' ');
            NpyWriter.write(target(), DType.U8, shape, MemorySegment.ofArray(new byte[] {5}));
            assertThat(NpyFile.read(target()).shape()).isEqualTo(shape);
            assertThat(Files.size(target())).isEqualTo(header.length + 1);
        }
    }

    @Test
    void rowsAreWrittenAsTheyCome() throws IOException {
        // Parts larger than the staging buffer, and ones that end within a row.
        int rows = 700_001;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment part = arena.allocate(3L * 4 * 350_000, 4);
            NpyWriter.writeRows(target(), DType.F32, new long[] {rows, 3}, out -> {
                int at = 0;
                for (int times = 0; times < 2; times++) {
                    for (int i = 0; i < 3 * 350_000; i++) {
                        part.setAtIndex(ValueLayout.JAVA_FLOAT, i, at++);
                    }
                    out.append(part);
                }
                out.append(new float[] {at, at + 1});
                out.append(new float[0]);
                out.append(MemorySegment.ofArray(new float[] {at + 2}));
            });
        }
        NpyFile array = NpyFile.read(target());
        assertThat(array.shape()).containsExactly(rows, 3);
        for (int i = 0; i < 3 * rows; i++) {
            if (array.data().getAtIndex(ValueLayout.JAVA_FLOAT, i) != i) {
                throw new AssertionError("element " + i);
            }
        }
    }

    @Test
    void aWrongNumberOfElementsLeavesTheOldFile() throws IOException {
        Files.writeString(target(), "old");
        assertThatThrownBy(() ->
                        NpyWriter.writeRows(target(), DType.F32, new long[] {2, 3}, rows -> rows.append(new float[5])))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("20 of 24 bytes were appended");
        assertThatThrownBy(() -> NpyWriter.writeRows(target(), DType.F32, new long[] {2, 3}, rows -> {
                    rows.append(new float[3]);
                    rows.append(new float[4]);
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("only 12 left");
        assertThatThrownBy(() -> NpyWriter.writeRows(target(), DType.F32, new long[] {1}, _ -> {
                    throw new IOException("no more");
                }))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no more");
        assertThat(Files.readString(target())).isEqualTo("old");
        leavesNothingBut("array.npy");
    }

    @Test
    void wrongArgumentsAreRefusedBeforeAnythingIsWritten() throws IOException {
        MemorySegment four = MemorySegment.ofArray(new byte[4]);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NpyWriter.write(target(), DType.F32, new long[] {2}, four))
                .withMessageContaining("needs 8 bytes, not 4");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NpyWriter.write(target(), DType.BF16, new long[] {2}, four))
                .withMessageContaining("no BF16");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NpyWriter.write(target(), DType.U8, new long[] {-1, -4}, four))
                .withMessageContaining("negative");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NpyWriter.write(target(), DType.U8, new long[] {1L << 62, 4}, four))
                .withMessageContaining("too many elements");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NpyWriter.write(target(), DType.F32, new long[33], MemorySegment.NULL))
                .withMessageContaining("33 dimensions");
        leavesNothingBut();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NpyWriter.writeRows(
                        target(), DType.F32, new long[] {1}, rows -> rows.append(MemorySegment.ofArray(new byte[3]))))
                .withMessageContaining("whole number of F32");
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        NpyWriter.writeRows(target(), DType.I32, new long[] {1}, rows -> rows.append(new float[1])))
                .withMessageContaining("array of I32");
        leavesNothingBut();
    }
}
