package io.github.elbo4j.backend;

/**
 * Philox4x32-10, the counter-based generator behind every random number of the library.
 *
 * <p>Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011), section 3.3. A block
 * is a pure function of a 64-bit key and a 128-bit counter, so every backend, thread and batch size draws the same
 * integers. The counter's layout is frozen: {@code (column / 4, row, step, purpose << 24 | sample)}, and the block's
 * four words belong to the columns {@code 4 * (column / 4) + 0..3}.
 *
 * <p>Stateless and safe for any number of threads.
 */
public final class Philox {
    private static final int MULTIPLIER_0 = 0xD2511F53;
    private static final int MULTIPLIER_1 = 0xCD9E8D57;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;
    private static final int ROUNDS = 10;

    /** Samples of one row that the counter can tell apart: 24 bits. */
    public static final long MAX_SAMPLES = 1L << 24;

    /** Rows that the counter can tell apart: 32 bits. */
    public static final long MAX_ROWS = 1L << 32;

    /** Columns that the counter can tell apart: 32 bits of blocks of four. */
    public static final long MAX_COLUMNS = 1L << 34;

    private Philox() {}

    /**
     * Overwrites {@code out} with the block of one counter.
     *
     * @param key the seed; its low half is the first key word
     * @param c0 counter word 0: column / 4
     * @param c1 counter word 1: row
     * @param c2 counter word 2: step
     * @param c3 counter word 3: purpose and sample, see {@link #stream}
     * @param out receives four uniformly distributed 32-bit words
     */
    public static void block(long key, int c0, int c1, int c2, int c3, int[] out) {
        int k0 = (int) key;
        int k1 = (int) (key >>> 32);
        for (int round = 0; round < ROUNDS; round++) {
            // (hi, lo) = multiplier * counter word as an unsigned 64-bit product
            long p0 = (MULTIPLIER_0 & 0xFFFFFFFFL) * (c0 & 0xFFFFFFFFL);
            long p1 = (MULTIPLIER_1 & 0xFFFFFFFFL) * (c2 & 0xFFFFFFFFL);
            int n0 = (int) (p1 >>> 32) ^ c1 ^ k0;
            int n2 = (int) (p0 >>> 32) ^ c3 ^ k1;
            c1 = (int) p1;
            c3 = (int) p0;
            c0 = n0;
            c2 = n2;
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        out[0] = c0;
        out[1] = c1;
        out[2] = c2;
        out[3] = c3;
    }

    /**
     * {@return counter word 3 of a purpose and a sample number}
     *
     * @param purpose what the numbers are drawn for
     * @param sample number of the sample within its row, below {@link #MAX_SAMPLES}
     */
    public static int stream(Noise.Purpose purpose, int sample) {
        if (sample < 0 || sample >= MAX_SAMPLES) {
            throw new IllegalArgumentException("sample " + sample + " is outside 0.." + (MAX_SAMPLES - 1));
        }
        return purpose.code() << 24 | sample;
    }

    /**
     * {@return a number in the open interval (0, 1), an odd multiple of 2^-24 and so exact in binary32}
     *
     * @param word 32 random bits, of which the upper 23 are used
     */
    public static double uniform(int word) {
        return ((word >>> 9) * 2 + 1) * 0x1p-24;
    }
}
