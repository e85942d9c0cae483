package io.github.elbo4j.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.elbo4j.backend.DType;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DataSplitTest {
    private static final ImageShape PIXEL = new ImageShape(1, 1, 1);

    /** {@return rows whose value and label are their number} */
    private static Dataset numbered(int rows) {
        float[] values = new float[rows];
        for (int row = 0; row < rows; row++) {
            values[row] = row;
        }
        return Dataset.ofFloats(values, PIXEL)
                .withLabels(IntStream.range(0, rows).toArray());
    }

    private static int[] labels(Dataset set) {
        return set.labels().orElseThrow().toArray(ValueLayout.JAVA_INT);
    }

    @ParameterizedTest
    @CsvSource({
        "10, 0.1, 1",
        "19, 0.1, 1",
        "57, 0.1, 5",
        "100, 0.29, 29",
        "1000, 0.001, 1",
        "1000, 0.003, 3",
        "7, 0.5, 3",
        "2, 0.5, 1",
        "2, 0.000000001, 1",
        "2, 0.999999999, 1",
        "1000, 0.999999999, 999",
        "1000, 0.9999, 999",
        "3, 0.1, 1",
        "3, 0.9, 2"
    })
    void theShareIsRoundedDownAndNeitherPartIsEmpty(int rows, double share, int test) {
        DataSplit split = DataSplit.holdOut(numbered(rows), share, 3, "rows");
        assertThat(split.test().rows()).isEqualTo(test);
        assertThat(split.train().rows()).isEqualTo(rows - test);
        assertThat(split.spec()).isEqualTo("rows");
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, Long.MIN_VALUE, 1234567890123L})
    void everyRowIsInOnePartWithItsLabel(long seed) {
        DataSplit split = DataSplit.holdOut(numbered(997), 0.3, seed, "rows");
        int[] train = labels(split.train());
        int[] test = labels(split.test());
        assertThat(train).isSorted();
        assertThat(test).isSorted().hasSize(299);
        assertThat(IntStream.concat(IntStream.of(train), IntStream.of(test))
                        .sorted()
                        .boxed())
                .containsExactlyElementsOf(IntStream.range(0, 997).boxed().toList());
        for (int i = 0; i < test.length; i++) {
            assertThat(split.test().values().getAtIndex(ValueLayout.JAVA_FLOAT, i))
                    .isEqualTo(test[i]);
        }
    }

    @Test
    void theSeedChoosesTheRows() {
        Dataset all = numbered(500);
        int[] rows = labels(DataSplit.holdOut(all, 0.2, 7, "a").test());
        assertThat(labels(DataSplit.holdOut(all, 0.2, 7, "b").test())).isEqualTo(rows);
        assertThat(labels(DataSplit.holdOut(all, 0.2, 8, "a").test())).isNotEqualTo(rows);
        assertThat(labels(DataSplit.holdOut(all, 0.2, 7L + (1L << 32), "a").test()))
                .isNotEqualTo(rows);
        // A larger share of one seed holds out the rows of a smaller one, and more.
        assertThat(labels(DataSplit.holdOut(all, 0.4, 7, "a").test())).contains(rows);
    }

    @Test
    void theRowsAreTheSameOnEveryMachine() {
        assertThat(labels(DataSplit.holdOut(numbered(60), 0.1, 0, "a").test())).containsExactly(0, 1, 9, 11, 16, 24);
        assertThat(labels(DataSplit.holdOut(numbered(60), 0.1, 7, "a").test())).containsExactly(4, 23, 29, 31, 43, 51);
    }

    @Test
    void rowsWithoutLabelsAreSplitAlike() {
        Dataset all = numbered(60);
        Dataset unlabelled = Dataset.of(all.values(), DType.F32, PIXEL);
        DataSplit split = DataSplit.holdOut(unlabelled, 0.1, 7, "a");
        assertThat(split.test().hasLabels()).isFalse();
        assertThat(split.test()
                        .values()
                        .mismatch(DataSplit.holdOut(all, 0.1, 7, "a").test().values()))
                .isEqualTo(-1);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 1, -0.1, 1.1, Double.NaN, Double.POSITIVE_INFINITY})
    void theShareIsBetweenZeroAndOne(double share) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DataSplit.holdOut(numbered(10), share, 0, "a"))
                .withMessageContaining("share of test rows " + share);
    }

    @Test
    void oneRowCannotBeSplit() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DataSplit.holdOut(numbered(1), 0.5, 0, "a"))
                .withMessageContaining("1 rows: must be 2 to");
    }
}
