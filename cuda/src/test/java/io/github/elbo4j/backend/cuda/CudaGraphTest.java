package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CudaGraphTest extends DeviceTest {
    private CudaPool pool;
    private CudaStaging staging;
    private CudaModule kernels;
    private CudaPool.Block x;

    @BeforeEach
    void make() {
        pool = new CudaPool(context, stream, true);
        staging = new CudaStaging(context, stream);
        kernels = sound();
        x = floats(pool, staging, 1, 1);
    }

    @Override
    @AfterEach
    void close() {
        if (kernels != null) {
            kernels.close();
            staging.close();
            pool.close();
        }
        super.close();
    }

    private void add(float amount) {
        kernels.kernel("add_constant").launch(stream, 1, 1, 32, 1, x.address(), amount, 2);
    }

    @Test
    void aLaunchRunsWhatWasRecorded() {
        try (CudaGraph graph = CudaGraph.capture(context, stream, stream, () -> {
            add(1);
            kernels.kernel("scale_by").launch(stream, 1, 1, 32, 1, x.address(), 2f, 2);
        })) {
            assertThat(read(staging, x)).as("recording runs nothing").containsExactly(1, 1);
            graph.launch();
            graph.launch();
            assertThat(read(staging, x)).containsExactly(10, 10);
        }
    }

    @Test
    void anExceptionInsideEndsTheCapture() {
        IllegalStateException mine = new IllegalStateException("mine");
        assertThatThrownBy(() -> CudaGraph.capture(context, stream, stream, () -> {
                    add(1);
                    throw mine;
                }))
                .isSameAs(mine);
        assertThatThrownBy(() -> CudaGraph.capture(context, stream, stream, () -> {
                    throw new AssertionError("an error");
                }))
                .isInstanceOf(AssertionError.class);
        theStreamIsUsable();
    }

    @Test
    void aCallThatCaptureForbidsIsNamed() {
        assertThatThrownBy(() -> CudaGraph.capture(context, stream, stream, () -> {
                    add(1);
                    stream.synchronize();
                }))
                .isInstanceOf(CudaException.class)
                .hasMessageContaining("cuStreamSynchronize failed with CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED");
        theStreamIsUsable();
    }

    /** The caller swallowed the failure that spoilt the capture. */
    @Test
    void aSpoiltCaptureIsToldAtItsEnd() {
        assertThatThrownBy(() -> CudaGraph.capture(context, stream, stream, () -> {
                    try {
                        stream.synchronize();
                    } catch (CudaException e) {
                        assertThat(e.status().lasting()).isFalse();
                    }
                }))
                .isInstanceOf(CudaException.class)
                .hasMessageContaining("cuStreamEndCapture failed with CUDA_ERROR_STREAM_CAPTURE_INVALIDATED");
        theStreamIsUsable();
    }

    @ParameterizedTest
    @ValueSource(strings = {"cuStreamBeginCapture_v2", "cuGraphInstantiateWithFlags", "cuGraphUpload"})
    void aFailureOfAnyCallLeavesTheStreamUsable(String call) {
        EmulatorControl.failNth(call, 1, 1);
        long destroyed = EmulatorControl.callCount("cuGraphDestroy");
        assertThatThrownBy(() -> CudaGraph.capture(context, stream, stream, () -> add(1)))
                .isInstanceOf(CudaException.class);
        assertThat(EmulatorControl.callCount("cuGraphDestroy") - destroyed)
                .isEqualTo(call.startsWith("cuStreamBegin") ? 0 : 1);
        theStreamIsUsable();
    }

    private void theStreamIsUsable() {
        float before = read(staging, x)[0];
        add(3);
        try (CudaGraph graph = CudaGraph.capture(context, stream, stream, () -> add(4))) {
            graph.launch();
            stream.synchronize();
        }
        assertThat(read(staging, x)[0]).isEqualTo(before + 7);
    }

    @Test
    void virtualThreadsCaptureAndAnInterruptIsKept() throws InterruptedException {
        AtomicReference<Throwable> failure = new AtomicReference<>();
        AtomicReference<Thread> capturer = new AtomicReference<>();
        Thread thread = Thread.ofVirtual().unstarted(() -> {
            Thread.currentThread().interrupt();
            try (CudaGraph graph = CudaGraph.capture(context, stream, stream, () -> {
                capturer.set(Thread.currentThread());
                add(1);
            })) {
                graph.launch();
                assertThat(Thread.interrupted()).isTrue();
            } catch (RuntimeException | AssertionError e) {
                failure.set(e);
            }
        });
        thread.start();
        thread.join();
        assertThat(failure.get()).isNull();
        assertThat(capturer.get()).isNotNull().matches(each -> !each.isVirtual());
        assertThat(read(staging, x)).containsExactly(2, 2);
    }

    /** Captures are of one thread, so that others may allocate meanwhile. */
    @Test
    void otherThreadsWorkMeanwhile() throws InterruptedException {
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        CudaGraph graph = CudaGraph.capture(context, stream, stream, () -> {
            add(1);
            Thread other = Thread.startVirtualThread(() -> {
                try (CudaStream mine = CudaStream.open(context);
                        CudaPool own = new CudaPool(context, mine, true)) {
                    own.allocate("meanwhile", 100);
                    mine.synchronize();
                } catch (RuntimeException e) {
                    failures.add(e);
                }
            });
            try {
                other.join();
            } catch (InterruptedException e) {
                failures.add(e);
            }
            add(1);
        });
        assertThat(failures).isEmpty();
        graph.launch();
        assertThat(read(staging, x)).containsExactly(3, 3);
        graph.close();
        graph.close();
        assertThatThrownBy(() -> graph.launch()).isInstanceOf(IllegalStateException.class);
    }

    /** A kernel that fails inside a launch is found at the next wait. */
    @Test
    void aFaultInsideALaunchEndsTheContext() {
        CudaGraph graph = CudaGraph.capture(context, stream, stream, () -> add(1));
        EmulatorControl.failNth("kernel", 1, 719);
        graph.launch();
        assertThatThrownBy(stream::synchronize).hasMessageContaining("CUDA_ERROR_LAUNCH_FAILED");
        assertThat(context.lost()).isTrue();
        graph.close();
    }
}
