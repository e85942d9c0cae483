package io.github.elbo4j.benchmarks;

import java.util.Arrays;
import java.util.function.LongConsumer;

/** Wall-clock time of repeated work, warmed up and long enough that the clock and the first launch do not count. */
final class Repeats {
    private static final long MAX_TIMES = 1 << 20;

    private final int count;
    private final long nanos;

    /**
     * @param count measured repetitions
     * @param nanos least length of each
     */
    private Repeats(int count, long nanos) {
        this.count = count;
        this.nanos = nanos;
    }

    static Repeats of(boolean quick) {
        return quick ? new Repeats(3, 2_000_000) : new Repeats(15, 50_000_000);
    }

    /**
     * Microseconds of one unit of work.
     *
     * @param median of the repetitions
     * @param p10 lower decile
     * @param p90 upper decile
     * @param count repetitions
     */
    record Spread(double median, double p10, double p90, int count) {
        static Spread of(double[] samples) {
            double[] sorted = samples.clone();
            Arrays.sort(sorted);
            return new Spread(at(sorted, 0.5), at(sorted, 0.1), at(sorted, 0.9), sorted.length);
        }

        /** {@return the same for a part of the work} */
        Spread dividedBy(double parts) {
            return new Spread(median / parts, p10 / parts, p90 / parts, count);
        }

        private static double at(double[] sorted, double share) {
            double place = share * (sorted.length - 1);
            int below = (int) place;
            int above = Math.min(below + 1, sorted.length - 1);
            return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
        }
    }

    /**
     * {@return microseconds of one unit}
     *
     * @param work does a number of units and waits for them
     * @param mostTimes most units in a row
     */
    Spread measure(LongConsumer work, long mostTimes) {
        long most = Math.min(mostTimes, MAX_TIMES);
        long times = 1;
        long took = time(work, times);
        // The first runs compile, load and fill caches; the last of these lengths is warm.
        while (took < nanos && times < most) {
            long fit = times * Math.clamp(nanos * 5 / 4 / Math.max(1, took), 2L, 16L);
            times = Math.min(most, fit);
            took = time(work, times);
        }
        double[] samples = new double[count];
        for (int i = 0; i < count; i++) {
            samples[i] = time(work, times) / 1e3 / times;
        }
        return Spread.of(samples);
    }

    private static long time(LongConsumer work, long times) {
        long start = System.nanoTime();
        work.accept(times);
        return System.nanoTime() - start;
    }
}
