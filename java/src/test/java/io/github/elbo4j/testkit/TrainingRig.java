package io.github.elbo4j.testkit;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels.Order;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Recording;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.model.VaeGraph;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;

/** A small VAE with a recorded training step, the same on every backend: drawn pixels, Adam, a last batch that is short. */
public final class TrainingRig implements AutoCloseable {
    /** Steps that the schedule covers. */
    public static final int STEPS = 20;
    /** Columns of the schedule, as {@link #issue} takes them. */
    public static final List<String> SLOTS = List.of("lr", "correction1", "correction2", "klWeight");
    /** Of Adam. */
    public static final double LEARNING_RATE = 1e-3;
    /** Of Adam. */
    public static final double BETA_1 = 0.9;
    /** Of Adam. */
    public static final double BETA_2 = 0.999;
    /** Of Adam. */
    public static final double EPSILON = 1e-8;

    private static final int PIXELS = 100;
    private static final int DATA_ROWS = 70;
    private static final int BATCH = 16;
    private static final int HIDDEN = 48;
    private static final long SEED = 5;

    /** Where it runs; closed with it. */
    public final Backend backend;
    /** What is trained. */
    public final Vae vae;
    /** Counters and sums of the training. */
    public final StepState state;

    private final Workspace work;
    private final Replay replay;

    /** A rig with ReLU between the layers. */
    public TrainingRig(Backend backend) {
        this(backend, Activation.RELU);
    }

    /** A rig on a backend, which it closes. */
    public TrainingRig(Backend backend, Activation activation) {
        this(backend, activation, BATCH, HIDDEN);
    }

    /** A rig of another size, for backends that share large products among threads. */
    public TrainingRig(Backend backend, Activation activation, int batch, int hidden) {
        this.backend = backend;
        VaeConfig config = VaeConfig.builder()
                .input(new ImageShape(10, PIXELS / 10, 1))
                .hidden(hidden)
                .latent(5)
                .activation(activation)
                .build();
        this.vae = Vae.create(backend, config, SEED);
        this.work = backend.workspace("training");
        Tensor data = work.tensor("data", DType.U8, DATA_ROWS, PIXELS);
        byte[] pixels = new byte[DATA_ROWS * PIXELS];
        new Random(SEED).nextBytes(pixels);
        data.upload(MemorySegment.ofArray(pixels), 0);
        this.state = work.stepState(SEED, SLOTS, STEPS, List.of(VaeGraph.LOG_LIKELIHOOD, VaeGraph.KL));
        double[] table = new double[STEPS * 4];
        for (int step = 0; step < STEPS; step++) {
            table[4 * step] = LEARNING_RATE;
            table[4 * step + 1] = 1 - Math.pow(BETA_1, step + 1);
            table[4 * step + 2] = 1 - Math.pow(BETA_2, step + 1);
            table[4 * step + 3] = Math.min(1, 0.1 + 0.05 * step);
        }
        state.schedule(0, table);
        this.replay = work.record(state, Rows.of(batch), step -> {
            issue(step, vae, state, data);
            step.optimizer().advance(state);
        });
    }

    /** Issues a training step of drawn pixels and Adam, scheduled by {@link #SLOTS}, all but its end. */
    public static void issue(Recording step, Vae vae, StepState state, Tensor data) {
        Parameters parameters = vae.parameters();
        vae.graph()
                .gradients(
                        step,
                        state,
                        data,
                        Order.shuffled(data.rows()),
                        Pixels.BERNOULLI,
                        state.slot("klWeight"),
                        Reduction.MEAN);
        step.optimizer().checkGradients(parameters, VaeGraph.GROUP, state);
        step.optimizer()
                .adam(
                        parameters,
                        VaeGraph.GROUP,
                        state,
                        state.slot("lr"),
                        state.slot("correction1"),
                        state.slot("correction2"),
                        BETA_1,
                        BETA_2,
                        EPSILON);
    }

    /** {@return the state after some steps} */
    public StepState.Snapshot run(long steps) {
        replay.run(steps);
        replay.await();
        return state.read();
    }

    /** {@return how a step runs} */
    public String explain() {
        return replay.explain();
    }

    /** {@return all weights} */
    public double[] values() {
        return vae.parameters().values().downloadDoubles();
    }

    /** {@return the gradients of the last step} */
    public double[] gradients() {
        return vae.parameters().gradients().downloadDoubles();
    }

    /** {@return a moment of all weights} */
    public double[] moment(int index) {
        return vae.parameters().moment(index).downloadDoubles();
    }

    /** Takes over weights, moments and counters of another rig. */
    public void copy(TrainingRig other) {
        vae.parameters().values().uploadDoubles(other.values());
        for (int i = 0; i < 2; i++) {
            vae.parameters().moment(i).uploadDoubles(other.moment(i));
        }
        state.restore(other.state.read());
    }

    @Override
    public void close() {
        backend.close();
    }
}
