package io.github.elbo4j.backend;

/**
 * Standard normal numbers from {@link Philox} blocks by the Box-Muller transform (Box and Muller 1958).
 *
 * <p>A block's words (w0, w1, w2, w3) give the four columns {@code r(w0) cos(w1), r(w0) sin(w1), r(w2) cos(w3), r(w2)
 * sin(w3)} with {@code r(w) = sqrt(-2 log u)}, {@code u} the {@link Philox#uniform} of w, and the angle 2 pi u of w.
 * The largest magnitude is 5.77.
 *
 * <p>The pure-Java backends compute them here; others match the integers bit for bit and the normals within
 * {@value #ULP_BOUND} ulp of binary32 plus the rounding of the angle.
 */
public final class Normals {
    /** How far a backend's normal may be from the exact one, in ulp of binary32 at magnitude max(|n|, 1). */
    public static final int ULP_BOUND = 8;

    private static final double TWO_PI = 2 * StrictMath.PI;

    /** Terms of the sine's and the cosine's series; up to pi / 4 the next one is below 2^-60. */
    private static final int TERMS = 9;

    private Normals() {}

    /**
     * {@return the normal number of a column, in double}
     *
     * @param block the four words
     * @param lane column mod 4
     */
    public static double ofBlock(int[] block, int lane) {
        int pair = lane & 2;
        double radius = StrictMath.sqrt(-2 * StrictMath.log(Philox.uniform(block[pair])));
        double turns = Philox.uniform(block[pair + 1]);
        // cos(2 pi t) = sin(2 pi (t + 1/4)); both sums are exact.
        return radius * sineOfTurns((lane & 1) == 0 ? turns + 0.25 : turns);
    }

    /**
     * {@return sin(2 pi t) for a multiple t of 2^-24 in [0, 1.25]}
     *
     * <p>The reduction to an eighth of a turn is exact, so this is closer than the sine of a rounded angle, and unlike
     * {@link StrictMath#sin} it allocates nothing.
     */
    private static double sineOfTurns(double turns) {
        double t = turns - (int) turns;
        double sign = t < 0.5 ? 1 : -1;
        double half = t < 0.5 ? t : t - 0.5;
        double quarter = Math.min(half, 0.5 - half);
        return sign * (quarter <= 0.125 ? series(TWO_PI * quarter, 1) : series(TWO_PI * (0.25 - quarter), 0));
    }

    /** {@return the sine of a small angle with {@code odd} 1, its cosine with 0: the Taylor series from its last term} */
    private static double series(double angle, int odd) {
        double square = angle * angle;
        double sum = 1;
        for (int n = 2 * TERMS + odd; n > odd; n -= 2) {
            sum = 1 - square / (n * (n - 1)) * sum;
        }
        return odd == 1 ? angle * sum : sum;
    }

    /**
     * Overwrites a row of normals, in double.
     *
     * @param key seed
     * @param row counter word 1
     * @param step counter word 2
     * @param stream counter word 3, see {@link Philox#stream}
     * @param out receives the columns 0 to out.length - 1
     */
    public static void row(long key, int row, int step, int stream, double[] out) {
        int[] block = new int[4];
        for (int column = 0; column < out.length; column++) {
            if ((column & 3) == 0) {
                Philox.block(key, column >>> 2, row, step, stream, block);
            }
            out[column] = ofBlock(block, column & 3);
        }
    }
}
