package io.github.elbo4j.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendMemoryException;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels.Order;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LinearKernels.Write;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.StepState.Halt;
import io.github.elbo4j.backend.StepState.Snapshot;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a caller can get wrong is refused in Java: the device never hears of it, and goes on. */
class CudaMisuseTest {
    private static final int SIZE = 64;

    private Backend backend;
    private Workspace work;
    private Tensor tensor;
    private final float[] numbers = new float[SIZE];

    /** Unpooled, where a stray access is a fault. */
    @BeforeEach
    void open() {
        EmulatedDevice.assumeEmulated();
        EmulatorControl.reset();
        CudaContext.forgetLost();
        System.setProperty("elbo4j.cuda.pool", "off");
        backend = Backends.open("cuda", Map.of("steps", "2"));
        work = backend.workspace("misuse", Long.MAX_VALUE);
        tensor = work.tensor("tensor", DType.F32, SIZE);
        for (int i = 0; i < SIZE; i++) {
            numbers[i] = i + 1;
        }
        tensor.uploadFloats(numbers);
    }

    @AfterEach
    void goesOn() {
        System.clearProperty("elbo4j.cuda.pool");
        if (backend == null) {
            return;
        }
        assertThat(tensor.downloadFloats()).as("untouched").isEqualTo(numbers);
        try (TinyTraining training = new TinyTraining(backend, 1)) {
            training.run(3);
            training.bits();
        }
        backend.close();
    }

    private void refused(Class<? extends Throwable> how, ThrowingCallable call) {
        DeviceLedger ledger = DeviceLedger.open();
        assertThatThrownBy(call).isInstanceOf(how);
        assertThat(ledger.calls()).as("calls of the driver for what is refused").isEmpty();
    }

    @Test
    void operandsOfAnotherBackend() {
        Tensor out = work.tensor("out", DType.F32, 1);
        try (Backend other = Backends.open("cuda");
                Workspace foreign = other.workspace("foreign")) {
            Tensor theirs = foreign.tensor("theirs", DType.F32, 1, SIZE);
            Tensor ours = work.tensor("ours", DType.F32, 1, SIZE);
            Tensor sums = foreign.tensor("sums", DType.F32, 1);
            StepState state = foreign.stepState(1, List.of("a"), 1, List.of("m"));
            Rows one = Rows.of(1);
            refused(IllegalArgumentException.class, () -> backend.loss().bernoulliForward(one, theirs, ours, out));
            refused(IllegalArgumentException.class, () -> backend.loss().bernoulliForward(one, ours, theirs, out));
            refused(IllegalArgumentException.class, () -> backend.loss().bernoulliForward(one, ours, ours, sums));
            refused(IllegalArgumentException.class, () -> backend.loss().accumulate(one, state, "m", out));
            refused(IllegalArgumentException.class, () -> backend.optimizer().advance(state));
            refused(IllegalArgumentException.class, () -> work.record(state, one, step -> {}));
        }
    }

    @Test
    void whatIsClosed() {
        Backend other = Backends.open("cuda");
        TinyTraining training = new TinyTraining(other, 1);
        training.schedule(2);
        Tensor values = training.vae().parameters().values();
        other.close();
        List<ThrowingCallable> calls = List.of(
                () -> training.replay().run(1),
                () -> training.replay().runRows(1),
                () -> training.state().read(),
                () -> training.state().schedule(0, new double[4]),
                () -> training.work().tensor("late", DType.F32, 1),
                () -> values.upload(MemorySegment.ofArray(numbers), 0),
                () -> values.download(MemorySegment.ofArray(new float[1]), 0),
                () -> other.workspace("late"),
                () -> other.optimizer().advance(training.state()));
        for (ThrowingCallable call : calls) {
            refused(RuntimeException.class, call);
        }
        DeviceLedger ledger = DeviceLedger.open();
        training.replay().await();
        training.replay().close();
        training.close();
        other.close();
        assertThat(ledger.calls()).isEmpty();
        Tensor gone = work.tensor("gone", DType.F32, 1, SIZE);
        Tensor sums = work.tensor("sums", DType.F32, 1);
        gone.close();
        refused(IllegalStateException.class, () -> backend.loss().bernoulliForward(Rows.of(1), gone, gone, sums));
    }

    @Test
    void aClosedReplayOfAnOpenWorkspace() {
        try (TinyTraining training = new TinyTraining(backend, 1)) {
            training.schedule(2);
            training.replay().close();
            refused(IllegalStateException.class, () -> training.replay().run(1));
            DeviceLedger ledger = DeviceLedger.open();
            training.replay().await();
            training.replay().close();
            assertThat(ledger.calls()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1L << 31, 1L << 40, 1L << 59, (1L << 60) - 1, 1L << 61, Long.MAX_VALUE})
    void hugeShapes(long extent) {
        long used = work.bytesInUse();
        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> work.tensor("row", DType.F32, 1, extent),
                () -> work.tensor("column", DType.F32, extent, 1),
                () -> work.tensor("bytes", DType.U8, extent, 1),
                () -> work.parameters(List.of(Parameters.Spec.trained("w", "all", 1, extent)), 2))) {
            assertThatThrownBy(call).isInstanceOf(BackendMemoryException.class);
        }
        assertThat(work.bytesInUse()).isEqualTo(used);
    }

    @Test
    void recordingsOfTooManyRows() {
        assertThatThrownBy(() -> Rows.of(1L << 33)).isInstanceOf(IllegalArgumentException.class);
        StepState state = work.stepState(1, List.of(), 0, List.of());
        assertThatThrownBy(
                        () -> work.record(state, Rows.of(1L << 32), step -> step.scratch("x", step.rows(), 1L << 20)))
                .isInstanceOf(BackendMemoryException.class);
        assertThatThrownBy(
                        () -> work.record(state, Rows.of(1L << 32), step -> step.scratch("x", step.rows(), 1L << 60)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void segmentsThatCannotBeRead() throws Exception {
        MemorySegment closed;
        try (Arena arena = Arena.ofConfined()) {
            closed = arena.allocate(4 * SIZE);
        }
        MemorySegment shut;
        try (Arena arena = Arena.ofShared()) {
            shut = arena.allocate(4 * SIZE);
        }
        for (MemorySegment gone : List.of(closed, shut)) {
            assertThatThrownBy(() -> tensor.upload(gone, 0)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> tensor.download(gone, 0)).isInstanceOf(IllegalStateException.class);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mine = arena.allocate(4 * SIZE);
            CompletableFuture.runAsync(() -> {
                        assertThatThrownBy(() -> tensor.upload(mine, 0)).isInstanceOf(WrongThreadException.class);
                        assertThatThrownBy(() -> tensor.download(mine, 0)).isInstanceOf(WrongThreadException.class);
                    })
                    .get();
            refused(IllegalArgumentException.class, () -> tensor.download(mine.asReadOnly(), 0));
            MemorySegment copy = arena.allocateFrom(ValueLayout.JAVA_FLOAT, numbers);
            tensor.upload(copy.asReadOnly(), 0);
        }
    }

    @Test
    void rangesThatDoNotFit() {
        MemorySegment one = MemorySegment.ofArray(new float[1]);
        MemorySegment none = MemorySegment.ofArray(new float[0]);
        for (long offset : new long[] {-1, SIZE, SIZE + 1L, 1L << 62, Long.MAX_VALUE, Long.MIN_VALUE}) {
            refused(IllegalArgumentException.class, () -> tensor.upload(one, offset));
            refused(IllegalArgumentException.class, () -> tensor.download(one, offset));
            if (offset != SIZE) {
                refused(IllegalArgumentException.class, () -> tensor.upload(none, offset));
            }
        }
        refused(IllegalArgumentException.class, () -> tensor.upload(MemorySegment.ofArray(new byte[3]), 0));
        refused(IllegalArgumentException.class, () -> tensor.upload(MemorySegment.ofArray(new float[SIZE + 1]), 0));
        tensor.upload(none, 0);
        tensor.upload(none, SIZE);
        tensor.download(none, SIZE);
    }

    /** At any alignment, on and off the heap, with numbers at every place of the pinned buffers' borders. */
    @Test
    void oddSegmentsArriveWhole() {
        int bytes = Math.toIntExact(2 * CudaStaging.BUFFER + 5);
        byte[] pattern = new byte[bytes + 3];
        for (int i = 0; i < pattern.length; i++) {
            pattern[i] = (byte) (i * 31 + (i >> 12));
        }
        try (Tensor raw = work.tensor("raw", DType.U8, bytes);
                Arena arena = Arena.ofConfined()) {
            raw.upload(MemorySegment.ofArray(pattern).asSlice(3), 0);
            MemorySegment back = arena.allocate(bytes + 1L).asSlice(1);
            raw.download(back, 0);
            assertThat(MemorySegment.ofArray(pattern).asSlice(3).mismatch(back)).isEqualTo(-1);
        }
    }

    @Test
    void schedulesAtTheirLimits() {
        assertThatThrownBy(() -> work.stepState(1, List.of("a", "b", "c", "d"), Integer.MAX_VALUE, List.of()))
                .isInstanceOf(BackendMemoryException.class);
        Tensor sums = work.tensor("sums", DType.F32, 1);
        Tensor zeros = work.tensor("zeros", DType.F32, 1, 4);
        Tensor gradient = work.tensor("gradient", DType.F32, 1, 4);
        StepState state = work.stepState(1, List.of("a", "b"), 3, List.of());
        try (Replay replay = work.record(state, Rows.of(1), step -> {
            step.loss()
                    .bernoulliForwardBackward(
                            step.rows(),
                            zeros,
                            zeros,
                            state.slot("b"),
                            io.github.elbo4j.backend.LatentKernels.Reduction.SUM,
                            sums,
                            gradient);
            step.optimizer().advance(state);
        })) {
            refused(IllegalArgumentException.class, () -> state.schedule(0, new double[8]));
            refused(IllegalArgumentException.class, () -> state.schedule(0, new double[3]));
            refused(IllegalArgumentException.class, () -> state.schedule(-1, new double[2]));
            assertThatThrownBy(() -> replay.run(1)).isInstanceOf(IllegalStateException.class);
            state.schedule(0, new double[] {0, 1, 0, 2, 0, 4});
            assertThatThrownBy(() -> replay.run(4)).isInstanceOf(IllegalStateException.class);
            replay.run(3);
            assertThat(gradient.downloadFloats()[3]).as("the last row").isEqualTo(2);
            assertThatThrownBy(() -> replay.run(1)).isInstanceOf(IllegalStateException.class);
            for (long first : new long[] {Long.MAX_VALUE, Long.MAX_VALUE - 1, 4}) {
                state.schedule(first, new double[] {0, 8, 0, 8, 0, 8});
                assertThatThrownBy(() -> replay.run(1)).isInstanceOf(IllegalStateException.class);
            }
            state.schedule(3, new double[0]);
            assertThatThrownBy(() -> replay.run(1)).isInstanceOf(IllegalStateException.class);
            state.schedule(1, new double[] {0, 8, 0, 16, 0, 32});
            replay.run(1);
            assertThat(gradient.downloadFloats()[3]).isEqualTo(16);
        }
    }

    @Test
    void aSlotThatTheScheduleDoesNotHave() {
        StepState state = work.stepState(1, List.of("a"), 1, List.of());
        Parameters parameters = work.parameters(List.of(Parameters.Spec.trained("w", "all", 2, 2)), 2);
        for (int index : new int[] {-1, 1, 1 << 20, Integer.MIN_VALUE}) {
            refused(
                    IllegalArgumentException.class,
                    () -> backend.optimizer().sgd(parameters, "all", state, new Scalar.Slot(state, index, "a")));
        }
    }

    @Test
    void haltsOfUnknownNames() {
        StepState state = work.stepState(1, List.of(), 0, List.of("m"));
        for (String name : List.of("never seen", "", "näme", "never seen")) {
            Snapshot halted = new Snapshot(5, 1, 2, 3, Map.of("m", 0.5), new Halt(4, name, 7, 1));
            state.restore(halted);
            assertThat(state.read()).isEqualTo(halted);
        }
        Snapshot sound = new Snapshot(Long.MAX_VALUE, 0, 0, 0, Map.of("m", Double.NaN), null);
        state.restore(sound);
        assertThat(state.read()).isEqualTo(sound);
        refused(
                IllegalArgumentException.class,
                () -> state.restore(new Snapshot(0, 0, 0, 0, Map.of("other", 0.0), null)));
    }

    /** Row numbers are data: any of them may come from a file. */
    @Test
    void rowNumbersOutsideTheData() {
        long[] ids = {0, -1, 3, 4, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 32, 1};
        Tensor rowIds = work.tensor("ids", DType.I64, ids.length);
        rowIds.upload(MemorySegment.ofArray(ids), 0);
        StepState state = work.stepState(1, List.of(), 0, List.of());
        Tensor data = work.tensor("data", DType.F32, 3, 5);
        float[] values = new float[15];
        for (int i = 0; i < values.length; i++) {
            values[i] = i + 1;
        }
        data.uploadFloats(values);
        Tensor out = work.tensor("out", DType.F32, ids.length, 5);
        backend.data().gather(Rows.of(ids.length), rowIds, data, Pixels.AS_IS, Noise.off(), state, out);
        float[] expected = new float[ids.length * 5];
        System.arraycopy(values, 0, expected, 0, 5);
        System.arraycopy(values, 5, expected, 35, 5);
        assertThat(out.downloadFloats()).isEqualTo(expected);
        Replay replay = work.record(state, Rows.of(ids.length), step -> {
            var chosen = step.scratch("chosen", DType.I64, step.rows());
            step.data().selectRows(step.rows(), state, new Order(Long.MAX_VALUE - 4, 3, true), chosen);
            step.data().gather(step.rows(), chosen, data, Pixels.AS_IS, Noise.off(), state, out);
            step.optimizer().advance(state);
        });
        replay.run(5);
        replay.await();
        assertThat(Arrays.copyOf(out.downloadFloats(), 15)).containsOnly(0);
        replay.close();
    }

    /** Views and shapes that do not belong together, with every extent at an edge. */
    @Test
    void operandsOfTheWrongShape() {
        Tensor x = work.tensor("x", DType.F32, 2, 3);
        Tensor w = work.tensor("w", DType.F32, 4, 3);
        Tensor b = work.tensor("b", DType.F32, 4);
        Tensor y = work.tensor("y", DType.F32, 2, 4);
        Tensor ids = work.tensor("ids", DType.I64, 2);
        Rows two = Rows.of(2);
        refused(
                IllegalArgumentException.class,
                () -> backend.linear().linearForward(Rows.of(3), x, w, b, Activation.IDENTITY, y, null));
        refused(
                IllegalArgumentException.class,
                () -> backend.linear().linearForward(two, x, w, y, Activation.IDENTITY, b, null));
        refused(
                IllegalArgumentException.class,
                () -> backend.linear().linearForward(two.folded(2), x, w, b, Activation.IDENTITY, y, null));
        refused(
                IllegalArgumentException.class,
                () -> backend.linear().linearBackwardWeights(two, x, y, x, b, Write.OVERWRITE));
        refused(
                IllegalArgumentException.class,
                () -> backend.linear().linearForward(two, ids, w, b, Activation.IDENTITY, y, null));
        refused(IllegalArgumentException.class, () -> x.view("beyond", 0, 3, 3));
        refused(IllegalArgumentException.class, () -> x.view("beyond", Long.MAX_VALUE, 1));
        refused(IllegalArgumentException.class, () -> x.view("beyond", -16, 1));
    }

    /** Parameters are an interface: a wrapper may say anything. */
    @Test
    void parametersThatLie() {
        Parameters honest = work.parameters(List.of(Parameters.Spec.trained("w", "all", 2, 2)), 2);
        StepState state = work.stepState(1, List.of(), 0, List.of());
        for (Map<String, Long> lie : List.of(
                Map.of("groupSize", 1L << 20),
                Map.of("groupSize", 5L),
                Map.of("groupSize", Long.MAX_VALUE),
                Map.of("groupSize", -1L),
                Map.of("groupSize", 0L),
                Map.of("groupOffset", 1L),
                Map.of("groupOffset", -1L),
                Map.of("groupOffset", Long.MAX_VALUE))) {
            Parameters lying = (Parameters) Proxy.newProxyInstance(
                    Parameters.class.getClassLoader(),
                    new Class<?>[] {Parameters.class},
                    (proxy, method, arguments) -> {
                        Long said = lie.get(method.getName());
                        return said != null ? said : method.invoke(honest, arguments);
                    });
            refused(IllegalArgumentException.class, () -> backend.optimizer().sgd(lying, "all", state, Scalar.of(0)));
            refused(
                    IllegalArgumentException.class,
                    () -> backend.optimizer()
                            .adam(lying, "all", state, Scalar.of(0), Scalar.of(1), Scalar.of(1), 0.9, 0.9, 1));
        }
    }
}
