package io.github.elbo4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.Shuffle;
import io.github.elbo4j.files.FormatException;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
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
                "", ":", "nothing", "digits:", "digits:0", "digits:-1", "digits:+5", "digits:ten", "digits:1000001",
                "digits:99999999999999999999", "digits: 5", "Digits", "mnist:", "mnist: ", "idx", "idx:", "idx:,",
                        "idx:a,",
                "idx:,b", "idx:a,b,c", "cifar:x"
            })
    void whatIsNoSpecIsRefusedNamingTheKnownForms(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DataSpec.parse(text))
                .withMessageContaining("'" + text + "'")
                .withMessageContaining("digits[:N], mnist[:DIR], idx:IMAGES[,LABELS]");
    }

    @Test
    void aPathThatCannotBeIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DataSpec.parse("idx:a\0b"))
                .withMessageContaining("no path can be");
    }

    @ParameterizedTest
    @ValueSource(strings = {"digits:1", "digits:1000000", "mnist", "mnist:dir", "idx:images", "idx:images,labels"})
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
