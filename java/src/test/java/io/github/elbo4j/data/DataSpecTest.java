package io.github.elbo4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.Shuffle;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.RawNpy;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DataSpecTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":",
                "nothing",
                "digits:",
                "digits:0",
                "digits:-1",
                "digits:+5",
                "digits:ten",
                "digits:1000001",
                "digits:99999999999999999999",
                "digits: 5",
                "Digits",
                "mnist:",
                "mnist: ",
                "idx",
                "idx:",
                "idx:,",
                "idx:a,",
                "idx:,b",
                "idx:a,b,c",
                "cifar:x",
                "cifar10",
                "cifar10:",
                "cifar10:,",
                "cifar10:a,",
                "images",
                "images:",
                "images:#28x28",
                "images:a#",
                "images:a#28",
                "images:a#28x",
                "images:a#0x28",
                "images:a#28x0",
                "images:a#28x28x2",
                "images:a#28x28x0",
                "images:a#28x28x3x1",
                "images:a#-1x28",
                "images:a# 28x28",
                "images:a#5000x5000",
                "images:a#4096x4096x3",
                "images:a#99999999999x1",
                "images:a#b#28x28",
                "digits@test=0.2",
                "digits:5@test=0.2",
                "mnist@test=0.2",
                "mnist:dir@test=0.1",
                "cifar10:a,test_batch.bin@test=0.2",
                "cifar10:test_batch.bin,b/test_batch.bin.gz",
                "idx@test=0.2",
                "@test=0.2",
                "idx:a@test=",
                "idx:a@test=0",
                "idx:a@test=1",
                "idx:a@test=.0",
                "idx:a@test=0.0",
                "idx:a@test=1.0",
                "idx:a@test=-0.1",
                "idx:a@test=+.1",
                "idx:a@test=20%",
                "idx:a@test=0.1234567890",
                "idx:a@test=1e-1",
                "idx:a@test=NaN",
                "idx:a@test= 0.1",
                "idx:a@test=0.1,",
                "idx:a@test=0.1,7",
                "idx:a@test=0.1,seed=",
                "idx:a@test=0.1,seed=+7",
                "idx:a@test=0.1,seed=9223372036854775808",
                "idx:a@test=0.1,seed=1,seed=2",
                "idx:@test=0.1",
                "idx:a@test=0.2@test=0.1",
                "npy",
                "npy:",
                "npy:,",
                "npy:a,",
                "npy:a,b,c",
                "npz",
                "npz:",
                "npz:a",
                "npz:#x",
                "npz:a#",
                "npz:a#x,",
                "npz:a#x,y,z",
                "csv",
                "csv:",
                "csv:#1",
                "csv:a#,",
                "csv:a#0",
                "csv:a#1,1",
                "csv:a#label=",
                "csv:a#label=1,2"
            })
    void whatIsNoSpecIsRefusedNamingTheKnownForms(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DataSpec.parse(text))
                .withMessageContaining("'" + text + "'")
                .withMessageContaining("digits[:N], mnist[:DIR], idx:IMAGES[,LABELS], npy:VALUES[,LABELS],"
                        + " npz:FILE#VALUES[,LABELS], csv:FILE[#COL,...[,label=COL]]");
    }

    @Test
    void aPathThatCannotBeIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DataSpec.parse("idx:a\0b"))
                .withMessageContaining("no path can be");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "digits:1",
                "digits:1000000",
                "mnist",
                "mnist:dir",
                "idx:images",
                "idx:images,labels",
                "cifar10:dir",
                "cifar10:a,b/test_batch.bin",
                "images:dir",
                "images:dir#28x14",
                "images:dir#28x14x1",
                "images:dir#28x14x3",
                "idx:images@test=0.2",
                "idx:images,labels@test=0.25,seed=-7",
                "images:dir#2x3@test=0.1,seed=1",
                "idx:a@b",
                "idx:a@seed=1",
                "idx:images@test=0.000000001",
                "npy:a.npy",
                "npy:a.npy,b.npy",
                "npz:a.npz#x",
                "npz:a.npz#x,y",
                "npz:a,b#c.npz#x",
                "csv:a.csv",
                "csv:a,b.csv",
                "csv:a.csv#1,name",
                "csv:a.csv#label=4",
                "csv:a.csv#x,y,label=z",
                "csv:a#b.csv#",
                "csv:a#b.csv#1"
            })
    void aFullSpecIsItsOwnText(String text) {
        assertThat(DataSpec.parse(text).spec()).isEqualTo(text);
        assertThat(DataSpec.parse(text)).hasToString(text).isEqualTo(DataSpec.parse(text));
        assertThat(DataSpec.parse(text))
                .hasSameHashCodeAs(DataSpec.parse(text))
                .isNotEqualTo(DataSpec.parse("digits:2"));
    }

    @Test
    void theNumberOfDigitsIsFilledIn() {
        assertThat(DataSpec.parse("digits").spec()).isEqualTo("digits:12000");
        assertThat(DataSpec.parse("digits:007").spec()).isEqualTo("digits:7");
    }

    @Test
    void whatGoesWithoutSayingIsLeftOut() {
        assertThat(DataSpec.parse("idx:a@test=.2").spec()).isEqualTo("idx:a@test=0.2");
        assertThat(DataSpec.parse("idx:a@test=0.200,seed=007").spec()).isEqualTo("idx:a@test=0.2,seed=7");
        assertThat(DataSpec.parse("idx:a@test=0.2,seed=-0").spec()).isEqualTo("idx:a@test=0.2");
        assertThat(DataSpec.parse("idx:a@test=0.10,seed=0").spec()).isEqualTo("idx:a");
        assertThat(DataSpec.parse("idx:a@test=0.1,seed=1").spec()).isEqualTo("idx:a@test=0.1,seed=1");
        assertThat(DataSpec.parse("images:a#028x14x3").spec()).isEqualTo("images:a#28x14x3");
    }

    @Test
    void aSpecSaysHowManyRowsAreHeldOutAndWhich() throws IOException {
        byte[] pixels = new byte[100];
        for (int i = 0; i < 100; i++) {
            pixels[i] = (byte) i;
        }
        Dataset all = Dataset.ofBytes(pixels, new ImageShape(1, 1, 1));
        String images = "idx:" + write("images", all, false);

        DataSplit split = DataSpec.parse(images + "@test=0.29,seed=5").open();

        assertThat(split.test().rows()).isEqualTo(29);
        assertThat(split.spec()).isEqualTo(images + "@test=0.29,seed=5");
        // What a run keeps finds the same rows again.
        assertThat(DataSpec.parse(split.spec()).open().test().fingerprint())
                .isEqualTo(split.test().fingerprint())
                .isEqualTo(DataSplit.holdOut(all, 0.29, 5, "").test().fingerprint());
        assertThat(DataSpec.parse(images + "@test=0.29").open().test().fingerprint())
                .isEqualTo(DataSplit.holdOut(all, 0.29, 0, "").test().fingerprint())
                .isNotEqualTo(split.test().fingerprint());
        assertThat(DataSpec.parse(images).open().test().fingerprint())
                .isEqualTo(DataSplit.holdOut(all, 0.1, 0, "").test().fingerprint());
    }

    @Test
    void digitsOpen() throws IOException {
        DataSplit split = DataSpec.parse("digits:30").open();
        assertThat(split.train().rows()).isEqualTo(30);
        assertThat(split.test().rows()).isEqualTo(5);
        assertThat(split.spec()).isEqualTo("digits:30");
    }

    @Test
    void idxHoldsOutATenthOfTheRowsByTheShuffle() throws IOException {
        byte[] pixels = new byte[57];
        int[] labels = new int[57];
        for (int i = 0; i < 57; i++) {
            pixels[i] = (byte) i;
            labels[i] = i;
        }
        Dataset all = Dataset.ofBytes(pixels, new ImageShape(1, 1, 1)).withLabels(labels);
        Path images = write("images", all, false);
        Path labelFile = write("labels", all, true);

        DataSplit split = DataSpec.parse("idx:" + images + "," + labelFile).open();

        assertThat(split.spec()).isEqualTo("idx:" + images + "," + labelFile);
        assertThat(split.test().rows()).isEqualTo(5);
        assertThat(split.train().rows()).isEqualTo(52);
        TreeSet<Integer> held = new TreeSet<>();
        for (int i = 0; i < 5; i++) {
            held.add((int) Shuffle.row(0, 0, i, 57));
        }
        TreeSet<Integer> found = new TreeSet<>();
        for (int i = 0; i < 5; i++) {
            found.add(split.test().label(i));
            assertThat(split.test().values().get(ValueLayout.JAVA_BYTE, i))
                    .isEqualTo((byte) split.test().label(i));
        }
        assertThat(found).isEqualTo(held);
        for (int i = 0; i < 52; i++) {
            assertThat(found.add(split.train().label(i))).isTrue();
            assertThat(i == 0 || split.train().label(i - 1) < split.train().label(i))
                    .isTrue();
        }
        assertThat(found).hasSize(57);

        DataSplit unlabelled = DataSpec.parse("idx:" + images).open();
        assertThat(unlabelled.train().hasLabels()).isFalse();
        assertThat(unlabelled.test().rows()).isEqualTo(5);
    }

    @Test
    void twoRowsAreTheFewestThatCanBeSplit() throws IOException {
        Path one = write("one", Dataset.ofBytes(new byte[4], new ImageShape(2, 2, 1)), false);
        assertThatThrownBy(() -> DataSpec.parse("idx:" + one).open())
                .isInstanceOf(FormatException.class)
                .hasMessageContaining(one.toString())
                .hasMessageContaining("two rows or more");
        Path two = write("two", Dataset.ofBytes(new byte[8], new ImageShape(2, 2, 1)), false);
        DataSplit split = DataSpec.parse("idx:" + two).open();
        assertThat(split.train().rows()).isEqualTo(1);
        assertThat(split.test().rows()).isEqualTo(1);
    }

    @Test
    void nothingIsReadBeforeItIsOpened() {
        DataSpec spec = DataSpec.parse("idx:" + folder.resolve("absent"));
        assertThatThrownBy(spec::open).isInstanceOf(FormatException.class).hasMessageContaining("no such file");
        assertThatThrownBy(() -> DataSpec.parse("mnist:" + folder).open())
                .isInstanceOf(FormatException.class)
                .hasMessageContaining("train-images-idx3-ubyte");
    }

    @Test
    void numpyAndCsvOpenAndHoldOutTheRowsOfIdx() throws IOException {
        byte[] pixels = new byte[57];
        StringBuilder csv = new StringBuilder("x,y\n");
        for (int i = 0; i < 57; i++) {
            pixels[i] = (byte) i;
            csv.append("0.5,").append(i).append('\n');
        }
        byte[] values = RawNpy.numpy("|u1", false, "(57, 1)", pixels);
        byte[] labels = RawNpy.numpy("|u1", false, "(57,)", pixels);
        Path x = Files.write(folder.resolve("x.npy"), values);
        Path y = Files.write(folder.resolve("y.npy"), labels);
        Path npz = Files.write(folder.resolve("a#b,c.npz"), RawNpy.zip(true, "x.npy", values, "y.npy", labels));
        Path table = Files.writeString(folder.resolve("a#b,c.csv"), csv);
        for (String spec : List.of(
                "npy:" + x + "," + y,
                "npz:" + npz + "#x,y",
                "csv:" + table + "#label=y",
                "csv:" + table + "#x,label=2")) {
            DataSplit split = DataSpec.parse(spec).open();
            assertThat(split.spec()).isEqualTo(spec);
            assertThat(split.train().rows()).isEqualTo(52);
            assertThat(split.test().rows()).isEqualTo(5);
            TreeSet<Integer> held = new TreeSet<>();
            for (int i = 0; i < 5; i++) {
                held.add((int) Shuffle.row(0, 0, i, 57));
                assertThat(held.size()).isEqualTo(i + 1);
            }
            for (int i = 0; i < 5; i++) {
                assertThat(held.remove(split.test().label(i))).isTrue();
            }
        }
        assertThat(DataSpec.parse("npy:" + x).open().train().hasLabels()).isFalse();
        assertThat(DataSpec.parse("npz:" + npz + "#x").open().train().hasLabels())
                .isFalse();
        assertThat(DataSpec.parse("csv:" + table + "#").open().train().columns())
                .isEqualTo(2);
    }

    private Path write(String name, Dataset set, boolean labels) throws IOException {
        Path path = folder.resolve(name);
        try (OutputStream out = Files.newOutputStream(path)) {
            if (labels) {
                Idx.writeLabels(set, out);
            } else {
                Idx.writeImages(set, out);
            }
        }
        return path;
    }
}
