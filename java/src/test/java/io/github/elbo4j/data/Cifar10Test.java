package io.github.elbo4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.DType;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.testkit.TestData;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class Cifar10Test {
    @TempDir
    Path folder;

    /** {@return records with these labels; byte i of record r's 3,072 is (i / 7 + 31 r) mod 256} */
    static byte[] records(int... labels) {
        byte[] file = new byte[3073 * labels.length];
        for (int record = 0; record < labels.length; record++) {
            file[3073 * record] = (byte) labels[record];
            for (int i = 0; i < 3072; i++) {
                file[3073 * record + 1 + i] = (byte) (i / 7 + 31 * record);
            }
        }
        return file;
    }

    @Test
    void planesBecomeChannels() throws IOException {
        byte[] file = new byte[2 * 3073];
        file[0] = 6;
        file[1] = 10; // red of pixel (0, 0)
        file[1 + 1] = 11; // red of pixel (0, 1)
        file[1 + 32] = 12; // red of pixel (1, 0)
        file[1 + 1024] = 20; // green of pixel (0, 0)
        file[1 + 2048 + 1] = 31; // blue of pixel (0, 1)
        file[1 + 3071] = (byte) 255; // blue of pixel (31, 31)
        file[3073] = 9;
        file[3073 + 1 + 1024 + 33] = 42; // green of pixel (1, 1) of the second image

        Dataset set = Cifar10.readFiles(List.of(write("batch", file)));

        assertThat(set.rows()).isEqualTo(2);
        assertThat(set.shape()).isEqualTo(new ImageShape(32, 32, 3));
        assertThat(set.type()).isEqualTo(DType.U8);
        assertThat(set.labels().orElseThrow().toArray(ValueLayout.JAVA_INT)).containsExactly(6, 9);
        byte[] expected = new byte[2 * 3072];
        expected[0] = 10;
        expected[3] = 11;
        expected[32 * 3] = 12;
        expected[1] = 20;
        expected[3 + 2] = 31;
        expected[3071] = (byte) 255;
        expected[3072 + (32 + 1) * 3 + 1] = 42;
        assertThat(set.values().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(expected);
    }

    @Test
    void filesFollowEachOtherPlainOrCompressed() throws IOException {
        Path first = write("first", records(1, 2));
        Path second = write("second", IdxFiles.gzip(records(3)));
        Dataset set = Cifar10.readFiles(List.of(first, second));
        assertThat(set.labels().orElseThrow().toArray(ValueLayout.JAVA_INT)).containsExactly(1, 2, 3);
        assertThat(set.values().asSlice(2 * 3072).toArray(ValueLayout.JAVA_BYTE))
                .isEqualTo(Cifar10.readFiles(List.of(second)).values().toArray(ValueLayout.JAVA_BYTE));
        assertThat(Cifar10.readFiles(List.of(second, first)).label(0)).isEqualTo(3);
        assertThatIllegalArgumentException().isThrownBy(() -> Cifar10.readFiles(List.of()));
    }

    @Test
    void aFolderHasFiveFilesToTrainOnAndOneToTestOn() throws IOException {
        for (int i = 1; i <= 5; i++) {
            write("data_batch_" + i + ".bin" + (i == 3 ? ".gz" : ""), i == 3 ? IdxFiles.gzip(records(i)) : records(i));
        }
        assertThatThrownBy(() -> Cifar10.read(folder))
                .isInstanceOf(FormatException.class)
                .hasMessageStartingWith(folder + ": has no file test_batch.bin or test_batch.bin.gz; put it there");
        write("test_batch.bin", records(7, 8));

        DataSplit split = DataSpec.parse("cifar10:" + folder).open();

        assertThat(split.spec()).isEqualTo("cifar10:" + folder);
        assertThat(split.train().labels().orElseThrow().toArray(ValueLayout.JAVA_INT))
                .containsExactly(1, 2, 3, 4, 5);
        assertThat(split.test().labels().orElseThrow().toArray(ValueLayout.JAVA_INT))
                .containsExactly(7, 8);
        assertThatThrownBy(
                        () -> DataSpec.parse("cifar10:" + folder + "@test=0.5").open())
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("has test rows of its own; leave @test= out");
    }

    @Test
    void aSpecNamesFilesOneOfWhichMayHoldTheTestRows() throws IOException {
        Path train = write("train.bin", records(0, 1, 2, 3));
        Path test = write("test_batch.bin", records(9));
        String both = "cifar10:" + test + "," + train;
        DataSplit split = DataSpec.parse(both).open();
        assertThat(split.spec()).isEqualTo(both);
        assertThat(split.train().rows()).isEqualTo(4);
        assertThat(split.test().label(0)).isEqualTo(9);

        assertThat(DataSpec.parse("cifar10:" + train).open().test().rows()).isEqualTo(1);
        DataSplit half =
                DataSpec.parse("cifar10:" + train + "," + train + "@test=.50").open();
        assertThat(half.spec()).isEqualTo("cifar10:" + train + "," + train + "@test=0.5");
        assertThat(half.test().rows()).isEqualTo(4);

        assertThatIllegalArgumentException()
                .isThrownBy(() -> DataSpec.parse(both + "@test=0.5"))
                .withMessageContaining("has test rows of its own");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DataSpec.parse(both + ",elsewhere/test_batch.bin.gz"))
                .withMessageContaining("only one file can hold the test rows");
        // Alone it is a file like any other.
        assertThatThrownBy(() -> DataSpec.parse("cifar10:" + test).open())
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("holds one row");
    }

    @Test
    void aPathMustNameAFile() {
        refused(folder.resolve("absent")).hasMessageContaining("no such file; check the path");
        refused(folder).hasMessageContaining("is a folder, not a file; name a .bin file in it");
    }

    @Test
    void aFileIsWholeRecords() throws IOException {
        byte[] whole = records(1, 2);
        refused(new byte[0]).hasMessageContaining("holds 0 bytes, not records of 3073 bytes");
        refused(IdxFiles.gzip(new byte[0])).hasMessageContaining("holds 0 bytes");
        refused(Arrays.copyOf(whole, 6145)).hasMessageContaining("holds 6145 bytes");
        refused(Arrays.copyOf(whole, 6147)).hasMessageContaining("holds 6147 bytes");
        refused(IdxFiles.gzip(Arrays.copyOf(whole, 6145))).hasMessageContaining("holds 6145 bytes");
        byte[] packed = IdxFiles.gzip(whole);
        refused(Arrays.copyOf(packed, packed.length - 1)).hasMessageContaining("ends in the middle");
    }

    @Test
    void aLabelAboveNineNamesFileAndRecord() throws IOException {
        refused(records(1, 9, 10)).hasMessageContaining("record 2 has label 10, more than 9");
        refused(records(255)).hasMessageContaining("record 0 has label 255");
    }

    @Test
    void aFileLargerThanTheMemoryNamesTheLimit() throws IOException {
        Path path = folder.resolve("huge");
        long records = Runtime.getRuntime().maxMemory() / 3072 + 1000;
        try (SeekableByteChannel channel = Files.newByteChannel(
                path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, StandardOpenOption.SPARSE)) {
            channel.position(records * 3073 - 1);
            channel.write(ByteBuffer.allocate(1));
        }
        refused(path).hasMessageContaining("needs " + records * 3072).hasMessageContaining("MaxDirectMemorySize");
        Files.delete(path);
    }

    @Test
    void realImagesAreRead() throws IOException {
        Path file = TestData.folder("cifar10").resolve("cifar10_train_first4000_lossless.bin");
        DataSplit split = DataSpec.parse("cifar10:" + file).open();
        assertThat(split.train().rows()).isEqualTo(3600);
        assertThat(split.test().rows()).isEqualTo(400);
        // The first image of data_batch_1 is a frog, whose first pixel is (59, 62, 63).
        Dataset all = Cifar10.readFiles(List.of(file));
        assertThat(all.label(0)).isEqualTo(6);
        assertThat(all.values().asSlice(0, 3).toArray(ValueLayout.JAVA_BYTE)).containsExactly(59, 62, 63);
    }

    private AbstractThrowableAssert<?, ? extends Throwable> refused(byte[] bytes) throws IOException {
        return refused(write("refused", bytes));
    }

    private static AbstractThrowableAssert<?, ? extends Throwable> refused(Path path) {
        return assertThatThrownBy(() -> Cifar10.readFiles(List.of(path)))
                .isInstanceOf(FormatException.class)
                .hasMessageStartingWith(path + ": ")
                .hasMessageContaining("; ");
    }

    private Path write(String name, byte[] bytes) throws IOException {
        return Files.write(folder.resolve(name), bytes);
    }
}
