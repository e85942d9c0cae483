package io.github.elbo4j.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.testkit.TestSeed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Small valid CIFAR-10 files with random damage: each is read, or refused by a {@link FormatException}. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CifarMutationTest {
    /** In the suite; {@code -Delbo4j.test.mutations=N} for more. */
    private static final int MUTATIONS = Integer.getInteger("elbo4j.test.mutations", 5_000);

    private static final long MOST_NANOS = 5_000_000_000L;

    @TempDir
    Path folder;

    private int read;
    private int refused;

    @Test
    void damagedFiles() throws IOException {
        Random random = TestSeed.random(CifarMutationTest.class);
        byte[] plain = Cifar10Test.records(2, 9, 0);
        byte[] packed = IdxFiles.gzip(plain);
        for (int i = 0; i < MUTATIONS; i++) {
            switch (i % 4) {
                // The label is one byte of thousands: damage it and nothing else.
                case 0 -> {
                    byte[] bytes = plain.clone();
                    bytes[random.nextBoolean() ? 0 : 3073] = (byte) random.nextInt(32);
                    tried(bytes);
                }
                case 1 -> tried(Mutations.mutated(plain, random));
                case 2 -> tried(IdxFiles.gzip(Mutations.mutated(plain, random)));
                default -> tried(Mutations.mutated(packed, random));
            }
        }
        assertThat(read).as("files still read").isGreaterThan(MUTATIONS / 10);
        assertThat(refused).as("files refused").isGreaterThan(MUTATIONS / 3);
    }

    private void tried(byte[] bytes) throws IOException {
        Path path = Files.write(folder.resolve("damaged"), bytes);
        long start = System.nanoTime();
        try {
            Dataset set = Cifar10.readFiles(List.of(path));
            assertThat(set.rows()).isBetween(1L, 3L);
            for (int row = 0; row < set.rows(); row++) {
                assertThat(set.label(row)).isBetween(0, 9);
            }
            read++;
        } catch (FormatException e) {
            assertThat(e).hasMessageStartingWith(path + ": ").hasMessageContaining("; ");
            assertThat(e.getMessage()).doesNotContain("MaxDirectMemorySize", "null");
            refused++;
        } catch (RuntimeException | Error e) {
            throw new AssertionError("after " + read + " read and " + refused + " refused", e);
        }
        long nanos = System.nanoTime() - start;
        // Writing over a file waits for the disk; making a new one does not.
        Files.delete(path);
        assertThat(nanos).isLessThan(MOST_NANOS);
    }
}
