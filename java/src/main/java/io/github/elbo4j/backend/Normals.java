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
        double angle = TWO_PI * Philox.uniform(block[pair + 1]);
        return radius * ((lane & 1) == 0 ? StrictMath.cos(angle) : StrictMath.sin(angle));
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
