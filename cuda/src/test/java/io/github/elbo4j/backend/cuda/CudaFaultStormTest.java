package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.backend.engine.EngineBackend;
import io.github.elbo4j.backend.engine.Operands;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Kernels fault for real, beside Java threads whose own faults the JVM must get: {@code -Delbo4j.test.faults=10000} for
 * the full number.
 */
class CudaFaultStormTest {
    private static final int FAULTS = Integer.getInteger("elbo4j.test.faults", 200);
    private static final int ELEMENTS = 1000;

    private volatile boolean over;

    @BeforeEach
    void quiet() {
        EmulatedDevice.assumeEmulated();
        EmulatorControl.setOption("verbose", "0");
        // Its workspaces of cuBLAS are smaller, which is most of the time of opening.
        EmulatorControl.setOption("compute_capability", "80");
        renew();
    }

    @AfterEach
    void defaults() {
        EmulatedDevice.assumeEmulated();
        EmulatorControl.setOption("verbose", "1");
        EmulatorControl.setOption("compute_capability", "90");
        renew();
    }

    private static void renew() {
        EmulatorControl.reset();
        CudaContext.forgetLost();
    }

    /** What a kernel does wrong, and what the driver makes of it. */
    private enum Wrong {
        OVERRUN(700),
        MISALIGNED(716);

        private final int status;

        Wrong(int status) {
            this.status = status;
        }

        void launch(CudaEngine engine, long state, long weights, long gradients) {
            long size = this == OVERRUN ? 4L * ELEMENTS : ELEMENTS / 2;
            long from = this == OVERRUN ? weights : weights + Float.BYTES;
            engine.module()
                    .kernel("sgd_f32")
                    .launch(engine.stream(), 2, 1, 64, 1, state, from, gradients, 0L, size, 0.0, -1);
        }
    }

    @Test
    void kernelFaultsAndFaultsOfJavaDoNotMeet() throws InterruptedException {
        List<Busy> busy = List.of(
                new Busy(2, this::dereferencesNull), new Busy(5, this::overflows), new Busy(50, this::collects));
        long chained = EmulatorControl.counter("chained_signals");
        long faults = EmulatorControl.counter("faults");
        long begin = System.nanoTime();
        busy.forEach(Thread::start);
        try {
            for (int i = 0; i < FAULTS; i++) {
                fault(Wrong.values()[i % Wrong.values().length]);
            }
        } finally {
            over = true;
            for (Busy each : busy) {
                each.join();
            }
        }
        System.out.printf(
                "%d faults in %.1f s beside %s rounds of Java's own%n",
                FAULTS,
                (System.nanoTime() - begin) / 1e9,
                busy.stream().map(each -> each.rounds).toList());
        assertThat(busy).allSatisfy(each -> {
            assertThat(each.failure).isNull();
            assertThat(each.rounds.get()).isPositive();
        });
        assertThat(EmulatorControl.counter("faults") - faults).isEqualTo(FAULTS);
        assertThat(EmulatorControl.counter("chained_signals") - chained)
                .as("signals that were Java's")
                .isPositive();
    }

    private static void fault(Wrong wrong) {
        CudaEngine engine = new CudaEngine(CudaDevice.list().getFirst(), Precision.FP32, 1, false);
        Backend backend = new EngineBackend<>(engine);
        Workspace work = backend.workspace("faulty");
        Tensor weights = work.tensor("weights", DType.F32, ELEMENTS);
        Tensor gradients = work.tensor("gradients", DType.F32, ELEMENTS);
        long state =
                CudaStepMemory.of(work.stepState(1, List.of(), 0, List.of())).address();
        float[] numbers = new float[ELEMENTS];
        numbers[1] = 3;
        weights.uploadFloats(numbers);
        assertThat(weights.downloadFloats()).isEqualTo(numbers);

        wrong.launch(engine, state, address(weights), address(gradients));
        assertThatThrownBy(weights::downloadFloats)
                .isInstanceOf(CudaException.class)
                .hasMessageContaining("(" + wrong.status + ")");
        assertThat(EmulatorControl.lastFault().status()).isEqualTo(wrong.status);
        backend.close();
        renew();
    }

    private static long address(Tensor tensor) {
        return ((CudaMemory) Operands.memory(tensor)).address();
    }

    /** A thread that goes on until the storm is over. */
    private final class Busy extends Thread {
        private final long pause;
        private final Runnable round;
        private final AtomicLong rounds = new AtomicLong();
        private volatile @Nullable Throwable failure;

        Busy(long pause, Runnable round) {
            this.pause = pause;
            this.round = round;
            setDaemon(true);
        }

        @Override
        public void run() {
            try {
                while (!over) {
                    round.run();
                    rounds.incrementAndGet();
                    // Leaves the processors to others as well.
                    sleep(pause);
                }
            } catch (RuntimeException | Error | InterruptedException e) {
                failure = e;
            }
        }
    }

    private void dereferencesNull() {
        String[] texts = new String[2];
        texts[0] = "text";
        int caught = 0;
        for (int i = 0; i < 500; i++) {
            try {
                assertThat(length(texts, i % 2)).isEqualTo(4);
            } catch (NullPointerException e) {
                caught++;
            }
        }
        assertThat(caught).isEqualTo(250);
    }

    @SuppressWarnings("NullAway")
    private static int length(String[] texts, int at) {
        return texts[at].length();
    }

    private void overflows() {
        assertThatThrownBy(() -> deeper(1)).isInstanceOf(StackOverflowError.class);
    }

    private static long deeper(long depth) {
        // Never reached, which the compiler need not know.
        return depth < 0 ? depth : deeper(depth + 1) + depth;
    }

    private void collects() {
        List<byte[]> garbage = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            garbage.add(new byte[50_000]);
        }
        assertThat(garbage).hasSize(200);
        System.gc();
    }
}
