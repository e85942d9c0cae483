package io.github.elbo4j.files;

import static io.github.elbo4j.files.RawSafetensors.file;
import static io.github.elbo4j.files.RawSafetensors.tensor;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class SafetensorsFileTest {
    private static final String A = tensor("a", "F32", "[2]", "[0,8]");

    @TempDir
    Path folder;

    private SafetensorsFile read(byte[] bytes) throws IOException {
        return SafetensorsFile.read(Files.write(folder.resolve("m.safetensors"), bytes));
    }

    private void refused(byte[] bytes, String problem) {
        assertThatThrownBy(() -> read(bytes))
                .isInstanceOf(FormatException.class)
                .hasMessageStartingWith(folder.resolve("m.safetensors") + ": ")
                .hasMessageContaining(problem)
                .hasMessageContaining("; ");
    }

    private void refusedHeader(String header, int dataBytes, String problem) {
        refused(file(header, new byte[dataBytes]), problem);
    }

    @Test
    void readsTensorsInDataOrderAndMetadata() throws IOException {
        String header = "{" + tensor("b", "U8", "[3]", "[8,11]") + ",\"__metadata__\":{\"z\":\"1\",\"a\":\"β\"},"
                + tensor("empty", "I64", "[0,5]", "[8,8]") + "," + A + "," + tensor("scalar", "F32", "[]", "[11,15]")
                + "}   ";
        byte[] data = {0, 0, (byte) 0x80, 0x3f, 0, 0, 0, (byte) 0xc0, 1, 2, 3, 0, 0, 0, 0x3f};
        SafetensorsFile file = read(file(header, data));

        assertThat(file.source()).isEqualTo(folder.resolve("m.safetensors").toString());
        assertThat(file.names()).containsExactly("a", "empty", "b", "scalar");
        assertThat(file.metadata().toString()).isEqualTo("{z=1, a=β}");
        assertThat(file.has("a")).isTrue();
        assertThat(file.has("__metadata__")).isFalse();
        assertThat(file.type("a")).isEqualTo(DType.F32);
        assertThat(file.typeText("b")).isEqualTo("U8");
        assertThat(file.shape("empty")).containsExactly(0, 5);
        assertThat(file.shape("scalar")).isEmpty();
        assertThat(file.floats("a")).containsExactly(1f, -2f);
        assertThat(file.data("b").toArray(ValueLayout.JAVA_BYTE)).containsExactly(1, 2, 3);
        assertThat(file.data("empty", DType.I64, 0, 5).byteSize()).isZero();
        // Byte 11 of the file's data: aligned here although not there.
        assertThat(file.data("scalar", DType.F32).get(ValueLayout.JAVA_FLOAT, 0))
                .isEqualTo(0.5f);
        assertThat(file.data("a").isReadOnly()).isTrue();
        assertThat(file.data("scalar").isReadOnly()).isTrue();
    }

    @Test
    void shapesCannotBeChangedFromOutside() throws IOException {
        SafetensorsFile file = read(file("{" + A + "}", new byte[8]));
        file.shape("a")[0] = 99;
        assertThat(file.shape("a")).containsExactly(2);
        assertThatThrownBy(() -> file.names().clear()).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> file.metadata().clear()).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void closedArenaEndsTheData() throws IOException {
        Path path = Files.write(folder.resolve("m"), file("{" + A + "}", new byte[8]));
        SafetensorsFile file;
        MemorySegment data;
        try (Arena arena = Arena.ofConfined()) {
            file = SafetensorsFile.read(path, arena);
            data = file.data("a");
            assertThat(data.get(ValueLayout.JAVA_FLOAT, 4)).isZero();
        }
        assertThatThrownBy(() -> data.get(ValueLayout.JAVA_FLOAT, 0)).isInstanceOf(IllegalStateException.class);
        assertThat(file.names()).containsExactly("a");
    }

    @Test
    void gettersNameWhatWasFoundAndExpected() throws IOException {
        SafetensorsFile file = read(file("{" + A + "}", new byte[8]));
        String source = file.source();
        assertThatThrownBy(() -> file.data("a", DType.F32, 3))
                .isInstanceOf(FormatException.class)
                .hasMessage(source + ": tensor \"a\" is F32 [2] but F32 [3] is expected;"
                        + " use the configuration that the file was written with, or another file");
        assertThatThrownBy(() -> file.data("a", DType.I32, 2))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("F32 [2] but I32 [2]");
        assertThatThrownBy(() -> file.data("nope"))
                .isInstanceOf(FormatException.class)
                .hasMessage(source + ": has no tensor \"nope\" among its 1, such as \"a\";"
                        + " check that it is the right file and that it fits the configuration");
        assertThatThrownBy(() -> file.shape("nope")).isInstanceOf(FormatException.class);
        assertThatThrownBy(() -> file.type("nope")).isInstanceOf(FormatException.class);
        SafetensorsFile bytes = read(file("{" + tensor("u", "U8", "[4]", "[0,4]") + "}", new byte[4]));
        assertThatThrownBy(() -> bytes.floats("u"))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("U8 [4]");
    }

    @ParameterizedTest
    @CsvSource({
        "F16,2",
        "I8,1",
        "I16,2",
        "U16,2",
        "U32,4",
        "U64,8",
        "BOOL,1",
        "F8_E4M3,1",
        "F8_E5M2,1",
        "F8_E8M0,1",
        "C64,8"
    })
    void foreignTypesAreListedAndTheirDataRefused(String dtype, int bytes) throws IOException {
        String foreign = tensor("x", dtype, "[3]", "[8," + (8 + 3 * bytes) + "]");
        SafetensorsFile file = read(file("{" + A + "," + foreign + "}", new byte[8 + 3 * bytes]));
        assertThat(file.names()).containsExactly("a", "x");
        assertThat(file.typeText("x")).isEqualTo(dtype);
        assertThat(file.shape("x")).containsExactly(3);
        assertThatThrownBy(() -> file.data("x"))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("\"x\"")
                .hasMessageContaining(dtype)
                .hasMessageContaining("convert it");
        assertThatThrownBy(() -> file.type("x")).isInstanceOf(FormatException.class);
        assertThatThrownBy(() -> file.data("x", DType.F32, 3)).isInstanceOf(FormatException.class);
        refusedHeader("{" + tensor("x", dtype, "[3]", "[0,1000]") + "}", 1000, "but needs " + 3 * bytes);
    }

    @Test
    void bytesOfAnyTypeAreThoseOfTheFile() throws IOException {
        String header = "{" + tensor("u", "U8", "[1]", "[0,1]") + "," + tensor("h", "F16", "[2]", "[1,5]") + "}";
        SafetensorsFile file = read(file(header, new byte[] {9, 1, 2, 3, 4}));
        assertThat(file.bytes("h").toArray(ValueLayout.JAVA_BYTE)).containsExactly(1, 2, 3, 4);
        assertThat(file.bytes("h").get(ValueLayout.JAVA_SHORT_UNALIGNED, 2)).isEqualTo((short) 0x0403);
        assertThat(file.bytes("h").isReadOnly()).isTrue();
        assertThat(file.bytes("u").byteSize()).isEqualTo(1);
        assertThatThrownBy(() -> file.bytes("nope"))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("has no tensor");
    }

    @Test
    void refusalsNameFileTensorTypeAndShape() throws IOException {
        String name = "h\\u001b" + "n".repeat(200);
        SafetensorsFile file = read(file("{" + tensor(name, "F16", "[1,2]", "[0,4]") + "}", new byte[4]));
        assertThat(file.refusal(file.names().getFirst(), "is odd", "look again"))
                .hasMessageStartingWith(file.source() + ": tensor \"h\\u001bnnn")
                .hasMessageEndingWith("nnn...\" (F16 [1, 2]) is odd; look again");
        assertThatThrownBy(() -> file.refusal("nope", "", "")).isInstanceOf(FormatException.class);
    }

    @Test
    void typesBelowAByteMustFillTheirLastOne() throws IOException {
        SafetensorsFile file = read(file("{" + tensor("x", "F4", "[2,3]", "[0,3]") + "}", new byte[3]));
        assertThat(file.typeText("x")).isEqualTo("F4");
        refusedHeader("{" + tensor("x", "F4", "[3]", "[0,2]") + "}", 2, "last byte");
    }

    @Test
    void emptyFilesOfTensorsAreLegal() throws IOException {
        assertThat(read(file("{}")).names()).isEmpty();
        assertThatThrownBy(() -> read(file("{}")).data("a"))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("has no tensor \"a\" among its 0;");
        assertThat(read(file("{\"__metadata__\":{}}")).metadata()).isEmpty();
        String huge = "{" + tensor("a", "F64", "[4611686018427387904,4611686018427387904,0]", "[0,0]") + "}";
        assertThat(read(file(huge)).data("a").byteSize()).isZero();
    }

    @Test
    void refusesFilesThatAreNone() throws IOException {
        refused(new byte[0], "has 0 bytes, too few");
        refused(new byte[7], "has 7 bytes, too few");
        refused(new byte[8], "does not begin with {");
        refused(new byte[100], "does not begin with {");
        assertThatThrownBy(() -> SafetensorsFile.read(folder.resolve("missing")))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("missing: does not exist; check the path");
        assertThatThrownBy(() -> SafetensorsFile.read(folder))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("is a folder");
        Path below = Files.writeString(folder.resolve("plain"), "x").resolve("below");
        assertThatThrownBy(() -> SafetensorsFile.read(below)).isInstanceOf(FormatException.class);
        Path device = Path.of("/dev/zero");
        if (Files.exists(device)) {
            assertThatThrownBy(() -> SafetensorsFile.read(device))
                    .isInstanceOf(FormatException.class)
                    .hasMessageContaining("not a regular file");
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {11, 100, 1L << 31, 1L << 32, 1L << 60, Long.MAX_VALUE, -1, Long.MIN_VALUE})
    void refusesHeaderLengthsBeyondTheFile(long length) {
        byte[] bytes = file("{        }");
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
        refused(bytes, "claims a header of " + Long.toUnsignedString(length) + " bytes");
    }

    @Test
    void refusesHeadersBeyondTheLimitOfTheFormat() throws IOException {
        Path path = sparse(200_000_000, ByteBuffer.wrap(new byte[8]));
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, 100_000_001));
        }
        assertThatThrownBy(() -> SafetensorsFile.read(path))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("more than the 100000000");
    }

    @Test
    void dataThatFitsNoMemoryIsRefusedAndNotAnError() throws IOException {
        long bytes = Math.max(Runtime.getRuntime().maxMemory(), 1L << 34) * 4;
        byte[] head = file("{" + tensor("a", "U8", "[" + bytes + "]", "[0," + bytes + "]") + "}");
        Path path = sparse(head.length + bytes, ByteBuffer.wrap(head));
        assertThatThrownBy(() -> SafetensorsFile.read(path))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("there is no memory");
    }

    private Path sparse(long size, ByteBuffer head) throws IOException {
        Path path = folder.resolve("sparse");
        try (FileChannel channel = FileChannel.open(
                path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            channel.write(head);
            channel.write(ByteBuffer.allocate(1), size - 1);
        }
        return path;
    }

    @Test
    void refusesHeadersThatAreNotOneJsonObject() {
        refusedHeader("[]", 0, "does not begin with {");
        refusedHeader(" {}", 0, "does not begin with {");
        refusedHeader("\uFEFF{}", 0, "does not begin with {");
        refusedHeader("", 0, "does not begin with {");
        refusedHeader("{", 0, "not valid JSON");
        refusedHeader("{}{}", 0, "goes on");
        refusedHeader("{}\0", 0, "not valid JSON");
        refusedHeader("{" + A + ",}", 8, "not valid JSON");
        refusedHeader("{\"a\":1}", 0, "not described by an object");
        refusedHeader("{\"a\":[]}", 0, "not described by an object");
        refusedHeader("{\"a\":null}", 0, "not described by an object");
        refusedHeader("{\"a\":{\"dtype\":" + "[".repeat(100_000), 0, "dtype that is not a string");
        byte[] bad = {'{', '"', (byte) 0xff, '"', ':', '1', '}'};
        refused(file(bad), "not valid UTF-8");
        byte[] encodedSurrogate = {'{', '"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"', ':', '1', '}'};
        refused(file(encodedSurrogate), "not valid UTF-8");
        refusedHeader("{" + tensor("\\ud800", "F32", "[2]", "[0,8]") + "}", 8, "surrogate");
        refusedHeader("{\"__metadata__\":{\"\\udc00\":\"\"}}", 0, "surrogate");
        refusedHeader("{\"__metadata__\":{\"\":\"\\udc00\"}}", 0, "surrogate");
        refusedHeader("{" + tensor("n".repeat(20_000), "F32", "[2]", "[0,8]") + "}", 8, "not valid JSON");
    }

    @Test
    void refusesBadMetadata() {
        refusedHeader("{\"__metadata__\":null}", 0, "not an object");
        refusedHeader("{\"__metadata__\":[]}", 0, "not an object");
        refusedHeader("{\"__metadata__\":{\"k\":1}}", 0, "metadata \"k\" is not a string");
        refusedHeader("{\"__metadata__\":{\"k\":null}}", 0, "metadata \"k\" is not a string");
        refusedHeader("{\"__metadata__\":{\"k\":{}}}", 0, "metadata \"k\" is not a string");
        refusedHeader("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "metadata \"k\" is listed twice");
        refusedHeader("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "twice");
    }

    @Test
    void refusesDuplicateTensorsAndFields() {
        refusedHeader("{" + A + "," + A + "}", 8, "tensor \"a\" is listed twice");
        refusedHeader("{" + A + "," + tensor("\\u0061", "F32", "[2]", "[8,16]") + "}", 16, "listed twice");
        refusedHeader("{" + A.replace("\"shape\"", "\"shape\":[2],\"shape\"") + "}", 8, "has shape twice");
        refusedHeader("{" + A.replace("\"dtype\"", "\"dtype\":\"F32\",\"dtype\"") + "}", 8, "has dtype twice");
        refusedHeader("{" + A.replace("}", ",\"data_offsets\":[0,8]}") + "}", 8, "has data_offsets twice");
        refusedHeader("{" + A.replace("}", ",\"x\":1}") + "}", 8, "unknown field \"x\"");
        refusedHeader("{\"a\":{}}", 0, "lacks dtype, shape or data_offsets");
        refusedHeader("{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", 4, "lacks");
    }

    @Test
    void refusesBadTypes() {
        refusedHeader("{" + tensor("a", "F33", "[2]", "[0,8]") + "}", 8, "\"F33\", which the format does not have");
        refusedHeader("{" + tensor("a", "f32", "[2]", "[0,8]") + "}", 8, "\"f32\"");
        refusedHeader("{" + A.replace("\"F32\"", "32") + "}", 8, "dtype that is not a string");
        refusedHeader("{" + A.replace("\"F32\"", "null") + "}", 8, "dtype that is not a string");
    }

    @Test
    void refusesBadShapes() {
        String max = Long.toString(Long.MAX_VALUE);
        refusedShape("[-2]", "negative element -2");
        refusedShape("[2.0]", "not an integer");
        refusedShape("[2e0]", "not an integer");
        refusedShape("[1e3]", "not an integer");
        refusedShape("[\"2\"]", "not an integer");
        refusedShape("[null]", "not an integer");
        refusedShape("[true]", "not an integer");
        refusedShape("[[2]]", "not an integer");
        refusedShape("2", "not an array");
        refusedShape("{}", "not an array");
        refusedShape("[02]", "not valid JSON");
        refusedShape("[9223372036854775808]", "not valid JSON");
        refusedShape("[" + "9".repeat(200_000) + "]", "not valid JSON");
        refusedShape("[4611686018427387904,4611686018427387904]", "too large");
        refusedShape("[" + max + "]", "too large");
        refusedShape("[4294967296,4294967296,4294967296,4294967296]", "too large");
        refusedShape("[576460752303423490]", "too large");
        refusedShape("[3]", "has 8 bytes of data but needs 12 as F32 [3]");
        refusedShape("[1]", "needs 4");
        refusedShape("[0]", "needs 0");
        refusedShape("[" + "1,".repeat(32) + "2]", "more than 32");
    }

    private void refusedShape(String shape, String problem) {
        refusedHeader("{" + tensor("a", "F32", shape, "[0,8]") + "}", 8, problem);
    }

    @Test
    void acceptsTheLargestNumberOfDimensions() throws IOException {
        String shape = "[" + "1,".repeat(31) + "2]";
        assertThat(read(file("{" + tensor("a", "F32", shape, "[0,8]") + "}", new byte[8]))
                        .shape("a"))
                .hasSize(32);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[8,0]|before it begins",
                "[0]|1 data_offsets, not 2",
                "[]|0 data_offsets, not 2",
                "[0,8,8]|more than 2",
                "[-8,0]|negative element -8",
                "[0,8.0]|not an integer",
                "[0,9223372036854775808]|not valid JSON",
                "[9223372036854775800,9223372036854775807]|7 bytes of data but needs 8",
                "[9223372036854775799,9223372036854775807]|leaves a gap",
                "[4,12]|leaves a gap before it: it begins at byte 4",
                "{}|not an array"
            })
    void refusesBadOffsets(String offsets, String problem) {
        refusedHeader("{" + tensor("a", "F32", "[2]", offsets) + "}", 12, problem);
    }

    @Test
    void refusesDataThatIsNotCoveredExactlyOnce() {
        refusedHeader("{" + A + "}", 9, "1 bytes behind the last tensor");
        refusedHeader("{" + A + "}", 7, "of which the file has only 7");
        refusedHeader("{}", 1, "1 bytes behind the last tensor");
        refusedHeader("{" + A + "," + tensor("b", "F32", "[2]", "[0,8]") + "}", 8, "overlaps");
        refusedHeader("{" + A + "," + tensor("b", "F32", "[2]", "[4,12]") + "}", 12, "overlaps");
        refusedHeader("{" + A + "," + tensor("b", "F32", "[1]", "[12,16]") + "}", 16, "leaves a gap");
        refusedHeader("{" + A + "," + tensor("b", "F32", "[0]", "[4,4]") + "}", 8, "overlaps");
        refusedHeader("{" + A + "," + tensor("b", "F32", "[0]", "[12,12]") + "}", 8, "leaves a gap");
    }

    @Test
    void messagesAreSafeToPrint() {
        String name = "\\u001b[2J\\n" + "x".repeat(10_000);
        assertThatThrownBy(() -> read(file("{" + tensor(name, "F32", "[3]", "[0,8]") + "}", new byte[8])))
                .isInstanceOf(FormatException.class)
                .satisfies(e -> assertThat(String.valueOf(e.getMessage())).hasSizeLessThan(1_000))
                .hasMessageContaining("\\u001b[2J\\u000a")
                .hasMessageNotContaining("\u001b")
                .hasMessageNotContaining("\n");
    }

    @Test
    void readsManyTensorsAndNamesWithOneHash() throws IOException {
        // "Aa" and "BB" have one hash code, so all of these do.
        String header = IntStream.range(0, 1 << 14)
                .mapToObj(i -> tensor(
                        Integer.toBinaryString(1 << 14 | i).replace("0", "Aa").replace("1", "BB"),
                        "U8",
                        "[1]",
                        "[" + i + "," + (i + 1) + "]"))
                .collect(Collectors.joining(",", "{", "}"));
        byte[] data = new byte[1 << 14];
        data[data.length - 1] = 7;
        SafetensorsFile file = read(file(header, data));
        assertThat(file.names()).hasSize(1 << 14);
        assertThat(file.data("BB".repeat(15)).get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 7);
    }

    @Test
    void refusesTooManyTensors() {
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i <= SafetensorsTypes.MAX_TENSORS; i++) {
            header.append(i == 0 ? "" : ",").append('"').append(i).append('"');
            header.append(":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}");
        }
        refusedHeader(header.append('}').toString(), 0, "more than 1000000 tensors");
    }

    @Test
    void aFileThatShrinksMeanwhileIsRefused() throws IOException {
        Path path = Files.write(folder.resolve("shrinks"), new byte[10]);
        try (FileChannel channel = FileChannel.open(path)) {
            ByteBuffer all = ByteBuffer.allocate(11);
            assertThatThrownBy(() -> InputFiles.fill(channel, all, 0, "shrinks"))
                    .isInstanceOf(FormatException.class)
                    .hasMessageContaining("ends at byte 10 although it was longer");
        }
    }

    @Test
    void refusesHostsOfTheOtherByteOrder() {
        SafetensorsTypes.requireLittleEndian(ByteOrder.LITTLE_ENDIAN);
        assertThatThrownBy(() -> SafetensorsTypes.requireLittleEndian(ByteOrder.BIG_ENDIAN))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("little-endian host");
    }
}
