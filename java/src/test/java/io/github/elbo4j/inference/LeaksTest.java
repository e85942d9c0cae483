package io.github.elbo4j.inference;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What nobody closes is freed once nobody can use it any more, and told with the place where it was opened. */
class LeaksTest {
    private static final long LIMIT_NANOS = 20_000_000_000L;

    private final Logger logger = Logger.getLogger("io.github.elbo4j.inference");
    private final List<LogRecord> records = new CopyOnWriteArrayList<>();
    private final Handler handler = new Handler() {
        @Override
        public void publish(LogRecord entry) {
            records.add(entry);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };

    private final Backend backend = Backends.open("java", Map.of("threads", "1"));

    @BeforeEach
    void listen() {
        logger.addHandler(handler);
        logger.setUseParentHandlers(false);
    }

    @AfterEach
    void stop() {
        logger.removeHandler(handler);
        logger.setUseParentHandlers(true);
        backend.close();
    }

    private static VaeConfig config() {
        return VaeConfig.builder()
                .input(new ImageShape(2, 2, 1))
                .hidden(3)
                .latent(2)
                .build();
    }

    private void collectUntil(int warnings) throws InterruptedException {
        long start = System.nanoTime();
        while (records.size() < warnings && System.nanoTime() - start < LIMIT_NANOS) {
            System.gc();
            Thread.sleep(10);
        }
    }

    private void forgetAModelAndItsSession(Vae vae) {
        FrozenModel model = FrozenModel.of(vae);
        model.session(3).encode(new float[4]);
    }

    private void forgetASessionOfAClosedModel(Vae vae) {
        try (FrozenModel model = FrozenModel.of(vae)) {
            model.session(1);
        }
    }

    @Test
    void aForgottenModelAndItsSessionAreFreedWithAWarningEach() throws Exception {
        try (Vae vae = Vae.create(backend, config(), 1)) {
            long before = backend.info().bytesInUse();
            forgetAModelAndItsSession(vae);
            assertThat(backend.info().bytesInUse()).isGreaterThan(before);
            collectUntil(2);
            assertThat(records)
                    .extracting(LogRecord::getMessage)
                    .containsExactlyInAnyOrder(
                            "frozen model 4-3-2-3-4 relu was not closed and is freed now; close it, best by"
                                    + " try-with-resources",
                            "inference session of 4-3-2-3-4 relu was not closed and is freed now; close it, best by"
                                    + " try-with-resources");
            for (LogRecord entry : records) {
                assertThat(entry.getThrown().getStackTrace())
                        .as("where it was opened")
                        .anyMatch(frame -> frame.getMethodName().equals("forgetAModelAndItsSession"));
            }
            // The warning comes first.
            long start = System.nanoTime();
            while (backend.info().bytesInUse() > before && System.nanoTime() - start < LIMIT_NANOS) {
                Thread.sleep(5);
            }
            assertThat(backend.info().bytesInUse()).isEqualTo(before);
        }
    }

    @Test
    void aForgottenSessionGivesTheWeightsOfItsClosedModelBack() throws Exception {
        try (Vae vae = Vae.create(backend, config(), 1)) {
            forgetASessionOfAClosedModel(vae);
            collectUntil(1);
            assertThat(records).hasSize(1);
        }
    }

    private static void forgetALease(SessionPool pool) throws InterruptedException {
        pool.borrow();
    }

    @Test
    void aForgottenLeaseGoesBackToItsPool() throws Exception {
        try (Vae vae = Vae.create(backend, config(), 1);
                FrozenModel model = FrozenModel.of(vae);
                SessionPool pool = new SessionPool(model, 1, 1, 1)) {
            forgetALease(pool);
            assertThat(pool.lent()).isEqualTo(1);
            collectUntil(1);
            assertThat(records.getFirst().getThrown().getStackTrace())
                    .anyMatch(frame -> frame.getMethodName().equals("forgetALease"));
            try (SessionPool.Lease lease = pool.borrow(java.time.Duration.ofSeconds(20))) {
                assertThat(lease.session().encode(new float[4]).mu()).hasSize(2);
            }
            assertThat(pool.lent()).isZero();
        }
    }

    /** The second close comes while the first one releases; a lease given back twice would have two borrowers. */
    @Test
    void whatTwoThreadsCloseIsReleasedOnce() throws Exception {
        AtomicInteger releases = new AtomicInteger();
        CountDownLatch first = new CountDownLatch(1);
        CountDownLatch second = new CountDownLatch(1);
        Leaks.Guard guard = Leaks.guard(this, "a test", () -> {
            releases.incrementAndGet();
            first.countDown();
            try {
                // Runs out while the second thread has to wait, as it should.
                assertThat(second.await(200, TimeUnit.MILLISECONDS)).isFalse();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        Thread one = Thread.ofPlatform().start(guard::close);
        first.await();
        guard.close();
        second.countDown();
        one.join();
        assertThat(releases).hasValue(1);
    }

    @Test
    void whatIsClosedIsNeverWarnedOf() throws Exception {
        try (Vae vae = Vae.create(backend, config(), 1)) {
            for (int i = 0; i < 20; i++) {
                FrozenModel model = FrozenModel.of(vae);
                InferenceSession session = model.session(1);
                session.decode(new float[2]);
                session.close();
                session.close();
                model.close();
                model.close();
            }
            for (int i = 0; i < 5; i++) {
                System.gc();
                Thread.sleep(20);
            }
            assertThat(records).isEmpty();
        }
    }
}
