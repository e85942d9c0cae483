package io.github.elbo4j.inference;

import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Normals;
import io.github.elbo4j.backend.Philox;

/**
 * Latent codes to decode: samples of the prior, ways between two codes, walks along latent dimensions.
 *
 * <p>All results are new arrays {@code [n, latent]}, row-major, as {@link InferenceSession#decode(float[])} takes them, and
 * the same on every machine.
 *
 * <p>Stateless and safe for any number of threads.
 */
public final class LatentCodes {
    /** Of the cosine: codes at a smaller angle, or at one closer to a half turn, have no arc that is worth a sine. */
    private static final double PARALLEL = 0.9995;

    private static final int MAX_ELEMENTS = Integer.MAX_VALUE - 8;

    private LatentCodes() {}

    /** What lies between two codes. */
    public enum Interpolation {
        /** The straight line: {@code (1 - t) a + t b}. */
        LINEAR,
        /**
         * The arc (slerp) of White, "Sampling Generative Networks" (2016): {@code (sin((1 - t) w) a + sin(t w) b) / sin(w)}
         * with the angle w between a and b. It keeps to the lengths that samples of the prior have, where the line passes
         * closer to the origin. Codes without an arc are joined by the line: a zero vector, and codes that are parallel or
         * antiparallel ({@code |cos(w)| > 0.9995}).
         */
        SPHERICAL
    }

    /**
     * {@return samples of the prior {@code N(0, I)}, {@code [n, latent]}}
     *
     * <p>A sample depends on seed and number only, so that many can be drawn part by part.
     *
     * @param seed key of the samples
     * @param firstRow number of the first sample, from 0
     * @param n how many, at least 1
     * @param latent latent dimensions, at least 1
     * @throws IllegalArgumentException if a number is out of range, or they are too many for an array
     */
    public static float[] prior(long seed, long firstRow, int n, int latent) {
        float[] codes = codes(n, latent);
        if (firstRow < 0 || firstRow > Philox.MAX_ROWS - n) {
            throw new IllegalArgumentException("firstRow " + firstRow + ": samples are numbered from 0 to "
                    + (Philox.MAX_ROWS - 1) + ", and " + n + " follow");
        }
        int stream = Philox.stream(Noise.Purpose.SAMPLE, 0);
        double[] row = new double[latent];
        for (int i = 0; i < n; i++) {
            Normals.row(seed, (int) (firstRow + i), 0, stream, row);
            for (int d = 0; d < latent; d++) {
                codes[i * latent + d] = (float) row[d];
            }
        }
        return codes;
    }

    /**
     * {@return the way from one code to another in equal steps, {@code [steps, latent]}; the first row is {@code a}, the last
     * {@code b}}
     *
     * @param a where it begins, {@code [latent]}, finite
     * @param b where it ends, {@code [latent]}, finite
     * @param steps codes with both ends, at least 2
     * @param interpolation what lies between
     * @throws IllegalArgumentException if an argument is not as described
     */
    public static float[] interpolate(float[] a, float[] b, int steps, Interpolation interpolation) {
        requireFinite("a", a);
        requireFinite("b", b);
        if (a.length != b.length) {
            throw new IllegalArgumentException("codes of " + a.length + " and " + b.length
                    + " dimensions; a way leads between two codes of one model");
        }
        requireSteps(steps);
        float[] codes = codes(steps, a.length);
        double cosine = interpolation == Interpolation.SPHERICAL ? cosine(a, b) : 1;
        // The negation catches the NaN of a zero vector as well.
        boolean arc = Math.abs(cosine) <= PARALLEL;
        double angle = arc ? StrictMath.acos(cosine) : 0;
        double sine = StrictMath.sin(angle);
        for (int i = 1; i < steps - 1; i++) {
            double t = i / (steps - 1.0);
            double ofA = arc ? StrictMath.sin((1 - t) * angle) / sine : 1 - t;
            double ofB = arc ? StrictMath.sin(t * angle) / sine : t;
            for (int d = 0; d < a.length; d++) {
                codes[i * a.length + d] = (float) (ofA * a[d] + ofB * b[d]);
            }
        }
        System.arraycopy(a, 0, codes, 0, a.length);
        System.arraycopy(b, 0, codes, (steps - 1) * a.length, b.length);
        return codes;
    }

    /**
     * {@return a code again and again, but for one dimension, which goes from one value to another in equal steps,
     * {@code [steps, latent]}}
     *
     * @param origin the other dimensions' values, {@code [latent]}, finite
     * @param dimension what changes, from 0
     * @param from its value in the first row, finite; in units of the prior's standard deviation
     * @param to its value in the last row, finite
     * @param steps codes with both ends, at least 2
     * @throws IllegalArgumentException if an argument is not as described
     */
    public static float[] traverse(float[] origin, int dimension, float from, float to, int steps) {
        requireWalk(origin, dimension, from, to, steps);
        float[] codes = copies(origin, steps);
        for (int i = 0; i < steps; i++) {
            codes[i * origin.length + dimension] = value(from, to, i, steps);
        }
        return codes;
    }

    /**
     * {@return the grid over two dimensions, each from one value to another in equal steps, {@code [steps * steps, latent]}:
     * row {@code i * steps + j} has step i of the first and step j of the second, so that a picture of it has the first one
     * down and the second one across}
     *
     * @param origin the other dimensions' values, {@code [latent]}, finite
     * @param down dimension that changes from line to line, from 0
     * @param across another dimension, which changes within a line, from 0
     * @param from value of both in the first row, finite; in units of the prior's standard deviation
     * @param to value of both in the last row, finite
     * @param steps codes of a line, and lines, with both ends; at least 2
     * @throws IllegalArgumentException if an argument is not as described
     */
    public static float[] traverse(float[] origin, int down, int across, float from, float to, int steps) {
        requireWalk(origin, down, from, to, steps);
        requireWalk(origin, across, from, to, steps);
        if (down == across) {
            throw new IllegalArgumentException("a grid over dimension " + down + " twice; give two dimensions");
        }
        if (steps > MAX_ELEMENTS / steps) {
            throw tooMany((long) steps * steps, origin.length);
        }
        float[] codes = copies(origin, steps * steps);
        for (int i = 0; i < steps; i++) {
            for (int j = 0; j < steps; j++) {
                int row = (i * steps + j) * origin.length;
                codes[row + down] = value(from, to, i, steps);
                codes[row + across] = value(from, to, j, steps);
            }
        }
        return codes;
    }

    private static float value(float from, float to, int i, int steps) {
        double t = i / (steps - 1.0);
        return (float) ((1 - t) * from + t * to);
    }

    private static double cosine(float[] a, float[] b) {
        double dot = 0;
        double squareA = 0;
        double squareB = 0;
        for (int d = 0; d < a.length; d++) {
            dot += (double) a[d] * b[d];
            squareA += (double) a[d] * a[d];
            squareB += (double) b[d] * b[d];
        }
        return dot / (Math.sqrt(squareA) * Math.sqrt(squareB));
    }

    private static float[] copies(float[] origin, int n) {
        float[] codes = codes(n, origin.length);
        for (int i = 0; i < n; i++) {
            System.arraycopy(origin, 0, codes, i * origin.length, origin.length);
        }
        return codes;
    }

    private static float[] codes(int n, int latent) {
        if (n < 1 || latent < 1) {
            throw new IllegalArgumentException(n + " codes of " + latent + " dimensions; both must be at least 1");
        }
        if (n > MAX_ELEMENTS / latent) {
            throw tooMany(n, latent);
        }
        return new float[n * latent];
    }

    private static IllegalArgumentException tooMany(long n, int latent) {
        return new IllegalArgumentException(
                n + " codes of " + latent + " dimensions are too many for one array; take fewer at a time");
    }

    private static void requireWalk(float[] origin, int dimension, float from, float to, int steps) {
        requireFinite("origin", origin);
        if (dimension < 0 || dimension >= origin.length) {
            throw new IllegalArgumentException(
                    "dimension " + dimension + ": the latent dimensions are 0 to " + (origin.length - 1));
        }
        if (!Float.isFinite(from) || !Float.isFinite(to)) {
            throw new IllegalArgumentException("from " + from + " to " + to + ": both must be finite");
        }
        requireSteps(steps);
    }

    private static void requireSteps(int steps) {
        if (steps < 2) {
            throw new IllegalArgumentException(
                    "steps " + steps + " is not a number of codes with both ends, at least 2");
        }
    }

    private static void requireFinite(String role, float[] code) {
        if (code.length == 0) {
            throw new IllegalArgumentException(role + ": a code has at least one dimension");
        }
        for (int d = 0; d < code.length; d++) {
            if (!Float.isFinite(code[d])) {
                throw new IllegalArgumentException(role + ": " + code[d] + " in dimension " + d + " is not finite");
            }
        }
    }
}
