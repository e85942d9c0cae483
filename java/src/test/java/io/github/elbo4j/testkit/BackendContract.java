package io.github.elbo4j.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.BackendMemoryException;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Clamp;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Recording;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scratch;
import io.github.elbo4j.backend.Staging;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.View;
import io.github.elbo4j.backend.Workspace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What holds of workspaces, tensors, views, recordings and threads on every backend: one subclass for each. */
public abstract class BackendContract {
    private static final Rows ROWS = Rows.of(4);

    private @Nullable Backend opened;

    /** For subclasses. */
    protected BackendContract() {}

    /** {@return a new instance of the backend under test} */
    protected abstract Backend open();

    @BeforeEach
    final void openOne() {
        opened = open();
    }

    @AfterEach
    final void closeOne() {
        backend().close();
    }

    private Backend backend() {
        if (opened == null) {
            throw new IllegalStateException("not opened");
        }
        return opened;
    }

    private static void illegalState(ThrowingCallable call, String... words) {
        refused(IllegalStateException.class, call, words);
    }

    private static void illegalArgument(ThrowingCallable call, String... words) {
        refused(IllegalArgumentException.class, call, words);
    }

    private static void refused(Class<? extends RuntimeException> how, ThrowingCallable call, String... words) {
        var refusal = assertThatThrownBy(call).isInstanceOf(how);
        for (String word : words) {
            refusal.hasMessageContaining(word);
        }
    }

    private static StepState plainState(Workspace work) {
        return work.stepState(11, List.of(), 0, List.of("m"));
    }

    /** A step of one gather-free kernel: y = x w^T + b. */
    private Consumer<Recording> layer(Tensor x, Tensor w, Tensor b, Tensor y) {
        return step -> step.linear().linearForward(ROWS, x, w, b, Activation.IDENTITY, y, null);
    }

    private Tensor real(Workspace work, String name, long... shape) {
        return work.tensor(name, backend().real(), shape);
    }

    @Test
    final void tensorsAreZeroAndCountedExactly() {
        long bytes = backend().real().bytes();
        try (Workspace work = backend().workspace("w")) {
            assertThat(work.name()).isEqualTo("w");
            assertThat(work.backend()).isSameAs(backend());
            assertThat(work.bytesInUse()).isZero();
            Tensor tensor = real(work, "t", 3, 5);
            assertThat(tensor.downloadDoubles()).containsOnly(0).hasSize(15);
            assertThat(tensor.shape()).containsExactly(3, 5);
            assertThat(tensor.rows()).isEqualTo(3);
            assertThat(tensor.columns()).isEqualTo(5);
            Tensor pixels = work.tensor("u", DType.U8, 7);
            work.tensor("l", DType.I64, 2);
            assertThat(work.bytesInUse()).isEqualTo(15 * bytes + 7 + 16);
            assertThat(backend().info().bytesInUse()).isEqualTo(work.bytesInUse());
            try (Workspace second = backend().workspace("v")) {
                real(second, "t", 4);
                assertThat(second.bytesInUse()).isEqualTo(4 * bytes);
                assertThat(backend().info().bytesInUse()).isEqualTo(19 * bytes + 23);
            }
            pixels.close();
            pixels.close();
            assertThat(pixels.isOpen()).isFalse();
            assertThat(backend().info().bytesInUse()).isEqualTo(15 * bytes + 16);
            assertThat(backend().info().bytesPeak()).isGreaterThanOrEqualTo(19 * bytes + 23);
        }
        assertThat(backend().info().bytesInUse()).isZero();
    }

    @Test
    final void aStepTakesWhatTheHostStagedAndLeavesItsResultThere() {
        DType real = backend().real();
        try (Workspace work = backend().workspace("w")) {
            Staging in = work.staging("in", DType.U8, 4, 3);
            Staging out = work.staging("out", real, 4, 3);
            assertThat(work.bytesInUse()).isEqualTo(12 + 12L * real.bytes());
            assertThat(in.host().byteSize()).isEqualTo(12);
            assertThat(in.host().mismatch(MemorySegment.ofArray(new byte[12]))).isEqualTo(-1);
            StepState state = plainState(work);
            try (Replay replay = work.record(state, ROWS, step -> {
                Scratch x = step.scratch("x", step.rows(), 3);
                step.data().load(step.rows(), in, Pixels.UNIT, x);
                step.data().store(step.rows(), x, out);
            })) {
                for (int round = 1; round <= 3; round++) {
                    byte[] pixels = new byte[12];
                    Arrays.fill(pixels, (byte) (51 * round));
                    MemorySegment.copy(pixels, 0, in.host(), ValueLayout.JAVA_BYTE, 0, 12);
                    double[] expected = new double[12];
                    Arrays.fill(expected, -round);
                    // What is not active stays as the host left it.
                    out.uploadDoubles(expected);
                    Arrays.fill(expected, 0, 3 * round, real == DType.F32 ? 51f * round / 255 : 51.0 * round / 255);
                    replay.runRows(round);
                    replay.await();
                    double[] found = new double[12];
                    for (int i = 0; i < 12; i++) {
                        found[i] = real == DType.F32
                                ? out.host().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i)
                                : out.host().getAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, i);
                    }
                    assertThat(found).containsExactly(expected);
                    assertThat(out.downloadDoubles()).containsExactly(expected);
                }
                illegalState(in::close, "in", "replay");
            }
            // At once as well, and as any tensor.
            Tensor copy = work.tensor("copy", real, 4, 3);
            in.upload(MemorySegment.ofArray(new byte[] {7, 8}), 1);
            backend().data().load(ROWS, in, Pixels.AS_IS, copy);
            assertThat(Arrays.copyOf(copy.downloadDoubles(), 4)).containsExactly(153, 7, 8, 153);
            MemorySegment memory = out.host();
            out.close();
            illegalState(() -> backend().data().store(ROWS, copy, out), "out", "closed");
            try {
                memory.get(ValueLayout.JAVA_BYTE, 0);
            } catch (IllegalStateException e) {
                assertThat(e).hasMessageContaining("closed");
            }
            illegalArgument(() -> work.staging("none", real, 0), "none", "shape");
            assertThatThrownBy(() -> work.staging("huge", real, 1L << 50)).isInstanceOf(BackendMemoryException.class);
            work.record(state, ROWS, step -> illegalState(() -> work.staging("late", real, 1), "late", "record"))
                    .close();
        }
        assertThat(backend().info().bytesInUse()).isZero();
    }

    @Test
    final void transfersReachExactlyTheirRange() {
        try (Workspace work = backend().workspace("w");
                Arena arena = Arena.ofConfined()) {
            Tensor tensor = work.tensor("t", DType.U8, 10);
            tensor.upload(MemorySegment.ofArray(new byte[] {1, 2, 3}), 7);
            MemorySegment off = arena.allocate(4, 1).copyFrom(MemorySegment.ofArray(new byte[] {9, 8, 7, 6}));
            tensor.upload(off.asSlice(1, 2), 0);
            byte[] all = new byte[10];
            tensor.download(MemorySegment.ofArray(all), 0);
            assertThat(all).containsExactly(8, 7, 0, 0, 0, 0, 0, 1, 2, 3);
            MemorySegment part = arena.allocate(3, 1);
            tensor.download(part.asSlice(1), 8);
            assertThat(part.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE)).containsExactly(0, 2, 3);
            tensor.upload(MemorySegment.ofArray(new byte[0]), 10);

            illegalArgument(() -> tensor.upload(MemorySegment.ofArray(new byte[4]), 7), "'t'", "10");
            illegalArgument(() -> tensor.upload(MemorySegment.ofArray(new byte[1]), -1), "'t'");
            illegalArgument(() -> tensor.upload(MemorySegment.ofArray(new byte[1]), Long.MAX_VALUE), "'t'");
            illegalArgument(() -> tensor.download(MemorySegment.ofArray(new byte[11]), 0), "'t'", "11");
            illegalArgument(
                    () -> tensor.download(MemorySegment.ofArray(new byte[1]).asReadOnly(), 0), "'t'", "read-only");
            Tensor longs = work.tensor("l", DType.I64, 2);
            illegalArgument(() -> longs.upload(MemorySegment.ofArray(new byte[12]), 0), "'l'", "12");
            illegalArgument(() -> longs.uploadDoubles(1, 2), "'l'");
            illegalArgument(() -> real(work, "r", 3).uploadDoubles(1, 2), "'r'", "2", "3");
        }
    }

    @Test
    final void numbersSurviveTheTrip() {
        try (Workspace work = backend().workspace("w")) {
            Tensor tensor = real(work, "t", 6);
            float[] values = {1.5f, -0f, Float.NaN, Float.POSITIVE_INFINITY, Float.MIN_VALUE, -Float.MAX_VALUE};
            tensor.uploadFloats(values);
            assertThat(tensor.downloadFloats()).containsExactly(values);
            tensor.uploadDoubles(0.1, 1, 2, 3, 4, 5);
            double tenth = backend().real() == DType.F32 ? 0.1f : 0.1;
            assertThat(tensor.downloadDoubles()).containsExactly(tenth, 1, 2, 3, 4, 5);
        }
    }

    @Test
    final void viewsAreAlignedWindows() {
        long aligned = Tensor.VIEW_ALIGNMENT / backend().real().bytes();
        try (Workspace work = backend().workspace("w")) {
            Tensor tensor = real(work, "t", 4 * aligned);
            View view = tensor.view("v", aligned, 2, aligned);
            assertThat(view.tensor()).isSameAs(tensor);
            assertThat(view.offset()).isEqualTo(aligned);
            assertThat(view.shape()).containsExactly(2, aligned);
            assertThat(view.type()).isEqualTo(backend().real());
            assertThat(view.backend()).isSameAs(backend());
            assertThatCode(() -> tensor.view("last", 3 * aligned, aligned)).doesNotThrowAnyException();
            illegalArgument(() -> tensor.view("odd", 1, 1), "'odd'", "'t'", "64");
            illegalArgument(() -> tensor.view("long", 3 * aligned, aligned + 1), "'long'", "'t'");
            illegalArgument(() -> tensor.view("early", -aligned, 1), "'early'");
            illegalArgument(() -> tensor.view("empty", 0, 0), "'empty'");
            illegalArgument(() -> tensor.view("vast", 0, Long.MAX_VALUE, 3), "'vast'");
            tensor.close();
            assertThat(view.isOpen()).isFalse();
        }
    }

    @Test
    final void impossibleShapesAreRefused() {
        try (Workspace work = backend().workspace("w")) {
            illegalArgument(() -> real(work, "t", 0), "'t'");
            illegalArgument(() -> real(work, "t", 3, -1), "'t'");
            illegalArgument(() -> real(work, "t", Long.MAX_VALUE, 2), "'t'");
            assertThat(work.bytesInUse()).isZero();
        }
        illegalArgument(() -> backend().workspace("w", -1), "'w'");
    }

    @Test
    final void anExceededBudgetLeavesEverythingUsable() {
        try (Workspace work = backend().workspace("w", 100L * backend().real().bytes())) {
            Tensor kept = real(work, "kept", 60);
            kept.uploadDoubles(new double[60]);
            long before = work.bytesInUse();
            assertThatThrownBy(() -> real(work, "big", 41))
                    .isInstanceOf(BackendMemoryException.class)
                    .hasMessageContainingAll("'big'", "'w'");
            assertThatThrownBy(() -> real(work, "vast", Long.MAX_VALUE / 2)).isInstanceOf(BackendMemoryException.class);
            List<Parameters.Spec> specs = List.of(Parameters.Spec.trained("p", "g", 15));
            assertThatThrownBy(() -> work.parameters(specs, 4)).isInstanceOf(BackendMemoryException.class);
            StepState state = plainState(work);
            assertThatThrownBy(() -> work.record(state, ROWS, step -> step.scratch("s", ROWS, 11)))
                    .isInstanceOf(BackendMemoryException.class);
            assertThat(work.bytesInUse()).isEqualTo(before);
            assertThat(backend().info().bytesInUse()).isEqualTo(before);
            assertThatCode(() -> real(work, "fits", 40)).doesNotThrowAnyException();
            assertThat(kept.downloadDoubles()).hasSize(60);
        }
    }

    @Test
    final void aRecordingRunsNothingAndAllowsNoTransfer() {
        try (Workspace work = backend().workspace("w")) {
            Tensor x = real(work, "x", 4, 2);
            Tensor w = real(work, "wt", 1, 2);
            Tensor b = real(work, "b", 1);
            Tensor y = real(work, "y", 4, 1);
            b.uploadDoubles(3);
            StepState state = plainState(work);
            try (Replay replay = work.record(state, ROWS, step -> {
                layer(x, w, b, y).accept(step);
                assertThat(step.rows()).isEqualTo(ROWS);
                illegalState(() -> real(work, "t", 1), "record");
                illegalState(() -> x.uploadDoubles(new double[8]), "record");
                illegalState(y::downloadDoubles, "record");
                illegalState(() -> work.record(state, ROWS, nested -> {}), "record");
                illegalState(state::read, "record");
                illegalState(state::resetMetrics, "record");
                illegalState(work::close, "record");
                illegalState(x::close);
                illegalState(() -> work.parameters(List.of(Parameters.Spec.trained("p", "g", 1)), 0), "record");
            })) {
                assertThat(y.downloadDoubles()).containsOnly(0);
                replay.run(0);
                replay.await();
                assertThat(y.downloadDoubles()).containsOnly(0);
                replay.run(2);
                replay.await();
                assertThat(y.downloadDoubles()).containsOnly(3);
                assertThat(x.isOpen()).as("a refused close changes nothing").isTrue();
                illegalArgument(() -> replay.run(-1), "-1");
                illegalArgument(() -> replay.runRows(0), "0", "4");
                illegalArgument(() -> replay.runRows(5), "5", "4");
            }
        }
    }

    @Test
    final void explainListsTheCalls() {
        try (Workspace work = backend().workspace("w")) {
            Tensor x = real(work, "x", 4, 2);
            Tensor w = real(work, "wt", 1, 2);
            Tensor b = real(work, "b", 1);
            Tensor y = real(work, "y", 4, 1);
            Tensor ll = real(work, "ll", 4);
            try (Replay replay = work.record(plainState(work), ROWS, step -> {
                layer(x, w, b, y).accept(step);
                step.loss().bernoulliForward(ROWS, y, y, ll);
            })) {
                assertThat(replay.explain().lines().toList()).hasSizeGreaterThanOrEqualTo(2);
                assertThat(replay.explain())
                        .containsSubsequence("linearForward", "identity", "wt", "bernoulliForward", "ll");
            }
        }
    }

    @Test
    final void anIntermediateBelongsToItsRecording() {
        try (Workspace work = backend().workspace("w")) {
            Tensor x = real(work, "x", 4, 2);
            Tensor kl = real(work, "kl", 4);
            StepState state = plainState(work);
            List<Scratch> leaked = new ArrayList<>();
            long before = work.bytesInUse();
            try (Replay replay = work.record(state, ROWS, step -> {
                Scratch heads = step.scratch("heads", ROWS, 2);
                leaked.add(heads);
                assertThat(heads.shape()).containsExactly(4, 2);
                assertThat(step.scratch("ids", DType.I64, ROWS.folded(3)).shape())
                        .containsExactly(12);
                illegalState(() -> backend().latent().gaussianKlForward(ROWS, heads, Clamp.DEFAULT, kl));
                illegalArgument(() -> step.scratch("other", Rows.of(5), 1), "'other'", "5", "4");
                step.latent().gaussianKlForward(ROWS, x, Clamp.DEFAULT, kl);
            })) {
                illegalState(
                        () -> work.record(
                                state,
                                ROWS,
                                step -> step.latent().gaussianKlForward(ROWS, leaked.getFirst(), Clamp.DEFAULT, kl)),
                        "heads",
                        "closed");
                replay.run(1);
            }
            assertThat(work.bytesInUse()).as("scratch goes with its replay").isEqualTo(before);
        }
    }

    @Test
    final void aRecordingIsUsedOnlyWhileItIsMadeAndByItsThread() {
        try (Workspace work = backend().workspace("w")) {
            List<Recording> leaked = new ArrayList<>();
            Tensor x = real(work, "x", 4, 2);
            Tensor w = real(work, "wt", 1, 2);
            Tensor b = real(work, "b", 1);
            Tensor y = real(work, "y", 4, 1);
            try (Replay replay = work.record(plainState(work), ROWS, step -> {
                leaked.add(step);
                CompletableFuture<Throwable> elsewhere = new CompletableFuture<>();
                Thread thread = Thread.ofPlatform()
                        .start(() -> elsewhere.complete(org.assertj.core.api.Assertions.catchThrowable(
                                () -> layer(x, w, b, y).accept(step))));
                assertThat(elsewhere.join()).isInstanceOf(IllegalStateException.class);
                assertThatCode(thread::join).doesNotThrowAnyException();
                layer(x, w, b, y).accept(step);
            })) {
                replay.run(1);
            }
            illegalState(() -> layer(x, w, b, y).accept(leaked.getFirst()));
            illegalState(() -> leaked.getFirst().scratch("late", ROWS, 1), "'late'");
        }
    }

    @Test
    final void recordingsRefuseRowsThatAreNotTheirs() {
        try (Workspace work = backend().workspace("w");
                Workspace other = backend().workspace("o")) {
            StepState state = plainState(work);
            Tensor five = real(work, "five", 5, 2);
            Tensor kl = real(work, "kl", 5);
            illegalArgument(
                    () -> work.record(
                            state, ROWS, step -> step.latent().gaussianKlForward(Rows.of(5), five, Clamp.DEFAULT, kl)),
                    "5",
                    "4");
            illegalArgument(() -> work.record(state, ROWS.folded(2), step -> {}), "folded");
            illegalArgument(() -> other.record(state, ROWS, step -> {}), "'o'");
        }
    }

    @Test
    final void anExceptionInsideARecordingLeavesNothingBehind() {
        try (Workspace work = backend().workspace("w")) {
            StepState state = plainState(work);
            Tensor x = real(work, "x", 4, 2);
            Tensor kl = real(work, "kl", 4);
            long before = work.bytesInUse();
            IllegalStateException mine = new IllegalStateException("mine");
            assertThatThrownBy(() -> work.record(state, ROWS, step -> {
                        step.scratch("s", ROWS, 100);
                        step.latent().gaussianKlForward(ROWS, x, Clamp.DEFAULT, kl);
                        throw mine;
                    }))
                    .isSameAs(mine);
            AssertionError error = new AssertionError("error");
            assertThatThrownBy(() -> work.record(state, ROWS, step -> {
                        step.latent().gaussianKlForward(ROWS, x, Clamp.DEFAULT, kl);
                        throw error;
                    }))
                    .isSameAs(error);
            assertThat(work.bytesInUse()).isEqualTo(before);
            assertThatCode(x::close).as("nothing pins it").doesNotThrowAnyException();
            assertThatCode(() -> work.record(state, ROWS, step -> {}).close()).doesNotThrowAnyException();
        }
    }

    @Test
    final void anOpenReplayKeepsItsTensors() {
        try (Workspace work = backend().workspace("w")) {
            Tensor x = real(work, "x", 64);
            View view = x.view("v", 0, 4, 2);
            Tensor kl = real(work, "kl", 4);
            Replay replay = work.record(
                    plainState(work), ROWS, step -> step.latent().gaussianKlForward(ROWS, view, Clamp.DEFAULT, kl));
            illegalState(x::close, "'x'", "replay");
            illegalState(kl::close, "'kl'", "replay");
            assertThat(x.isOpen()).isTrue();
            replay.close();
            replay.close();
            illegalState(() -> replay.run(1), "closed");
            illegalState(() -> replay.runRows(1), "closed");
            x.close();
            kl.close();
            assertThat(work.bytesInUse()).isZero();
        }
    }

    @Test
    final void closingIsIdempotentAndFinal() {
        Workspace work = backend().workspace("w");
        Tensor tensor = real(work, "t", 4, 2);
        Tensor kl = real(work, "kl", 4);
        StepState state = plainState(work);
        Parameters parameters = work.parameters(List.of(Parameters.Spec.trained("p", "g", 3)), 1);
        illegalState(() -> parameters.values().close(), "parameters");
        Replay replay =
                work.record(state, ROWS, step -> step.latent().gaussianKlForward(ROWS, tensor, Clamp.DEFAULT, kl));
        work.close();
        work.close();
        assertThat(tensor.isOpen()).isFalse();
        assertThat(parameters.value("p").isOpen()).isFalse();
        illegalState(() -> tensor.upload(MemorySegment.ofArray(new byte[0]), 0), "'t'", "closed");
        illegalState(tensor::downloadDoubles, "'t'", "closed");
        illegalState(() -> real(work, "late", 1), "'late'", "'w'", "closed");
        illegalState(() -> plainState(work), "'w'", "closed");
        illegalState(() -> work.record(state, ROWS, step -> {}), "closed");
        illegalState(() -> replay.run(1), "closed");
        illegalState(state::read, "closed");
        replay.close();
        tensor.close();

        Workspace open = backend().workspace("open");
        Tensor left = real(open, "left", 1);
        backend().close();
        backend().close();
        assertThat(left.isOpen()).isFalse();
        illegalState(() -> backend().workspace("after"), "closed");
        illegalState(() -> real(open, "after", 1), "closed");
    }

    @Test
    final void twoThreadsInOneWorkspaceAreFoundOut() throws InterruptedException {
        try (Workspace work = backend().workspace("shared")) {
            Tensor tensor = real(work, "t", 1);
            whileHeld(work, () -> {
                illegalState(() -> tensor.uploadDoubles(1), "'shared'", "holder");
                illegalState(tensor::downloadDoubles, "'shared'", "holder");
                illegalState(() -> real(work, "u", 1), "'shared'", "holder");
                illegalState(work::close, "'shared'", "holder");
                try (Workspace free = backend().workspace("free")) {
                    assertThatCode(() -> real(free, "f", 1).uploadDoubles(1)).doesNotThrowAnyException();
                }
            });
            assertThatCode(() -> tensor.uploadDoubles(1))
                    .as("hand-over is allowed")
                    .doesNotThrowAnyException();
        }
    }

    @Test
    final void aRunHoldsTheWorkspacesThatItWritesTo() throws InterruptedException {
        try (Workspace model = backend().workspace("model");
                Workspace run = backend().workspace("run")) {
            Tensor x = real(run, "x", 4, 2);
            Tensor kl = real(model, "kl", 4);
            try (Replay replay = run.record(
                    plainState(run), ROWS, step -> step.latent().gaussianKlForward(ROWS, x, Clamp.DEFAULT, kl))) {
                whileHeld(model, () -> {
                    illegalState(() -> replay.run(1), "'model'", "holder");
                    illegalState(() -> replay.runRows(1), "'model'", "holder");
                });
                assertThatCode(() -> replay.run(1))
                        .as("nothing is held any more")
                        .doesNotThrowAnyException();
            }
        }
    }

    /** Runs the body while thread "holder" is inside the workspace: a recording stays there for as long as it likes. */
    private static void whileHeld(Workspace work, Runnable body) throws InterruptedException {
        StepState state = plainState(work);
        CountDownLatch inside = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(1);
        Thread holder = Thread.ofPlatform()
                .name("holder")
                .start(() -> work.record(state, ROWS, step -> {
                            inside.countDown();
                            try {
                                done.await();
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                        })
                        .close());
        inside.await();
        try {
            body.run();
        } finally {
            done.countDown();
            holder.join();
        }
    }

    @Test
    final void whatTwoThreadsCloseIsFreedOnce() {
        for (int i = 0; i < 200; i++) {
            Workspace work = backend().workspace("w");
            Tensor x = real(work, "x", 4, 2);
            Tensor kl = real(work, "kl", 4);
            Tensor pixels = work.tensor("u", DType.U8, 8);
            Replay replay = work.record(plainState(work), ROWS, step -> {
                step.scratch("s", ROWS, 3);
                step.latent().gaussianKlForward(ROWS, x, Clamp.DEFAULT, kl);
            });
            for (Runnable close : List.<Runnable>of(replay::close, pixels::close, x::close, work::close)) {
                CompletableFuture<Void> other = CompletableFuture.runAsync(() -> closeInTurn(close));
                closeInTurn(close);
                other.join();
            }
            assertThat(backend().info().bytesInUse()).isZero();
        }
    }

    /** Closes as often as it takes: while another thread is inside, it is refused. */
    private static void closeInTurn(Runnable close) {
        while (true) {
            try {
                close.run();
                return;
            } catch (IllegalStateException e) {
                assertThat(e).hasMessageContaining("in use");
                Thread.onSpinWait();
            }
        }
    }

    @Test
    final void workspacesRunInParallelWithTheSameBits() {
        List<CompletableFuture<double[]>> runs = new ArrayList<>();
        for (int thread = 0; thread < 4; thread++) {
            runs.add(CompletableFuture.supplyAsync(this::manySteps));
        }
        double[] alone = manySteps();
        runs.forEach(run -> assertThat(run.join()).containsExactly(alone));
    }

    private double[] manySteps() {
        try (Workspace work = backend().workspace("parallel")) {
            Tensor x = real(work, "x", 4, 64);
            Tensor w = real(work, "wt", 32, 64);
            Tensor b = real(work, "b", 32);
            Tensor y = real(work, "y", 4, 32);
            double[] values = new double[32 * 64];
            for (int i = 0; i < values.length; i++) {
                values[i] = Math.sin(i);
            }
            w.uploadDoubles(values);
            x.uploadDoubles(java.util.Arrays.copyOf(values, 256));
            try (Replay replay = work.record(plainState(work), ROWS, layer(x, w, b, y))) {
                replay.run(50);
                replay.await();
            }
            return y.downloadDoubles();
        }
    }

    @Test
    final void parametersAreAlignedNeighbours() {
        long aligned = Tensor.VIEW_ALIGNMENT / backend().real().bytes();
        try (Workspace work = backend().workspace("w")) {
            Parameters parameters = work.parameters(
                    List.of(
                            Parameters.Spec.trained("a", "g", 3, 2),
                            new Parameters.Spec("buffer", List.of(5L), "g", false),
                            Parameters.Spec.trained("c", "h", 1)),
                    2);
            assertThat(parameters.moments()).isEqualTo(2);
            for (String name : List.of("a", "buffer", "c")) {
                assertThat(parameters.value(name).offset() % aligned).isZero();
            }
            assertThat(parameters.value("a").shape()).containsExactly(3, 2);
            assertThat(parameters.gradient("a").tensor()).isSameAs(parameters.gradients());
            assertThat(parameters.groupOffset("g")).isZero();
            assertThat(parameters.groupSize("g"))
                    .isEqualTo(parameters.value("buffer").offset() + 5);
            assertThat(parameters.groupOffset("h"))
                    .isEqualTo(parameters.value("c").offset());
            assertThat(parameters.groupSize("h")).isEqualTo(1);
            assertThat(parameters.moment(1).size())
                    .isEqualTo(parameters.values().size());
            illegalArgument(() -> parameters.gradient("buffer"), "'buffer'", "trained");
            illegalArgument(() -> parameters.value("x"), "'x'", "buffer");
            illegalArgument(() -> parameters.groupSize("x"), "'x'", "g");
            illegalArgument(() -> parameters.moment(2), "2");
            long version = parameters.version();
            parameters
                    .values()
                    .uploadDoubles(new double[(int) parameters.values().size()]);
            assertThat(parameters.version()).isNotEqualTo(version);
            Parameters.Spec a = Parameters.Spec.trained("a", "g", 1);
            Parameters.Spec b = Parameters.Spec.trained("b", "h", 1);
            long before = work.bytesInUse();
            illegalArgument(() -> work.parameters(List.of(a, a), 0), "'a'");
            illegalArgument(() -> work.parameters(List.of(), 0), "0");
            illegalArgument(() -> work.parameters(List.of(a), 5), "5");
            illegalArgument(
                    () -> work.parameters(List.of(a, b, Parameters.Spec.trained("c", "g", 1)), 0), "'c'", "neighbours");
            assertThat(work.bytesInUse()).isEqualTo(before);
        }
    }
}
