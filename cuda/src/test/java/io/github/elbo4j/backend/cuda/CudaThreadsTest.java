package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.testkit.TestSeed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Many threads on one device, each with a workspace of its own: the bits are those of the same work done alone. */
class CudaThreadsTest {
    private static final int PLATFORM = 8;
    private static final int VIRTUAL = 100;
    private static final int KINDS = 6;
    private static final int STEPS = 8;
    private static final Duration LIMIT = Duration.ofMinutes(2);

    private final List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    private final List<Thread> threads = new ArrayList<>();

    @BeforeEach
    @AfterEach
    void sound() {
        EmulatedDevice.assumeEmulated();
        assertThat(EmulatorControl.counter("violations")).isZero();
        assertThat(EmulatorControl.counter("unpinned_async_copies")).isZero();
    }

    private static Backend open() {
        return Backends.open("cuda", Map.of("steps", "3"));
    }

    /** A training of one kind in pieces, with other work in between; gives its bits. */
    @SuppressWarnings("ThreadPriorityCheck")
    private static List<Long> work(Backend backend, int kind, Random random) {
        try (TinyTraining training = new TinyTraining(backend, kind)) {
            int left = STEPS;
            while (left > 0) {
                int some = 1 + random.nextInt(Math.min(left, 4));
                training.run(some);
                left -= some;
                switch (random.nextInt(5)) {
                    case 0 -> training.replay().await();
                    case 1 -> training.bits();
                    case 2 -> transfer(training, random);
                    case 3 -> call(backend, training, random);
                    default -> Thread.yield();
                }
            }
            return training.bits();
        }
    }

    private static void transfer(TinyTraining training, Random random) {
        float[] numbers = new float[1 + random.nextInt(100_000)];
        numbers[numbers.length - 1] = random.nextFloat();
        try (Tensor tensor = training.work().tensor("some", DType.F32, numbers.length)) {
            assertThat(tensor.downloadFloats()).isEqualTo(new float[numbers.length]);
            tensor.uploadFloats(numbers);
            assertThat(tensor.downloadFloats()).isEqualTo(numbers);
        }
    }

    private static void call(Backend backend, TinyTraining training, Random random) {
        int columns = 1 + random.nextInt(70);
        try (Tensor zeros = training.work().tensor("zeros", DType.F32, 2, columns);
                Tensor sums = training.work().tensor("sums", DType.F32, 2)) {
            backend.loss().bernoulliForward(Rows.of(2), zeros, zeros, sums);
            float sum = sums.downloadFloats()[0];
            assertThat((double) sum).isBetween(-columns * 0.6932, -columns * 0.6931);
        }
    }

    private void start(boolean virtual, CountDownLatch gate, Runnable body) {
        Runnable guarded = () -> {
            try {
                gate.await();
                body.run();
            } catch (RuntimeException | Error | InterruptedException e) {
                failures.add(e);
            }
        };
        threads.add(
                virtual
                        ? Thread.startVirtualThread(guarded)
                        : Thread.ofPlatform().start(guarded));
    }

    private void joinAll() throws InterruptedException {
        for (Thread thread : threads) {
            assertThat(thread.join(LIMIT)).as("a thread that ends").isTrue();
        }
        threads.clear();
    }

    @Test
    void theBitsAreThoseOfTheSameWorkAlone() throws InterruptedException {
        Random random = TestSeed.random(CudaThreadsTest.class);
        List<List<Long>> alone = new ArrayList<>();
        try (Backend backend = open()) {
            for (int kind = 0; kind < KINDS; kind++) {
                alone.add(work(backend, kind, new Random(kind)));
            }
        }
        assertThat(Set.copyOf(alone)).hasSize(KINDS);
        DeviceLedger ledger = DeviceLedger.open();
        CountDownLatch gate = new CountDownLatch(1);
        AtomicBoolean over = new AtomicBoolean();
        try (Backend backend = open()) {
            for (int i = 0; i < PLATFORM + VIRTUAL; i++) {
                int kind = i % KINDS;
                long seed = random.nextLong();
                int times = i < PLATFORM ? 3 : 1;
                start(i >= PLATFORM, gate, () -> {
                    Random own = new Random(seed);
                    for (int round = 0; round < times; round++) {
                        assertThat(work(backend, kind, own)).as("kind %d", kind).isEqualTo(alone.get(kind));
                    }
                });
            }
            gate.countDown();
            Thread others = Thread.ofPlatform().start(() -> backendsComeAndGo(over, alone));
            joinAll();
            over.set(true);
            assertThat(others.join(LIMIT)).isTrue();
            assertThat(failures).isEmpty();
            assertThat(backend.info().bytesInUse()).isZero();
        }
        assertThat(ledger.left("")).isEmpty();
    }

    /** Another backend on the same device opens, records and closes while the first one captures. */
    private void backendsComeAndGo(AtomicBoolean over, List<List<Long>> alone) {
        try {
            do {
                try (Backend backend = open()) {
                    assertThat(work(backend, 1, new Random(1))).isEqualTo(alone.get(1));
                }
            } while (!over.get());
        } catch (RuntimeException | Error e) {
            failures.add(e);
        }
    }

    /** A capture is one thread's: what others enqueue and allocate meanwhile is not in it, and does not end it. */
    @Test
    void recordingsAreMadeWhileOthersAllocateUploadAndLaunch() throws InterruptedException {
        List<Long> alone;
        try (Backend backend = open()) {
            alone = work(backend, 2, new Random(2));
        }
        CountDownLatch gate = new CountDownLatch(1);
        AtomicBoolean over = new AtomicBoolean();
        System.setProperty("elbo4j.cuda.pool", "off");
        try (Backend backend = open();
                Backend neighbour = open();
                TinyTraining disturbing = new TinyTraining(backend, 3);
                TinyTraining beside = new TinyTraining(neighbour, 4)) {
            for (TinyTraining each : List.of(disturbing, beside)) {
                start(each == beside, gate, () -> {
                    Random random = new Random(5);
                    while (!over.get()) {
                        transfer(each, random);
                        call(each.work().backend(), each, random);
                        each.run(1);
                        each.replay().await();
                    }
                });
            }
            gate.countDown();
            for (int i = 0; i < 20; i++) {
                try (TinyTraining training = new TinyTraining(backend, 2)) {
                    training.run(STEPS);
                    assertThat(training.bits()).isEqualTo(alone);
                }
            }
            over.set(true);
            joinAll();
        } finally {
            over.set(true);
            System.clearProperty("elbo4j.cuda.pool");
        }
        assertThat(failures).isEmpty();
    }

    /** An input may lie in a workspace of another thread, which closes it at the worst moment. */
    @Test
    void anInputThatIsClosedMeanwhileIsNotRead() throws InterruptedException {
        System.setProperty("elbo4j.cuda.pool", "off");
        AtomicBoolean over = new AtomicBoolean();
        try (Backend backend = open();
                Workspace own = backend.workspace("own");
                Workspace other = backend.workspace("other")) {
            Tensor sums = own.tensor("sums", DType.F32, 4);
            AtomicReference<Tensor> shared = new AtomicReference<>(other.tensor("x", DType.F32, 4, 9));
            CountDownLatch gate = new CountDownLatch(1);
            start(false, gate, () -> {
                for (int calls = 0; !over.get(); calls++) {
                    Tensor x = Objects.requireNonNull(shared.get());
                    try {
                        backend.loss().bernoulliForward(Rows.of(4), x, x, sums);
                        if (calls % 8 == 0) {
                            // Lets the queue run empty, and the other thread close.
                            sums.downloadFloats();
                        }
                    } catch (IllegalStateException e) {
                        assertThat(e).hasMessageContaining("is closed");
                    }
                }
            });
            gate.countDown();
            for (int i = 0; i < 400; i++) {
                closeInTurn(Objects.requireNonNull(shared.getAndSet(other.tensor("x", DType.F32, 4, 9))));
            }
            over.set(true);
            joinAll();
        } finally {
            over.set(true);
            System.clearProperty("elbo4j.cuda.pool");
        }
        assertThat(failures).isEmpty();
    }

    /** Closes as often as it takes: while a call uses the tensor, that is refused. */
    private static void closeInTurn(Tensor tensor) {
        while (tensor.isOpen()) {
            try {
                tensor.close();
            } catch (IllegalStateException e) {
                assertThat(e).hasMessageContaining("is used by");
                Thread.onSpinWait();
            }
        }
    }
}
