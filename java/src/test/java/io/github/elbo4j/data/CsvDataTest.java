package io.github.elbo4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.files.FormatException;
import java.io.BufferedWriter;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CsvDataTest {
    @TempDir
    Path folder;

    private Path path() {
        return folder.resolve("data.csv");
    }

    private Dataset read(String text, String columns) throws IOException {
        return read(text.getBytes(StandardCharsets.UTF_8), columns);
    }

    private Dataset read(byte[] bytes, String columns) throws IOException {
        return CsvData.read(Files.write(path(), bytes), CsvColumns.parse(columns));
    }

    private static float[] values(Dataset set) {
        return set.values().toArray(ValueLayout.JAVA_FLOAT);
    }

    private static int[] labels(Dataset set) {
        return set.labels().orElseThrow().toArray(ValueLayout.JAVA_INT);
    }

    private void refused(String text, String columns, String... parts) {
        refused(text.getBytes(StandardCharsets.UTF_8), columns, parts);
    }

    private void refused(byte[] bytes, String columns, String... parts) {
        assertThatThrownBy(() -> read(bytes, columns))
                .isInstanceOf(FormatException.class)
                .hasMessageStartingWith(path() + ": ")
                .hasMessageContaining("; ")
                .hasMessageContainingAll(parts);
    }

    @Test
    void readsRowsWithoutAHeader() throws IOException {
        Dataset set = read("1,0.5\n-2,1e-3\n", "");
        assertThat(set.type()).isEqualTo(DType.F32);
        assertThat(set.shape()).isEqualTo(new ImageShape(1, 2, 1));
        assertThat(set.hasLabels()).isFalse();
        assertThat(values(set)).containsExactly(1, 0.5f, -2, 1e-3f);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a,b\n1,2\n3,4\n",
                "a,b\r\n1,2\r\n3,4\r\n",
                "a,b\r1,2\r3,4",
                "\uFEFFa,b\n1,2\n3,4",
                "\n\na,b\n\n1,2\n\r\n3,4\n\n\n",
                "\"a\",\"b\"\n\"1\",\"2\"\n\"3\",4",
                " a , b\n 1,\t2 \n3 , 4",
                "a,1\n1,2\n3,4",
                "\"a \"\"quoted\"\"\nname\",b\n1,2\n3,4\n",
            })
    void aHeaderIsSkippedAndLinesMayEndInAnyWay(String text) throws IOException {
        assertThat(values(read(text, ""))).containsExactly(1, 2, 3, 4);
    }

    @Test
    void theFirstRecordIsAHeaderIfAChosenFieldIsNoNumber() throws IOException {
        assertThat(values(read("1,x\n2,y\n", "1"))).containsExactly(1, 2);
        assertThat(values(read("1,x\n2,3\n", "2"))).containsExactly(3);
        assertThat(values(read("0,1\n2,3\n", ""))).containsExactly(0, 1, 2, 3);
        // The label is no value, so its text makes no header.
        assertThat(values(read("1,x\n2,y\n", "label=2"))).containsExactly(1, 2);
        assertThat(labels(read("1,x\n2,y\n", "label=2"))).containsExactly(0, 1);
        // A name needs a header, even one that looks like a row.
        assertThat(values(read("1,x\n2,3\n", "1,x"))).containsExactly(2, 3);
        // A number too large for a float is a number all the same.
        refused("1,1e99\n2,3\n", "", "line 1, column 2: \"1e99\" is too large");
    }

    @Test
    void columnsAreChosenByNameAndNumberInTheGivenOrder() throws IOException {
        String text = "a,b,c,d\n1,2,3,7\n4,5,6,8\n";
        assertThat(values(read(text, "c,1"))).containsExactly(3, 1, 6, 4);
        Dataset set = read(text, "b,label=d");
        assertThat(values(set)).containsExactly(2, 5);
        assertThat(labels(set)).containsExactly(7, 8);
        set = read(text, "label=2");
        assertThat(values(set)).containsExactly(1, 3, 7, 4, 6, 8);
        assertThat(labels(set)).containsExactly(2, 5);
        assertThat(values(CsvData.read(path()))).hasSize(8);
        assertThat(labels(CsvData.read(path(), List.of("a"), "4"))).containsExactly(7, 8);
        assertThat(CsvData.read(path(), List.of("a"), null).hasLabels()).isFalse();
    }

    @Test
    void fieldsThatAreNotChosenMayHoldAnything() throws IOException {
        assertThat(values(read("a,b\n\"x, \"\"y\"\"\n,z\",1\n,2\n5\" pipe,3\n", "b")))
                .containsExactly(1, 2, 3);
    }

    @Test
    void wrongChoicesAreRefused() {
        refused("a,b\n1,2\n", "c", "has no column \"c\"", "first record is \"a,b\"");
        refused("a,a\n1,2\n", "a", "more than one column \"a\"");
        refused("a,b\n1,2\n", "3", "has 2 columns, but column 3");
        refused("a,b\n1,2\n", "999999999", "but column 999999999");
        refused("a,b\n1,2\n", "a,1", "chosen twice");
        refused("a,b\n1,2\n", "1,label=a", "chosen twice");
        refused("a\n1\n", "label=a", "no column beside the labels");
        for (String columns : List.of(",", "a,", "a,a", "0", "00", "a,label=", "label=a,b", "label=a,label=b", " ")) {
            assertThatIllegalArgumentException().isThrownBy(() -> CsvColumns.parse(columns));
        }
    }

    @Test
    void labelsAreIntegersOrTextsInOrderOfAppearance() throws IOException {
        assertThat(labels(read("1,5\n1,0\n1,2147483647\n1,007\n", "label=2"))).containsExactly(5, 0, 2147483647, 7);
        assertThat(labels(read("1,b\n1,a\n1,b\n1, a \n1,\"c,\nd\"\n", "label=2")))
                .containsExactly(0, 1, 0, 1, 2);
        assertThat(labels(read("1,7\n1,A\n1,3\n1,07\n1,A\n", "label=2"))).containsExactly(0, 1, 2, 0, 1);
        assertThat(labels(read("1,b\n1,3\n1,b\n", "label=2"))).containsExactly(0, 1, 0);
    }

    @ParameterizedTest
    @CsvSource({"-1, no integer", "1.0, no integer", "2147483648, no integer", "1e3, no integer", "'', is empty"})
    void labelsThatAreOtherNumbersAreRefused(String label, String problem) {
        refused("a,b\n1,0\n1," + label + "\n", "a,label=b", "line 3, column 2 \"b\"", problem);
    }

    @Test
    void labelsAreBounded() throws IOException {
        refused("1," + "x".repeat(257) + "\n", "label=2", "the label has 257 characters");
        StringBuilder many = new StringBuilder();
        for (int i = 0; i <= 1 << 16; i++) {
            many.append("1,x").append(i).append('\n');
        }
        refused(many.toString(), "label=2", "more than 65536 different labels");
        refused(many.toString().replace("x", "") + "1,text\n", "label=2", "more than 65536 different labels");
        assertThat(read(many.toString().replace("x", ""), "label=2").label(1 << 16))
                .isEqualTo(1 << 16);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1f", "0x1p3", "NaN", "Infinity", "-Infinity", "", "abc", "1.2.3", "1;2", "--1", "1 000"})
    void whatIsNoNumberNamesLineAndColumn(String field) {
        refused("1,2\n\n3," + field + "\n", "", "line 3, column 2: \"" + field + "\" is no number");
        refused("a,b\n3," + field + "\n", "b", "line 2, column 2 \"b\": \"" + field + "\" is no number");
    }

    @Test
    void linesAreCountedThroughQuotedLineBreaks() {
        refused("a,b\n1,\"x\ny\r\nz\"\nQ,2\n", "a", "line 5, column 1 \"a\": \"Q\"");
    }

    @Test
    void messagesHoldNoControlCharactersAndNoLongTexts() {
        refused("1\n\u001b[31mred\n", "", "\"\\u001b[31mred\"");
        refused("1\n" + "x".repeat(1000) + "\n", "", "\"" + "x".repeat(40) + "...\"");
    }

    @Test
    void everyLineHasTheSameNumberOfFields() {
        refused("1,2\n3\n", "", "line 2 has 1 fields, but the first record has 2");
        refused("1,2\n3,4,5\n", "", "line 2 has 3 fields, but the first record has 2");
        refused("a,b\n3,4,5\n", "a", "line 2 has 3 fields");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\n", "\r\n\r\n", "\uFEFF", "a,b\n", "a,b", "\uFEFF\n"})
    void filesWithoutRowsAreRefused(String text) {
        refused(text, "", "holds no rows");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1,2\n3,\"4",
                "1,2\n3,\"4\n",
                "1,2\n3,\"4\"\"",
                "1,2\n3,\"4\"\"\n\r\n",
                "1,2\n3,\"",
                "1,2\n3,\"\n5,6\n",
            })
    void aQuoteThatIsNeverClosedIsRefused(String text) {
        refused(text, "", "line 2 is never closed");
        refused(text, "1", "line 2 is never closed");
    }

    @Test
    void quotesWithinQuotesMustBeDoubled() throws IOException {
        refused("1,2\n3,\"4\"5\n", "1", "line 2 is no CSV");
        refused("1,2\n3,\"4\"\"5\"\n", "", "\"4\"5\" is no number");
        assertThat(values(read("1,\"\"\n2,\"\"\"\"\"\"\n", "1"))).containsExactly(1, 2);
    }

    @Test
    void theEndIsNotMistaken() throws IOException {
        // U+FFFF marks the end within the reader: as a field of a file it is what it is.
        assertThat(labels(read("1,\uFFFF\n1,a\uFFFF\n", "label=2"))).containsExactly(0, 1);
        refused("1\n\uFFFF\n", "", "U+FFFF");
        refused("\uFFFF", "", "U+FFFF");
        refused("1\n2\uFFFF", "", "is no number");
        refused("\uFFFF,1\n2,1\n", "1,2", "");
    }

    @Test
    void onlyUtf8IsRead() throws IOException {
        byte[] latin1 = "a,b\n1,2\n3,\u00e9\n".getBytes(StandardCharsets.ISO_8859_1);
        refused(latin1, "a", "not valid UTF-8");
        refused(new byte[] {'1', ',', 'x', '\n', '1', ',', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '\n'}, "1", "UTF-8");
        refused(new byte[] {'1', (byte) 0xc3}, "1", "UTF-8");
        refused("a,b\n1,2\n".getBytes(StandardCharsets.UTF_16), "1", "UTF-8");
        assertThat(values(read("gr\u00f6\u00dfe,\ud83d\ude00\n1,2\n", "\ud83d\ude00")))
                .containsExactly(2);
    }

    @Test
    void fieldsAndRecordsAreBounded() throws IOException {
        assertThat(values(read("1," + "x".repeat(65_000) + "\n2,y\n", "1"))).containsExactly(1, 2);
        refused("1," + "x".repeat(70_000) + "\n", "1", "line 1", "more than 65536 characters");
        refused("1\n2\n\"" + "x\n".repeat(70_000), "1", "line 3", "every quote is closed");
        refused("1,".repeat(1_000_000) + "1\n", "", "line 1 is too long", "1000000 columns");
        assertThat(read("1,".repeat(999_999) + "1\n", "").columns()).isEqualTo(1_000_000);
    }

    @Test
    void aRecordOfManyLongFieldsIsRefused() throws IOException {
        try (BufferedWriter out = Files.newBufferedWriter(path())) {
            for (int i = 0; i < 600; i++) {
                out.write("x".repeat(60_000) + ",");
            }
        }
        assertThatThrownBy(() -> CsvData.read(path()))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("33554432 characters");
    }

    @Test
    void aFieldOfAHundredMegabytesIsNotKept() throws IOException {
        // Zeros all the way: a sparse file, and a field of NUL characters.
        try (FileChannel channel = FileChannel.open(path(), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap("1\n".getBytes(StandardCharsets.UTF_8)));
            channel.write(ByteBuffer.wrap(new byte[1]), 100_000_000);
        }
        assertThatThrownBy(() -> CsvData.read(path()))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("line 2 has a field of more than 65536 characters");
    }

    @Test
    void manyRowsComeBackWhole() throws IOException {
        // Values beyond the largest block of memory, 64 MiB.
        int rows = 600_001;
        try (BufferedWriter out = Files.newBufferedWriter(path())) {
            for (int row = 0; row < rows; row++) {
                out.write(row + ",1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28\n");
            }
        }
        Dataset set = CsvData.read(path());
        assertThat(set.rows()).isEqualTo(rows);
        for (long row = 0; row < rows; row++) {
            if (set.values().getAtIndex(ValueLayout.JAVA_FLOAT, 29 * row) != row
                    || set.values().getAtIndex(ValueLayout.JAVA_FLOAT, 29 * row + 28) != 28) {
                throw new AssertionError("row " + row);
            }
        }
    }

    @Test
    void whatIsNoFileIsRefused() {
        assertThatThrownBy(() -> CsvData.read(folder.resolve("absent.csv")))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("there is no such file");
        assertThatThrownBy(() -> CsvData.read(folder))
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("is a folder, not a file");
    }
}
