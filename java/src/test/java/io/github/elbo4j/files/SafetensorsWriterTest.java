package io.github.elbo4j.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
    /** Written by hand: length 0x88, the header and four spaces, 1.0f, -2.0f, and the bytes 1, 2, 3. */
    private static final String GOLDEN = """
            88 00 00 00 00 00 00 00 7b 22 5f 5f 6d 65 74 61 64 61 74 61 5f 5f 22 3a 7b 22 6b 22 3a 22 76 22
            7d 2c 22 61 22 3a 7b 22 64 74 79 70 65 22 3a 22 46 33 32 22 2c 22 73 68 61 70 65 22 3a 5b 32 5d
            2c 22 64 61 74 61 5f 6f 66 66 73 65 74 73 22 3a 5b 30 2c 38 5d 7d 2c 22 62 22 3a 7b 22 64 74 79
            70 65 22 3a 22 55 38 22 2c 22 73 68 61 70 65 22 3a 5b 33 5d 2c 22 64 61 74 61 5f 6f 66 66 73 65
            74 73 22 3a 5b 38 2c 31 31 5d 7d 7d 20 20 20 20 00 00 80 3f 00 00 00 c0 01 02 03""";

    @TempDir
    Path folder;

    private static byte[] golden() {
        return HexFormat.ofDelimiter(" ").parseHex(GOLDEN.replace('\n', ' '));
    }

    private static SafetensorsWriter goldenWriter() {
        return new SafetensorsWriter()
                .add("b", DType.U8, new long[] {3}, MemorySegment.ofArray(new byte[] {1, 2, 3}))
                .add("a", new float[] {1, -2}, 2)
                .metadata("k", "v");
    }

    @Test
    void writesTheGoldenBytes() throws IOException {
        Path path = folder.resolve("golden");
        goldenWriter().write(path);
        assertThat(Files.readAllBytes(path)).isEqualTo(golden());
    }

    @Test
    void readsTheGoldenBytes() throws IOException {
        SafetensorsFile file = SafetensorsFile.read(Files.write(folder.resolve("golden"), golden()));
        assertThat(file.metadata()).containsOnlyKeys("k").containsEntry("k", "v");
        assertThat(file.names()).containsExactly("a", "b");
        assertThat(file.floats("a")).containsExactly(1, -2);
        assertThat(file.data("b", DType.U8, 3).toArray(ValueLayout.JAVA_BYTE)).containsExactly(1, 2, 3);
    }

    @Test
    void writesTheSameBytesEveryTime() throws IOException {
        SafetensorsWriter writer = goldenWriter();
        writer.write(folder.resolve("one"));
        writer.write(folder.resolve("one"));
        assertThat(Files.readAllBytes(folder.resolve("one"))).isEqualTo(golden());
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).hasSize(1);
        }
    }

    @Test
    void everyTypeAndKindOfSegmentComesBack() throws IOException {
        Path path = folder.resolve("all");
        double[] doubles = {Math.PI, Double.NaN, -0.0};
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ints = arena.allocateFrom(ValueLayout.JAVA_INT, -1, 2, 3, 4, 5, 6);
            new SafetensorsWriter()
                    .add("u8", DType.U8, new long[] {1}, MemorySegment.ofArray(new byte[] {-1}))
                    .add("bf16", DType.BF16, new long[] {1}, MemorySegment.ofArray(new short[] {0x3f80}))
                    .add("i32", DType.I32, new long[] {2, 3}, ints.asReadOnly())
                    .add("empty", DType.F32, new long[] {0, 7}, MemorySegment.NULL)
                    .add("scalar", new float[] {7})
                    .add("i64", DType.I64, new long[] {1}, MemorySegment.ofArray(new long[] {Long.MIN_VALUE}))
                    .add("f64", DType.F64, new long[] {3, 1}, MemorySegment.ofArray(doubles))
                    .metadata("β\n\"", "\uD83D\uDE00\u0000")
                    .write(path);
        }
        SafetensorsFile file = SafetensorsFile.read(path);
        assertThat(file.names()).containsExactly("i64", "f64", "i32", "empty", "scalar", "bf16", "u8");
        assertThat(file.metadata()).containsEntry("β\n\"", "\uD83D\uDE00\u0000");
        assertThat(file.data("u8", DType.U8, 1).toArray(ValueLayout.JAVA_BYTE)).containsExactly(-1);
        assertThat(file.data("bf16", DType.BF16, 1).toArray(ValueLayout.JAVA_SHORT))
                .containsExactly(0x3f80);
        assertThat(file.data("i32", DType.I32, 2, 3).toArray(ValueLayout.JAVA_INT))
                .containsExactly(-1, 2, 3, 4, 5, 6);
        assertThat(file.data("empty", DType.F32, 0, 7).byteSize()).isZero();
        assertThat(file.floats("scalar")).containsExactly(7);
        assertThat(file.data("i64", DType.I64, 1).toArray(ValueLayout.JAVA_LONG))
                .containsExactly(Long.MIN_VALUE);
        assertThat(file.data("f64", DType.F64, 3, 1).toArray(ValueLayout.JAVA_DOUBLE))
                .containsExactly(doubles);
    }

    @Test
    void dataBeginsAtAMultipleOfEightForEveryNameLength() {
        for (int length = 0; length < 20; length++) {
            byte[] header = new SafetensorsWriter()
                    .add("n".repeat(length), new float[1], 1)
                    .header();
            assertThat(header.length % 8).isZero();
            assertThat(ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).getLong())
                    .isEqualTo(header.length - 8);
            assertThat(new String(header, 8, header.length - 8, StandardCharsets.UTF_8))
                    .startsWith("{")
                    .endsWith(" ".repeat(Math.toIntExact(header.length - 8 - 1 - header(length))));
        }
    }

    /** Length of the JSON text before its closing brace. */
    private static int header(int nameLength) {
        return "{\"\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}".length() + nameLength;
    }

    @Test
    void offsetsGoBeyondFourGibibytes() throws IOException {
        long size = 5L << 30;
        Path path = folder.resolve("sparse");
        try (Arena arena = Arena.ofConfined();
                FileChannel channel = FileChannel.open(
                        path,
                        StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.SPARSE)) {
            channel.write(ByteBuffer.allocate(1), size - 1);
            MemorySegment large = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
            byte[] header = new SafetensorsWriter()
                    .add("a", DType.U8, new long[] {5, 1 << 30}, large)
                    .add("b", DType.U8, new long[] {size}, large)
                    .header();
            assertThat(new String(header, StandardCharsets.UTF_8))
                    .contains("[0,5368709120]")
                    .contains("[5368709120,10737418240]");
        }
    }

    @Test
    void heapSegmentsAreCopiedInPieces() throws IOException {
        float[] values = new float[1_000];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        Path path = folder.resolve("pieces");
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            SafetensorsWriter.copy(channel, MemorySegment.ofArray(values), ByteBuffer.allocateDirect(48));
        }
        assertThat(MemorySegment.ofArray(Files.readAllBytes(path)).mismatch(MemorySegment.ofArray(values)))
                .isEqualTo(-1);
    }

    @Test
    void refusesWhatNoFileCanHold() {
        SafetensorsWriter writer =
                new SafetensorsWriter().add("a", new float[2], 2).metadata("k", "v");
        MemorySegment none = MemorySegment.NULL;
        refused(() -> writer.add("a", new float[2], 2), "\"a\" was added before");
        refused(() -> writer.metadata("k", "w"), "\"k\" was added before");
        refused(() -> writer.add("__metadata__", new float[2], 2), "reserves");
        refused(() -> writer.add("b", new float[2], 3), "needs 12 bytes as F32 [3] but its data has 8");
        refused(() -> writer.add("b", new float[2], -2), "negative dimension");
        refused(() -> writer.add("b", DType.F32, new long[33], none), "33 dimensions");
        refused(() -> writer.add("b", DType.F32, new long[] {1L << 62, 4}, none), "too many elements");
        refused(() -> writer.add("b", DType.F32, new long[] {1L << 62}, none), "too many elements");
        refused(() -> writer.add("\uD800", new float[2], 2), "surrogate");
        refused(() -> writer.add("n".repeat(16_385), new float[2], 2), "16385 chars");
        refused(() -> writer.metadata("\uDC00", ""), "surrogate");
        refused(() -> writer.metadata("m", "\uD800"), "surrogate");
        refused(() -> writer.metadata("m", "x".repeat((1 << 24) + 1)), "16777217 chars");
        assertThat(new String(writer.header(), StandardCharsets.UTF_8)).doesNotContain("\"b\"");
    }

    private static void refused(ThrowingCallable call, String message) {
        assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessageContaining(message);
    }

    @Test
    void headersBeyondTheLimitAreRefusedBeforeTheTargetIsTouched() throws IOException {
        Path path = Files.writeString(folder.resolve("old"), "old");
        SafetensorsWriter writer = new SafetensorsWriter();
        for (int i = 0; i < 5; i++) {
            writer.metadata("k" + i, "x".repeat(1 << 24));
        }
        assertThat(writer.header().length).isLessThan(100_000_000);
        assertThatThrownBy(() -> writer.metadata("last", "\0".repeat(3 << 20)).write(path))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("more than the 100000000");
        assertThat(Files.readString(path)).isEqualTo("old");
    }

    @Test
    void closedDataKeepsTheOldFile() throws IOException {
        Path path = Files.writeString(folder.resolve("old"), "old");
        SafetensorsWriter writer = new SafetensorsWriter();
        try (Arena arena = Arena.ofConfined()) {
            writer.add("a", DType.U8, new long[] {9}, arena.allocate(9));
        }
        assertThatThrownBy(() -> writer.write(path)).isInstanceOf(IllegalStateException.class);
        assertThat(Files.readString(path)).isEqualTo("old");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).hasSize(1);
        }
    }
}
