package io.github.elbo4j.backend.java;

/**
 * Elementary functions of both precisions, from {@link StrictMath}, whose bits are the same on every machine; binary32
 * results are the binary64 ones rounded.
 */
final class JavaMath {
    private static final double SQRT_HALF = StrictMath.sqrt(0.5);
    private static final double ONE_OVER_SQRT_2PI = 1 / StrictMath.sqrt(2 * StrictMath.PI);

    /**
     * Where the series of erf hands over to the continued fraction of erfc: below it 1 - erf loses no more than a digit,
     * above it 120 terms of the fraction are exact to the last.
     */
    private static final double SERIES_LIMIT = 1.25;

    private JavaMath() {}

    static float exp(float x) {
        return (float) StrictMath.exp(x);
    }

    static double exp(double x) {
        return StrictMath.exp(x);
    }

    static float expm1(float x) {
        return (float) StrictMath.expm1(x);
    }

    static double expm1(double x) {
        return StrictMath.expm1(x);
    }

    static float log1p(float x) {
        return (float) StrictMath.log1p(x);
    }

    static double log1p(double x) {
        return StrictMath.log1p(x);
    }

    static float tanh(float x) {
        return (float) StrictMath.tanh(x);
    }

    static double tanh(double x) {
        return StrictMath.tanh(x);
    }

    static float sqrt(float x) {
        return (float) StrictMath.sqrt(x);
    }

    static double sqrt(double x) {
        return StrictMath.sqrt(x);
    }

    /** {@return the standard normal distribution function Phi(x) = erfc(-x / sqrt 2) / 2} */
    static float normalCdf(float x) {
        return (float) normalCdf((double) x);
    }

    /** {@return the standard normal distribution function Phi(x) = erfc(-x / sqrt 2) / 2} */
    static double normalCdf(double x) {
        double t = Math.abs(x) * SQRT_HALF;
        double upper = t < SERIES_LIMIT ? 1 - erfSeries(t) : erfcFraction(t);
        return x < 0 ? upper / 2 : 1 - upper / 2;
    }

    /** {@return the standard normal density exp(-x^2 / 2) / sqrt(2 pi)} */
    static float normalPdf(float x) {
        return (float) normalPdf((double) x);
    }

    /** {@return the standard normal density exp(-x^2 / 2) / sqrt(2 pi)} */
    static double normalPdf(double x) {
        return StrictMath.exp(-0.5 * x * x) * ONE_OVER_SQRT_2PI;
    }

    /** erf(t) = 2 / sqrt(pi) * exp(-t^2) * sum of 2^n t^(2n+1) / (2n+1)!!, all terms positive (DLMF 7.6.2). */
    private static double erfSeries(double t) {
        double term = t;
        double sum = t;
        for (int n = 1; term > sum * 0x1p-54; n++) {
            term *= 2 * t * t / (2 * n + 1);
            sum += term;
        }
        return 2 / StrictMath.sqrt(StrictMath.PI) * StrictMath.exp(-t * t) * sum;
    }

    /** erfc(t) = exp(-t^2) / sqrt(pi) / (t + 1/2 / (t + 1 / (t + 3/2 / (t + ...)))), from the inside (DLMF 7.9.1). */
    private static double erfcFraction(double t) {
        double denominator = t;
        for (int n = 120; n >= 1; n--) {
            denominator = t + 0.5 * n / denominator;
        }
        return StrictMath.exp(-t * t) / (StrictMath.sqrt(StrictMath.PI) * denominator);
    }
}
