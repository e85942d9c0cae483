package io.github.elbo4j.benchmarks.cpu;

import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/**
 * Middle and spread of samples.
 *
 * @param p20 a fifth of the samples is below
 * @param p50 median
 * @param p80 a fifth of the samples is above
 * @param samples their number
 */
record Quantiles(double p20, double p50, double p80, int samples) {
    static Quantiles of(List<Double> samples) {
        return of(samples.stream().mapToDouble(Double::doubleValue).toArray());
    }

    /**
     * {@return the quantiles of at least one sample, between the nearest where none is there}
     *
     * @throws IllegalArgumentException if there is none or one is not finite
     */
    static Quantiles of(double... samples) {
        if (samples.length == 0 || !Arrays.stream(samples).allMatch(Double::isFinite)) {
            throw new IllegalArgumentException("no finite samples: " + Arrays.toString(samples));
        }
        double[] sorted = samples.clone();
        Arrays.sort(sorted);
        return new Quantiles(at(sorted, 0.2), at(sorted, 0.5), at(sorted, 0.8), sorted.length);
    }

    private static double at(double[] sorted, double share) {
        double place = share * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }

    /** {@return the same in another quantity; f rises or falls throughout} */
    Quantiles map(DoubleUnaryOperator f) {
        double low = f.applyAsDouble(p20);
        double high = f.applyAsDouble(p80);
        return new Quantiles(Math.min(low, high), f.applyAsDouble(p50), Math.max(low, high), samples);
    }
}
