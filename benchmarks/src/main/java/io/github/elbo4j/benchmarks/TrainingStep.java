package io.github.elbo4j.benchmarks;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels.Order;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.Recording;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.model.Losses;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.model.VaeGraph;
import java.util.List;

/**
 * The step that {@link io.github.elbo4j.training.Trainer} records, without its looks at the sums: gradients, their
 * check, Adam, advance. Rows come in order and every batch is full, so that each step does the same work.
 */
public final class TrainingStep implements AutoCloseable {
    /** Input and latent size of every measured model. */
    public static final int INPUT = 784;

    static final int LATENT = 20;

    /** Key of weights and noise, also of the weights that peers start from. */
    public static final long SEED = 1;

    private static final double BETA_1 = 0.9;
    private static final double BETA_2 = 0.999;
    private static final double EPSILON = 1e-8;
    private static final double LEARNING_RATE = 1e-3;
    private static final int TABLE_STEPS = 1 << 16;
    private static final List<String> SLOTS = List.of("learningRate", "correction1", "correction2", "klWeight");

    private final Vae vae;
    private final Workspace workspace;
    private final StepState state;
    private final Replay replay;
    private long step;
    private long scheduledTo;

    /**
     * @param backend where it runs
     * @param data u8 rows of {@link #INPUT}
     * @param batch rows of a step
     * @param hidden width of both hidden layers
     */
    TrainingStep(Backend backend, Dataset data, long batch, int hidden) {
        this(backend, data, batch, config(hidden), SEED);
    }

    /**
     * @param backend where it runs
     * @param data u8 rows of {@link #INPUT}
     * @param batch rows of a step
     * @param config the model, which starts from the weights of {@link #SEED}
     * @param noise key of epsilon
     */
    public TrainingStep(Backend backend, Dataset data, long batch, VaeConfig config, long noise) {
        this.vae = Vae.create(backend, config, SEED);
        this.workspace = backend.workspace("step of " + batch + ", " + config.summary());
        try {
            Tensor resident = workspace.tensor("data", DType.U8, data.rows(), data.columns());
            resident.upload(data.values(), 0);
            this.state = workspace.stepState(noise, SLOTS, TABLE_STEPS, List.of(VaeGraph.LOG_LIKELIHOOD, VaeGraph.KL));
            Order order = Order.sequential(data.rows() / batch * batch);
            this.replay = workspace.record(state, Rows.of(batch), recording -> issue(recording, resident, order));
        } catch (RuntimeException | Error e) {
            workspace.close();
            vae.close();
            throw e;
        }
    }

    /** {@return the measured model with its initial weights} */
    static Vae model(Backend backend, int hidden) {
        return Vae.create(backend, config(hidden), SEED);
    }

    private static VaeConfig config(int hidden) {
        return VaeConfig.builder().hidden(hidden).latent(LATENT).build();
    }

    private void issue(Recording recording, Tensor data, Order order) {
        vae.graph().gradients(recording, state, data, order, Pixels.UNIT, state.slot("klWeight"), Reduction.MEAN);
        recording.optimizer().checkGradients(vae.parameters(), VaeGraph.GROUP, state);
        recording
                .optimizer()
                .adam(
                        vae.parameters(),
                        VaeGraph.GROUP,
                        state,
                        state.slot("learningRate"),
                        state.slot("correction1"),
                        state.slot("correction2"),
                        BETA_1,
                        BETA_2,
                        EPSILON);
        recording.optimizer().advance(state);
    }

    /** {@return the most steps between two calls of {@link #schedule}} */
    public static long mostSteps() {
        return TABLE_STEPS;
    }

    /** Uploads the schedule of the steps that come next. */
    public void schedule() {
        double[] table = new double[TABLE_STEPS * SLOTS.size()];
        for (int i = 0; i < TABLE_STEPS; i++) {
            double t = step + i + 1;
            int row = i * SLOTS.size();
            table[row] = LEARNING_RATE;
            table[row + 1] = 1 - StrictMath.pow(BETA_1, t);
            table[row + 2] = 1 - StrictMath.pow(BETA_2, t);
            table[row + 3] = 1;
        }
        state.schedule(step, table);
        scheduledTo = step + TABLE_STEPS;
    }

    /** Runs steps and waits for them; the schedule is renewed first where it does not cover them. */
    public void scheduledRun(long times) {
        if (step + times > scheduledTo) {
            schedule();
        }
        run(times);
    }

    /** Runs steps that the schedule covers, and waits for them. */
    public void run(long times) {
        replay.run(times);
        replay.await();
        step += times;
    }

    /** {@return the mean loss of the steps since the last call} */
    public Losses losses() {
        StepState.Snapshot sums = state.read();
        if (sums.halt() != null) {
            throw new IllegalStateException("training halted: " + sums.halt());
        }
        state.resetMetrics();
        return Losses.of(sums, 1);
    }

    /** {@return the operations of a step, as issued and as run} */
    String explain() {
        return replay.explain();
    }

    /** {@return the number of weights and biases} */
    long parameters() {
        return vae.parameterCount();
    }

    @Override
    public void close() {
        workspace.close();
        vae.close();
    }
}
