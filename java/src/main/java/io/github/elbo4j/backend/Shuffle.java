package io.github.elbo4j.backend;

/**
 * A permutation of {@code 0..n-1} for every (seed, epoch), computed position by position with nothing stored.
 *
 * <p>A balanced Feistel network over the smallest even number of bits that holds {@code n} (Luby and Rackoff 1988), its
 * round function one {@link Philox} block, with cycle-walking back into the range (Black and Rogaway 2002): a position
 * that maps outside is mapped again. Fewer than four tries are expected. Every backend computes the same rows.
 *
 * <p>Stateless and safe for any number of threads.
 */
public final class Shuffle {
    private static final int ROUNDS = 6;

    private Shuffle() {}

    /**
     * {@return the row that stands at a position of the shuffled order, in {@code 0..n-1}}
     *
     * @param seed key of the permutation
     * @param epoch number of the permutation; its low 32 bits count
     * @param position place in the shuffled order, {@code 0..n-1}
     * @param n number of rows, 1 to 2^62
     */
    public static long row(long seed, long epoch, long position, long n) {
        if (n < 1 || n > 1L << 62 || position < 0 || position >= n) {
            throw new IllegalArgumentException("position " + position + " of " + n + " rows");
        }
        int halfBits = Math.max(1, (64 - Long.numberOfLeadingZeros(n - 1) + 1) / 2);
        int[] block = new int[4];
        long row = position;
        do {
            row = permute(seed, epoch, row, halfBits, block);
        } while (row >= n);
        return row;
    }

    private static long permute(long seed, long epoch, long value, int halfBits, int[] block) {
        long mask = (1L << halfBits) - 1;
        long left = value >>> halfBits;
        long right = value & mask;
        for (int round = 0; round < ROUNDS; round++) {
            // Counter: (right half, round, epoch, SHUFFLE); the first block word is the round function's value.
            Philox.block(seed, (int) right, round, (int) epoch, Philox.stream(Noise.Purpose.SHUFFLE, 0), block);
            long next = left ^ (block[0] & mask);
            left = right;
            right = next;
        }
        return left << halfBits | right;
    }
}
