package io.github.elbo4j.data;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;

/** Random damage to the bytes of a file. */
final class Mutations {
    private static final int[] WORDS = {0, 1, 2, 255, 256, 8192, 65535, 1 << 16, 1 << 24, 1 << 30, 1 << 31, -1};

    private Mutations() {}

    /** {@return a copy with one to three edits: bits, bytes, words, cuts, insertions, removals} */
    static byte[] mutated(byte[] original, Random random) {
        byte[] bytes = original.clone();
        int edits = 1 + random.nextInt(3);
        for (int i = 0; i < edits && bytes.length > 0; i++) {
            bytes = edited(bytes, random);
        }
        return bytes;
    }

    private static byte[] edited(byte[] bytes, Random random) {
        // Headers are short; half of the damage goes there.
        int at = random.nextInt(random.nextBoolean() ? Math.min(64, bytes.length) : bytes.length);
        switch (random.nextInt(8)) {
            case 0, 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
            case 2, 3 -> bytes[at] = (byte) random.nextInt();
            case 4 -> {
                if (at + 4 <= bytes.length) {
                    ByteBuffer.wrap(bytes).putInt(at, WORDS[random.nextInt(WORDS.length)]);
                }
            }
            case 5 -> {
                return Arrays.copyOf(bytes, random.nextInt(bytes.length));
            }
            case 6 -> {
                byte[] inserted = new byte[1 + random.nextInt(8)];
                random.nextBytes(inserted);
                byte[] head = IdxFiles.concat(Arrays.copyOf(bytes, at), inserted);
                return IdxFiles.concat(head, Arrays.copyOfRange(bytes, at, bytes.length));
            }
            default -> {
                int end = Math.min(bytes.length, at + 1 + random.nextInt(8));
                return IdxFiles.concat(Arrays.copyOf(bytes, at), Arrays.copyOfRange(bytes, end, bytes.length));
            }
        }
        return bytes;
    }
}
