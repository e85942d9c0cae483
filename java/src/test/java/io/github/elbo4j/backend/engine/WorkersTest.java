package io.github.elbo4j.backend.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkersTest {
    @Test
    void everyIndexIsComputedOnce() {
        try (Workers workers = new Workers(3, "worker")) {
            int[] visits = new int[1000];
            workers.split(1, (part, from, to) -> {
                        for (int i = from; i < to; i++) {
                            visits[i]++;
                        }
                    })
                    .run(visits.length);
            assertThat(visits).containsOnly(1);
        }
    }

    /** The arrays belong to the caller again once split has ended, also when it ends badly. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void noPartRunsAnyMoreWhenOneHasFailed(int failing) {
        try (Workers workers = new Workers(3, "worker")) {
            AtomicInteger running = new AtomicInteger();
            CountDownLatch all = new CountDownLatch(3);
            OutOfMemoryError mine = new OutOfMemoryError("mine");
            Workers.Split split = workers.split(1, (part, from, to) -> {
                running.incrementAndGet();
                all.countDown();
                try {
                    assertThat(all.await(10, TimeUnit.SECONDS)).isTrue();
                    if (from == failing) {
                        throw mine;
                    }
                    Thread.sleep(100);
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                } finally {
                    running.decrementAndGet();
                }
            });
            assertThatThrownBy(() -> split.run(3)).isSameAs(mine);
            assertThat(running).hasValue(0);
        }
    }

    /** Parts that wait for one that has failed, or for one that never began, are let go. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void partsThatWaitForAFailedOneAreUnblocked(int failing) {
        try (Workers workers = new Workers(3, "worker")) {
            CountDownLatch unblocked = new CountDownLatch(1);
            StackOverflowError mine = new StackOverflowError("mine");
            Workers.Split split = workers.split(
                    1,
                    (part, from, to) -> {
                        if (part == failing) {
                            throw mine;
                        }
                        try {
                            unblocked.await();
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    failed -> {
                        if (failed) {
                            unblocked.countDown();
                        }
                    });
            assertThatThrownBy(() -> split.run(3)).isSameAs(mine);
        }
    }

    /** The stack may suffice further up only. */
    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void partsAreUnblockedWhereTheFailedOneCouldNot() {
        try (Workers workers = new Workers(2, "worker")) {
            CountDownLatch helping = new CountDownLatch(1);
            CountDownLatch unblocked = new CountDownLatch(1);
            AtomicInteger failures = new AtomicInteger();
            StackOverflowError mine = new StackOverflowError("mine");
            Thread caller = Thread.currentThread();
            Workers.Split split = workers.split(
                    1,
                    (part, from, to) -> {
                        try {
                            if (Thread.currentThread().equals(caller)) {
                                helping.await();
                                throw mine;
                            }
                            helping.countDown();
                            unblocked.await();
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    failed -> {
                        if (failed && failures.incrementAndGet() == 1) {
                            throw new StackOverflowError("in the part");
                        } else if (failed) {
                            unblocked.countDown();
                        }
                    });
            assertThatThrownBy(() -> split.run(2)).isSameAs(mine);
            assertThat(failures).hasValue(2);
        }
    }

    /** More callers than workers, each with a range of its own: every index once in every run, and each part by one thread. */
    @Test
    void manyCallersShareTheWorkers() throws Exception {
        try (Workers workers = new Workers(3, "worker");
                ExecutorService callers = Executors.newFixedThreadPool(5)) {
            List<Future<?>> runs = new ArrayList<>();
            for (int caller = 0; caller < 5; caller++) {
                runs.add(callers.submit(() -> {
                    int[] visits = new int[7];
                    AtomicIntegerArray busy = new AtomicIntegerArray(3);
                    AtomicInteger wrong = new AtomicInteger();
                    Workers.Split split = workers.split(1, (part, from, to) -> {
                        if (busy.getAndSet(part, 1) != 0) {
                            wrong.incrementAndGet();
                        }
                        for (int i = from; i < to; i++) {
                            visits[i]++;
                        }
                        busy.set(part, 0);
                    });
                    for (int run = 1; run <= 20_000; run++) {
                        int size = 1 + run % 7;
                        split.run(size);
                        for (int i = 0; i < size; i++) {
                            assertThat(visits[i])
                                    .as("index %s in run %s", i, run)
                                    .isEqualTo(1);
                            visits[i] = 0;
                        }
                    }
                    assertThat(wrong).hasValue(0);
                }));
            }
            for (Future<?> run : runs) {
                run.get(120, TimeUnit.SECONDS);
            }
        }
    }

    @Test
    void anInterruptedCallerWaitsAndStaysInterrupted() {
        try (Workers workers = new Workers(2, "worker")) {
            int[] visits = new int[2];
            CountDownLatch both = new CountDownLatch(2);
            Thread.currentThread().interrupt();
            workers.split(1, (part, from, to) -> {
                        both.countDown();
                        boolean caller = Thread.interrupted();
                        try {
                            assertThat(both.await(10, TimeUnit.SECONDS)).isTrue();
                            visits[part]++;
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        } finally {
                            if (caller) {
                                Thread.currentThread().interrupt();
                            }
                        }
                    })
                    .run(2);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(visits).containsOnly(1);
        }
    }
}
