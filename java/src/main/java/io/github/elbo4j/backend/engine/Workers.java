package io.github.elbo4j.backend.engine;

import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A fixed number of threads that share ranges. How a range is split never shows in a result, because every index is
 * computed whole by one thread. Idle workers are parked, and end after a while. Safe for any number of callers, who find
 * a worker busy with another's range and do its part themselves.
 */
public final class Workers implements AutoCloseable {
    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** Computes the indices {@code from} to {@code to - 1}; no other thread has the same part at the same time. */
    @FunctionalInterface
    public interface Range {
        /** Computes them. */
        void run(int part, int from, int to);
    }

    /** Lets all parts of a run return that wait for each other; it must not allocate. */
    @FunctionalInterface
    public interface Unblock {
        /**
         * Called by the caller before each run, to show that there is stack for it, and by whoever finds a part failed.
         *
         * @param failed whether a part has failed; if not, nothing may happen
         */
        void unblock(boolean failed);
    }

    private final int threads;
    private final String threadName;
    private final Worker[] workers;
    private volatile boolean closed;

    /**
     * Workers, none of them running yet.
     *
     * @param threads threads that share a range, that of the caller among them; at least 1
     * @param threadName name of the others
     */
    public Workers(int threads, String threadName) {
        this.threads = threads;
        this.threadName = threadName;
        this.workers = new Worker[threads - 1];
        Arrays.setAll(workers, i -> new Worker());
    }

    /** {@return threads that share a range, that of the caller among them} */
    public int threads() {
        return threads;
    }

    /**
     * {@return the most parts of a range}
     *
     * @param size most indices
     * @param grain fewest indices worth a thread
     */
    public int parts(long size, int grain) {
        return (int) Math.max(1, Math.min(threads, size / Math.max(1, grain)));
    }

    /**
     * {@return a range that can be run again and again}
     *
     * @param grain fewest indices worth a thread
     * @param body what to run
     */
    public Split split(int grain, Range body) {
        return split(grain, body, failed -> {});
    }

    /**
     * {@return a range that can be run again and again, whose parts may wait for each other}
     *
     * @param grain fewest indices worth a thread
     * @param body what to run
     * @param unblock lets the others return when a part has failed
     */
    public Split split(int grain, Range body, Unblock unblock) {
        return new Split(Math.max(1, grain), body, unblock);
    }

    /** A range, run by one caller at a time. All it needs was made with it, so that running allocates nothing. */
    public final class Split {
        private final int grain;
        private final Range body;
        private final Unblock unblock;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger helpers = new AtomicInteger();
        private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        private int count;
        private int parts;
        private volatile @Nullable Thread caller;

        private Split(int grain, Range body, Unblock unblock) {
            this.grain = grain;
            this.body = body;
            this.unblock = unblock;
        }

        /** Runs the body over 0 to {@code size - 1}, in at most as many parts as there are threads. */
        public void run(int size) {
            int wanted = parts(size, grain);
            if (wanted == 1) {
                body.run(0, 0, size);
                return;
            }
            count = size;
            parts = wanted;
            caller = Thread.currentThread();
            failure.set(null);
            // Nobody else looks at this range before a worker is handed it.
            next.set(0);
            unblock.unblock(false);
            try {
                call(wanted - 1);
                help();
            } catch (RuntimeException | Error e) {
                // No stack left further down, perhaps not even to unblock there.
                failure.compareAndSet(null, e);
                unblock.unblock(true);
            }
            dismiss();
            rethrow();
        }

        private void call(int wanted) {
            int found = 0;
            for (int i = 0; i < workers.length && found < wanted; i++) {
                helpers.incrementAndGet();
                if (workers[i].take(this)) {
                    found++;
                } else {
                    helpers.decrementAndGet();
                }
            }
        }

        /** Runs parts until none is left. */
        private void help() {
            for (int part = next.getAndIncrement(); part < parts; part = next.getAndIncrement()) {
                try {
                    body.run(part, bound(part), bound(part + 1));
                } catch (RuntimeException | Error e) {
                    failure.compareAndSet(null, e);
                    unblock.unblock(true);
                }
            }
        }

        private int bound(int part) {
            return (int) ((long) count * part / parts);
        }

        /** Calls off the workers that have not begun, and waits for the others even when interrupted: arrays are in use. */
        private void dismiss() {
            for (Worker worker : workers) {
                if (worker.release(this)) {
                    helpers.decrementAndGet();
                }
            }
            boolean interrupted = false;
            while (helpers.get() > 0) {
                LockSupport.park(this);
                interrupted |= Thread.interrupted();
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }

        private void leave() {
            Thread waiting = caller;
            if (helpers.decrementAndGet() == 0) {
                LockSupport.unpark(waiting);
            }
        }

        private void rethrow() {
            switch (failure.get()) {
                case null -> {}
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                case Throwable e -> throw new IllegalStateException(e);
            }
        }
    }

    /** A thread, while there is work for it, and the range it is to help with. */
    private final class Worker implements Runnable {
        /** The range it was handed; itself while it helps, {@link #GONE} without a thread, null when idle. */
        private final AtomicReference<@Nullable Object> inbox = new AtomicReference<>(GONE);

        private volatile @Nullable Thread thread;

        private static final Object GONE = new Object();

        /** {@return whether the range was handed over} */
        boolean take(Split split) {
            if (closed) {
                return false;
            }
            if (inbox.compareAndSet(null, split)) {
                LockSupport.unpark(thread);
                return true;
            }
            if (inbox.compareAndSet(GONE, split)) {
                try {
                    // Nothing of the caller's context: the thread serves others after it.
                    Thread started = Thread.ofPlatform()
                            .name(threadName)
                            .daemon()
                            .inheritInheritableThreadLocals(false)
                            .unstarted(this);
                    started.setContextClassLoader(null);
                    thread = started;
                    started.start();
                    return true;
                } catch (OutOfMemoryError | StackOverflowError e) {
                    // There is no further thread, or no stack to start one; the caller does it all.
                    inbox.set(GONE);
                    return false;
                }
            }
            return false;
        }

        /** {@return whether the range was handed over and not begun; it never will be then} */
        boolean release(Split split) {
            return inbox.compareAndSet(split, null);
        }

        @Override
        public void run() {
            long idleSince = System.nanoTime();
            while (true) {
                Object given = inbox.get();
                if (given instanceof Split split && inbox.compareAndSet(given, this)) {
                    split.help();
                    // Free before the caller goes on, who may hand it the next range at once.
                    inbox.set(null);
                    split.leave();
                    idleSince = System.nanoTime();
                } else if (given == null) {
                    long left = IDLE_NANOS - (System.nanoTime() - idleSince);
                    if ((left <= 0 || closed) && inbox.compareAndSet(null, GONE)) {
                        return;
                    }
                    LockSupport.parkNanos(this, Math.max(1, left));
                }
            }
        }
    }

    /** Lets the threads end; nothing may be run any more. */
    @Override
    public void close() {
        closed = true;
        for (Worker worker : workers) {
            LockSupport.unpark(worker.thread);
        }
    }
}
