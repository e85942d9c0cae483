package io.github.elbo4j.benchmarks.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.github.elbo4j.data.Dataset;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

/** How full the rows are that steps are measured on, as docs/kernels/linear.md and docs/benchmarking.md say. */
class WorkloadTest {
    private static final int EIGHT = 8;

    @Test
    void mostPixelsOfTheRowsAreZero() {
        Dataset rows = Workload.M1.data();
        assertThat(share(rows, 1, 1)).isCloseTo(0.19, within(0.005));
        assertThat(share(rows, EIGHT, 1)).isCloseTo(0.43, within(0.005));
        assertThat(share(rows, 1, EIGHT)).isCloseTo(0.40, within(0.005));
    }

    @Test
    void noPixelOfFullRowsIsZero() {
        assertThat(share(Workload.TINY.fullRows(), 1, 1)).isEqualTo(1);
    }

    /** {@return the share of rectangles, so many rows high and columns wide, in which a pixel is not zero} */
    private static double share(Dataset data, int high, int wide) {
        MemorySegment pixels = data.values();
        int columns = data.columns();
        long found = 0;
        long all = 0;
        for (long row = 0; row < data.rows(); row += high) {
            for (int column = 0; column < columns; column += wide) {
                all++;
                found += anyPixel(pixels, row * columns + column, columns, high, wide) ? 1 : 0;
            }
        }
        return (double) found / all;
    }

    private static boolean anyPixel(MemorySegment pixels, long from, int stride, int high, int wide) {
        for (int i = 0; i < high; i++) {
            for (int j = 0; j < wide; j++) {
                if (pixels.get(ValueLayout.JAVA_BYTE, from + (long) i * stride + j) != 0) {
                    return true;
                }
            }
        }
        return false;
    }
}
