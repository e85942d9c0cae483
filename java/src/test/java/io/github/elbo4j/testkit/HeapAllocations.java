package io.github.elbo4j.testkit;

import java.lang.management.ManagementFactory;

/** Counts what a call allocates on the heap, on its own thread and on those of backends. */
final class HeapAllocations {
    private static final int CALLS = 20;
    private static final long LIMIT_NANOS = 20_000_000_000L;

    private static final com.sun.management.ThreadMXBean BEANS =
            (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

    private HeapAllocations() {}

    /**
     * {@return the fewest bytes that {@value #CALLS} calls in a row allocated}
     *
     * <p>Calls go on until that is zero, or for 20 seconds: while code is interpreted, linked and compiled, the JVM
     * allocates on the threads that run it. What a call itself allocates it allocates every time.
     */
    static long of(Runnable call) {
        long fewest = Long.MAX_VALUE;
        for (long start = System.nanoTime(); fewest > 0 && System.nanoTime() - start < LIMIT_NANOS; ) {
            Thread[] others = workers();
            long othersBefore = bytes(others);
            // Innermost: counting allocates as well.
            long before = BEANS.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < CALLS; i++) {
                call.run();
            }
            long mine = BEANS.getCurrentThreadAllocatedBytes() - before;
            fewest = Math.min(fewest, mine + bytes(others) - othersBefore);
        }
        return fewest;
    }

    private static Thread[] workers() {
        Thread[] all = new Thread[Thread.activeCount() + 64];
        int count = Thread.enumerate(all);
        return java.util.Arrays.stream(all, 0, count)
                .filter(thread -> thread.getName().matches("elbo4j-\\w+-worker"))
                .toArray(Thread[]::new);
    }

    private static long bytes(Thread[] threads) {
        long bytes = 0;
        for (Thread thread : threads) {
            bytes += Math.max(0, BEANS.getThreadAllocatedBytes(thread.threadId()));
        }
        return bytes;
    }
}
