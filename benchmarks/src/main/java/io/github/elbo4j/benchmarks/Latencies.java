package io.github.elbo4j.benchmarks;

import java.util.Arrays;

/** Durations of single calls. */
final class Latencies {
    /** Fewer calls have no hundredth of themselves beyond a percentile. */
    private static final int CALLS_FOR_P99 = 100;

    private static final int CALLS_FOR_P999 = 1000;

    private long[] nanos = new long[1 << 12];
    private int count;

    void add(long duration) {
        if (count == nanos.length) {
            nanos = Arrays.copyOf(nanos, 2 * count);
        }
        nanos[count++] = duration;
    }

    void add(Latencies others) {
        for (int i = 0; i < others.count; i++) {
            add(others.nanos[i]);
        }
    }

    int count() {
        return count;
    }

    /** {@return the sum of the durations} */
    double seconds() {
        return Arrays.stream(nanos, 0, count).sum() / 1e9;
    }

    /** Adds their number, the least, and the percentiles that so many can tell, in microseconds. */
    void into(Row row) {
        long[] sorted = Arrays.copyOf(nanos, count);
        Arrays.sort(sorted);
        row.put("calls", count).put("min_us", sorted[0] / 1e3).put("p50_us", percentile(sorted, 500));
        if (count >= CALLS_FOR_P99) {
            row.put("p99_us", percentile(sorted, 990));
        }
        if (count >= CALLS_FOR_P999) {
            row.put("p999_us", percentile(sorted, 999));
        }
    }

    /** {@return the least duration that so many thousandths of the calls did not exceed, in microseconds} */
    private static double percentile(long[] sorted, int thousandths) {
        int rank = (int) (((long) thousandths * sorted.length + 999) / 1000);
        return sorted[rank - 1] / 1e3;
    }
}
