package io.github.elbo4j.benchmarks.cpu;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * How long a number takes from one thread to another and back: some 0.1 us where the cores of both share a cache, several
 * times that where they do not. Virtual machines are moved between such cores while they run, and two threads that share
 * arrays are then faster or slower at the same step.
 */
final class Handoff {
    private static final int ROUND_TRIPS = 20_000;
    private static final int REPETITIONS = 5;

    private Handoff() {}

    /** {@return nanoseconds of a round trip between two running threads, the least of a few repetitions} */
    static double nanos() {
        double least = Double.POSITIVE_INFINITY;
        for (int i = 0; i < REPETITIONS; i++) {
            least = Math.min(least, nanosOnce());
        }
        return least;
    }

    private static double nanosOnce() {
        AtomicInteger turn = new AtomicInteger();
        Thread other = Thread.ofPlatform().daemon().start(() -> answer(turn));
        await(turn, 1);
        long start = System.nanoTime();
        for (int i = 1; i <= ROUND_TRIPS; i++) {
            turn.set(2 * i);
            await(turn, 2 * i + 1);
        }
        long took = System.nanoTime() - start;
        turn.set(-1);
        boolean interrupted = false;
        while (other.isAlive()) {
            try {
                other.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return (double) took / ROUND_TRIPS;
    }

    /** Makes every even number the next odd one, until there is none. */
    private static void answer(AtomicInteger turn) {
        for (int now = turn.get(); now >= 0; now = turn.get()) {
            if (now % 2 == 0) {
                turn.set(now + 1);
            } else {
                Thread.onSpinWait();
            }
        }
    }

    private static void await(AtomicInteger turn, int wanted) {
        while (turn.get() != wanted) {
            Thread.onSpinWait();
        }
    }
}
