package io.github.elbo4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class DatasetTest {
    private static final ImageShape PAIR = new ImageShape(1, 2, 1);

    private final Dataset bytes =
            Dataset.ofBytes(new byte[] {0, 1, 2, 3, -1, 5}, PAIR).withLabels(new int[] {7, 8, 9});
    private final Dataset floats = Dataset.ofFloats(new float[] {0, 1, 0.5f, 0.25f}, PAIR);

    @Test
    void holdsWhatItWasGiven() {
        assertThat(bytes.rows()).isEqualTo(3);
        assertThat(bytes.columns()).isEqualTo(2);
        assertThat(bytes.shape()).isEqualTo(PAIR);
        assertThat(bytes.type()).isEqualTo(DType.U8);
        assertThat(bytes.values().toArray(ValueLayout.JAVA_BYTE)).containsExactly(0, 1, 2, 3, -1, 5);
        assertThat(bytes.hasLabels()).isTrue();
        assertThat(bytes.label(2)).isEqualTo(9);
        assertThat(bytes.labels().orElseThrow().toArray(ValueLayout.JAVA_INT)).containsExactly(7, 8, 9);
        assertThat(floats.type()).isEqualTo(DType.F32);
        assertThat(floats.rows()).isEqualTo(2);
        assertThat(floats.values().toArray(ValueLayout.JAVA_FLOAT)).containsExactly(0, 1, 0.5f, 0.25f);
        assertThat(floats.hasLabels()).isFalse();
        assertThat(floats.labels()).isEmpty();
        assertThat(bytes).hasToString("3 rows of 1 x 2 x 1 U8, labelled");
    }

    @Test
    void arraysAreCopied() {
        byte[] source = {1, 2};
        int[] labels = {3};
        Dataset set = Dataset.ofBytes(source, PAIR).withLabels(labels);
        source[0] = 9;
        labels[0] = 9;
        assertThat(set.values().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 1);
        assertThat(set.label(0)).isEqualTo(3);
        assertThat(set.values().isNative()).isTrue();
    }

    @Test
    void nativeSegmentsAreNotCopiedAndNotWritable() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment values = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 0.5f, 0.75f);
            MemorySegment labels = arena.allocateFrom(ValueLayout.JAVA_INT, 4);
            Dataset set = Dataset.of(values, DType.F32, PAIR).withLabels(labels);
            assertThat(set.values().address()).isEqualTo(values.address());
            assertThat(set.labels().orElseThrow().address()).isEqualTo(labels.address());
            assertThatThrownBy(() -> set.values().set(ValueLayout.JAVA_FLOAT, 0, 1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> set.labels().orElseThrow().set(ValueLayout.JAVA_INT, 0, 1))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void aClosedArenaIsAnExceptionNotACrash() {
        Dataset set;
        try (Arena arena = Arena.ofShared()) {
            set = Dataset.of(arena.allocate(2), DType.U8, PAIR);
        }
        assertThatThrownBy(set::fingerprint).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void sizesAreWholeRowsAtLeastOne() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Dataset.ofBytes(new byte[0], PAIR))
                .withMessageContaining("at least one");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Dataset.ofBytes(new byte[3], PAIR))
                .withMessageContaining("3 bytes")
                .withMessageContaining("2 bytes");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Dataset.of(MemorySegment.ofArray(new byte[12]), DType.F32, PAIR));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Dataset.of(MemorySegment.ofArray(new double[2]), DType.F64, PAIR))
                .withMessageContaining("F64");
    }

    @Test
    void aMisalignedNativeSegmentIsRefused() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment odd = arena.allocate(16, 8).asSlice(1, 8);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Dataset.of(odd, DType.F32, PAIR))
                    .withMessageContaining("aligned");
            assertThat(Dataset.of(odd, DType.U8, PAIR).rows()).isEqualTo(4);
        }
    }

    @Test
    void everyRowNeedsOneLabelOfZeroOrMore() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> floats.withLabels(new int[] {1}))
                .withMessageContaining("2 rows");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> floats.withLabels(new int[] {1, -2}))
                .withMessageContaining("-2 of row 1");
        assertThatIllegalArgumentException().isThrownBy(() -> floats.withLabels(MemorySegment.ofArray(new byte[9])));
        assertThatThrownBy(() -> floats.label(0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> bytes.label(3)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> bytes.label(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void aSliceSharesMemory() {
        Dataset slice = bytes.slice(1, 2);
        assertThat(slice.rows()).isEqualTo(2);
        assertThat(slice.values().address()).isEqualTo(bytes.values().address() + 2);
        assertThat(slice.values().toArray(ValueLayout.JAVA_BYTE)).containsExactly(2, 3, -1, 5);
        assertThat(slice.label(0)).isEqualTo(8);
        assertThat(floats.slice(1, 1).values().toArray(ValueLayout.JAVA_FLOAT)).containsExactly(0.5f, 0.25f);
        assertThatIllegalArgumentException().isThrownBy(() -> bytes.slice(0, 0));
        assertThatThrownBy(() -> bytes.slice(2, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> bytes.slice(-1, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> bytes.slice(Long.MAX_VALUE, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> bytes.slice(1, Long.MAX_VALUE)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void aSelectionCopiesRowsInOrder() {
        Dataset selected = bytes.select(new long[] {2, 0, 2});
        assertThat(selected.values().toArray(ValueLayout.JAVA_BYTE)).containsExactly(-1, 5, 0, 1, -1, 5);
        assertThat(selected.labels().orElseThrow().toArray(ValueLayout.JAVA_INT))
                .containsExactly(9, 7, 9);
        assertThat(floats.select(new long[] {1}).hasLabels()).isFalse();
        assertThatIllegalArgumentException().isThrownBy(() -> bytes.select(new long[0]));
        assertThatThrownBy(() -> bytes.select(new long[] {3})).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void theFingerprintCoversEverything() {
        // SHA-256 of "elbo4j data set\nU8 3 1 2 1 labels\n", the six bytes and three little-endian labels.
        assertThat(bytes.fingerprint())
                .isEqualTo("da0a162b903e9f64f1bd01eb4249c1d862c89cc310a53acfd4dd5352e06b987f")
                .isEqualTo(bytes.fingerprint());
        // The same for "F32 2 1 2 1" and four little-endian floats.
        assertThat(floats.fingerprint()).isEqualTo("3e051f820c637ddc34a5698fb574ee417928b29a17993c02d8f2444ba19a5d12");
        Dataset plain = Dataset.ofBytes(new byte[] {1, 2, 3, 4}, PAIR);
        assertThat(plain.fingerprint())
                .isEqualTo(Dataset.ofBytes(new byte[] {1, 2, 3, 4}, PAIR).fingerprint())
                .isNotEqualTo(Dataset.ofBytes(new byte[] {1, 2, 3, 5}, PAIR).fingerprint())
                .isNotEqualTo(Dataset.ofBytes(new byte[] {1, 2, 3, 4}, new ImageShape(2, 1, 1))
                        .fingerprint())
                .isNotEqualTo(Dataset.ofBytes(new byte[] {1, 2, 3, 4}, new ImageShape(2, 2, 1))
                        .fingerprint())
                .isNotEqualTo(
                        Dataset.of(MemorySegment.ofArray(new byte[] {1, 2, 3, 4}), DType.F32, new ImageShape(1, 1, 1))
                                .fingerprint())
                .isNotEqualTo(plain.withLabels(new int[] {0, 0}).fingerprint());
        assertThat(plain.withLabels(new int[] {0, 0}).fingerprint())
                .isNotEqualTo(plain.withLabels(new int[] {0, 1}).fingerprint());
    }

    @Test
    void theFingerprintOfManyChunksMeetsEveryByte() {
        byte[] many = new byte[200_001];
        Dataset before = Dataset.ofBytes(many, new ImageShape(1, 1, 1));
        many[200_000] = 1;
        assertThat(Dataset.ofBytes(many, new ImageShape(1, 1, 1)).fingerprint()).isNotEqualTo(before.fingerprint());
    }

    @Test
    void theUnitRangeNamesTheFirstValueOutside() {
        assertThatCode(() -> floats.requireUnitRange("x")).doesNotThrowAnyException();
        assertThatCode(() -> bytes.requireUnitRange("x")).doesNotThrowAnyException();
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        Dataset.ofFloats(new float[] {0, 1, 1, Float.NaN}, PAIR).requireUnitRange("Bernoulli"))
                .withMessageContaining("Bernoulli")
                .withMessageContaining("row 1, column 1 is NaN");
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        Dataset.ofFloats(new float[] {0, 1.001f, 2, 2}, PAIR).requireUnitRange("x"))
                .withMessageContaining("row 0, column 1 is 1.001");
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        Dataset.ofFloats(new float[] {0, 1, -0.5f, 0}, PAIR).requireUnitRange("x"))
                .withMessageContaining("row 1, column 0 is -0.5");
    }

    @Test
    void aSplitNeedsOneShapeAndType() {
        assertThatIllegalArgumentException().isThrownBy(() -> new DataSplit(bytes, floats, "x"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new DataSplit(bytes, Dataset.ofBytes(new byte[1], new ImageShape(1, 1, 1)), "x"));
    }
}
