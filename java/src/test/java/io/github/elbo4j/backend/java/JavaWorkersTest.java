package io.github.elbo4j.backend.java;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JavaWorkersTest {
    @Test
    void everyIndexIsComputedOnce() {
        try (JavaWorkers workers = new JavaWorkers(3)) {
            int[] visits = new int[1000];
            workers.split(visits.length, 1, (from, to) -> {
                for (int i = from; i < to; i++) {
                    visits[i]++;
                }
            });
            assertThat(visits).containsOnly(1);
        }
    }

    /** The arrays belong to the caller again once split has ended, also when it ends badly. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void noPartRunsAnyMoreWhenOneHasFailed(int failing) {
        try (JavaWorkers workers = new JavaWorkers(3)) {
            AtomicInteger running = new AtomicInteger();
            CountDownLatch all = new CountDownLatch(3);
            OutOfMemoryError mine = new OutOfMemoryError("mine");
            assertThatThrownBy(() -> workers.split(3, 1, (from, to) -> {
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
                    }))
                    .isSameAs(mine);
            assertThat(running).hasValue(0);
        }
    }
}
