package io.github.elbo4j.backend.cuda;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.StepState.Snapshot;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.model.VaeGraph;
import io.github.elbo4j.testkit.TrainingRig;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A small VAE in training: every kernel of a step, in a workspace of its own, with results to compare bit by bit. */
final class TinyTraining implements AutoCloseable {
    private static final ImageShape SHAPE = new ImageShape(3, 4, 1);
    private static final int DATA_ROWS = 13;
    // Neither divides the other, so that epochs end in a smaller batch.
    private static final int BATCH = 5;
    private static final int TABLE_STEPS = 64;

    private final List<AutoCloseable> parts = new ArrayList<>();
    private final Vae vae;
    private final Workspace work;
    private final StepState state;
    private final Replay replay;
    private long steps;

    /** Makes the model and records its step. */
    TinyTraining(Backend backend, long seed) {
        VaeConfig config = VaeConfig.builder()
                .input(SHAPE)
                .hidden(7, 5)
                .latent(3)
                .activation(Activation.TANH)
                .build();
        try {
            vae = part(Vae.create(backend, config, seed));
            work = part(backend.workspace("tiny training"));
            Tensor data = work.tensor("data", DType.U8, DATA_ROWS, SHAPE.size());
            byte[] pixels = new byte[DATA_ROWS * SHAPE.size()];
            new Random(seed).nextBytes(pixels);
            data.upload(MemorySegment.ofArray(pixels), 0);
            state = work.stepState(seed, TrainingRig.SLOTS, TABLE_STEPS, List.of(VaeGraph.LOG_LIKELIHOOD, VaeGraph.KL));
            replay = work.record(state, Rows.of(BATCH), step -> {
                TrainingRig.issue(step, vae, state, data);
                step.optimizer().sgd(vae.parameters(), VaeGraph.GROUP, state, Scalar.of(1e-4));
                step.optimizer().advance(state);
            });
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private <T extends AutoCloseable> T part(T made) {
        parts.add(made);
        return made;
    }

    Vae vae() {
        return vae;
    }

    Workspace work() {
        return work;
    }

    StepState state() {
        return state;
    }

    Replay replay() {
        return replay;
    }

    /** Enqueues steps. */
    void run(int times) {
        schedule(times);
        replay.run(times);
        steps += times;
    }

    /** Makes the schedule of the next steps known. */
    void schedule(int times) {
        double[] table = new double[times * 4];
        for (int i = 0; i < times; i++) {
            long t = steps + i + 1;
            table[4 * i] = 0.01 / t;
            table[4 * i + 1] = 1 - StrictMath.pow(TrainingRig.BETA_1, (double) t);
            table[4 * i + 2] = 1 - StrictMath.pow(TrainingRig.BETA_2, (double) t);
            table[4 * i + 3] = Math.min(1, t / 10.0);
        }
        state.schedule(steps, table);
    }

    /** {@return the bits of all weights, moments, counters and sums} */
    List<Long> bits() {
        List<Long> bits = new ArrayList<>();
        addAll(bits, vae.parameters().values());
        for (int i = 0; i < vae.parameters().moments(); i++) {
            addAll(bits, vae.parameters().moment(i));
        }
        Snapshot now = state.read();
        bits.addAll(List.of(now.step(), now.epoch(), now.position(), now.rows()));
        now.sums().values().forEach(sum -> bits.add(Double.doubleToRawLongBits(sum)));
        if (now.halt() != null) {
            throw new AssertionError("halted by " + now.halt());
        }
        return bits;
    }

    private static void addAll(List<Long> bits, Tensor tensor) {
        for (float value : tensor.downloadFloats()) {
            bits.add((long) Float.floatToRawIntBits(value));
        }
    }

    /** Closes the workspaces. */
    @Override
    public void close() {
        try {
            for (AutoCloseable part : parts.reversed()) {
                part.close();
            }
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
