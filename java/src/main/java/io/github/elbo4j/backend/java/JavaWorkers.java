package io.github.elbo4j.backend.java;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * A fixed pool that splits ranges. How a range is split never shows in a result, because every index is computed whole by
 * one thread. Idle workers are parked. Safe for any number of callers.
 */
final class JavaWorkers implements AutoCloseable {
    /** Computes the indices {@code from} to {@code to - 1}. */
    @FunctionalInterface
    interface Range {
        void run(int from, int to);
    }

    private final int threads;
    private final ThreadPoolExecutor pool;

    JavaWorkers(int threads) {
        this.threads = threads;
        this.pool =
                new ThreadPoolExecutor(threads, threads, 10, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), task -> {
                    Thread thread = new Thread(task, "elbo4j-java-worker");
                    thread.setDaemon(true);
                    return thread;
                });
        pool.allowCoreThreadTimeOut(true);
    }

    int threads() {
        return threads;
    }

    /**
     * Runs {@code body} over 0 to {@code count - 1}, in at most as many parts as there are threads.
     *
     * @param count number of indices
     * @param grain fewest indices worth a thread
     * @param body what to run; the caller's thread takes the first part
     */
    void split(int count, int grain, Range body) {
        int parts = Math.max(1, Math.min(threads, count / Math.max(1, grain)));
        List<Future<?>> others = new ArrayList<>(parts - 1);
        Throwable failure = null;
        try {
            for (int part = 1; part < parts; part++) {
                int from = bound(count, part, parts);
                int to = bound(count, part + 1, parts);
                others.add(pool.submit(() -> body.run(from, to)));
            }
            body.run(0, bound(count, 1, parts));
        } catch (RuntimeException | Error e) {
            // Thrown on below, when no part is running any more.
            failure = e;
        }
        for (Future<?> other : others) {
            Throwable thrown = await(other);
            failure = failure == null ? thrown : failure;
        }
        switch (failure) {
            case null -> {}
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(failure);
        }
    }

    private static int bound(int count, int part, int parts) {
        return (int) ((long) count * part / parts);
    }

    /** Waits even when interrupted: the arrays are in use until the part is done. */
    private static @org.jspecify.annotations.Nullable Throwable await(Future<?> part) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    part.get();
                    return null;
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    return e.getCause();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void close() {
        pool.shutdown();
    }
}
