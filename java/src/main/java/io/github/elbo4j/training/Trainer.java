package io.github.elbo4j.training;

import io.github.elbo4j.backend.DataKernels.Order;
import io.github.elbo4j.backend.OptimizerKernels;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Recording;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.StepState.Snapshot;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.model.LatentMode;
import io.github.elbo4j.model.Losses;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeGraph;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Trains a model: keeps the data on the backend, records one step and runs it until the last epoch is done.
 *
 * <p>A run is a pure function of (weights, data, configuration): it may be cancelled at any step border and resumed from
 * its {@link RunFolder}, and ends with the same bits on a backend of the same numeric profile. {@link #cancel} may be
 * called from any thread; everything else is used by one thread at a time, as the model is.
 */
public final class Trainer implements AutoCloseable {
    /** Steps for which the schedule is uploaded at a time. */
    private static final int SCHEDULE_STEPS = 4096;

    /** Time between two looks at the sums, which is also how long a cancel may take. */
    private static final long LOOK_NANOS = 100_000_000;

    private static final String LEARNING_RATE = "learningRate";
    private static final String CORRECTION_1 = "correction1";
    private static final String CORRECTION_2 = "correction2";
    private static final String KL_WEIGHT = "klWeight";
    private static final List<String> SLOTS = List.of(LEARNING_RATE, CORRECTION_1, CORRECTION_2, KL_WEIGHT);

    private final Vae vae;
    private final TrainingConfig config;
    private final long rowsPerEpoch;
    private final Workspace workspace;
    private final StepState state;
    private final Replay replay;
    private final @Nullable Evaluator evaluator;
    private final List<EpochReport> history = new ArrayList<>();
    private final List<TrainingListener> listeners = new CopyOnWriteArrayList<>();
    private @Nullable RunFolder folder;
    private double epochSeconds;
    private long scheduledFrom;
    private long scheduledTo;
    private long chunk = 1;
    private long savedStep = -1;
    private long lookNanos = LOOK_NANOS;
    private volatile boolean cancelled;

    private Trainer(Vae vae, TrainingConfig config, Dataset train, @Nullable Dataset test) {
        ResidentData.requireFits(vae, train, "training data");
        this.vae = vae;
        this.config = config;
        this.rowsPerEpoch = train.rows();
        Workspace made = vae.backend().workspace("training");
        try {
            Tensor data = ResidentData.upload(made, train);
            this.state =
                    made.stepState(config.seed(), SLOTS, SCHEDULE_STEPS, List.of(VaeGraph.LOG_LIKELIHOOD, VaeGraph.KL));
            this.replay =
                    made.record(state, Rows.of(Math.min(config.batch(), rowsPerEpoch)), step -> issue(step, data));
            // Last, so that nothing can fail after it that would have to close it.
            this.evaluator = test == null
                    ? null
                    : new Evaluator(vae, test, LatentMode.SAMPLED, config.pixels(), config.seed(), config.batch());
        } catch (RuntimeException | Error e) {
            made.close();
            throw e;
        }
        this.workspace = made;
    }

    /**
     * {@return a trainer of both parts of a data set}
     *
     * @throws IllegalArgumentException if the data does not fit the model
     */
    public static Trainer create(Vae vae, TrainingConfig config, DataSplit data) {
        return create(vae, config, data.train(), data.test());
    }

    /**
     * {@return a trainer of a model}
     *
     * @param vae the model, which must stay open
     * @param config how to train
     * @param train training data: u8, or numbers in [0, 1], as wide as the model's input
     * @param test data evaluated after every epoch; null for none
     * @throws IllegalArgumentException if the data does not fit the model
     */
    public static Trainer create(Vae vae, TrainingConfig config, Dataset train, @Nullable Dataset test) {
        Trainer trainer = new Trainer(vae, config, train, test);
        try {
            // A new run owes nothing to what trained these weights before.
            for (int i = 0; i < vae.parameters().moments(); i++) {
                Tensor moment = vae.parameters().moment(i);
                moment.uploadFloats(new float[Math.toIntExact(moment.size())]);
            }
            return trainer;
        } catch (RuntimeException | Error e) {
            trainer.close();
            throw e;
        }
    }

    /** {@return a trainer that goes on where a checkpoint stands} */
    static Trainer resume(
            Vae vae, Checkpoint checkpoint, TrainingConfig config, Dataset train, @Nullable Dataset test) {
        Trainer trainer = new Trainer(vae, config, train, test);
        trainer.state.restore(checkpoint.state());
        trainer.history.addAll(checkpoint.history());
        trainer.epochSeconds = checkpoint.epochSeconds();
        return trainer;
    }

    private void issue(Recording step, Tensor data) {
        Order order = config.shuffle() ? Order.shuffled(rowsPerEpoch) : Order.sequential(rowsPerEpoch);
        vae.graph().gradients(step, state, data, order, config.pixels(), state.slot(KL_WEIGHT), config.reduction());
        OptimizerKernels optimizer = step.optimizer();
        optimizer.checkGradients(vae.parameters(), VaeGraph.GROUP, state);
        Scalar rate = state.slot(LEARNING_RATE);
        switch (config.optimizer()) {
            case Optimizer.Adam adam ->
                optimizer.adam(
                        vae.parameters(),
                        VaeGraph.GROUP,
                        state,
                        rate,
                        state.slot(CORRECTION_1),
                        state.slot(CORRECTION_2),
                        adam.beta1(),
                        adam.beta2(),
                        adam.epsilon());
            case Optimizer.Sgd ignored -> optimizer.sgd(vae.parameters(), VaeGraph.GROUP, state, rate);
        }
        optimizer.advance(state);
    }

    /** Adds a listener; they are called in the order of adding. One that another adds is called from the next event on. */
    public Trainer listen(TrainingListener listener) {
        listeners.add(listener);
        return this;
    }

    /** Keeps the run in a folder: at every epoch, and where it is cancelled. */
    public Trainer keepIn(RunFolder runFolder) {
        folder = runFolder;
        return this;
    }

    /** Sets the time between two looks at the sums; 0 looks after every step. */
    void lookEvery(long nanos) {
        lookNanos = nanos;
    }

    /** Ends {@link #run} at the next step border; from any thread, at any time. */
    public void cancel() {
        cancelled = true;
    }

    /**
     * Runs to the last epoch, or to the step border where it is cancelled.
     *
     * @throws NonFiniteException if a number is not finite
     * @throws IOException if the run's folder cannot be written; what it held before stays
     */
    public TrainingResult run() throws IOException {
        while (true) {
            Snapshot now = read();
            if (now.epoch() > history.size()) {
                finishEpoch(now);
            } else if (now.epoch() >= config.epochs()) {
                save(now);
                return new TrainingResult(history, now.step(), false);
            } else if (cancelled) {
                save(now);
                return new TrainingResult(history, now.step(), true);
            } else {
                runSome(now);
            }
        }
    }

    /** Enqueues about {@link #lookNanos} worth of steps, at most to the end of the epoch. */
    private void runSome(Snapshot now) {
        long batch = Math.min(config.batch(), rowsPerEpoch);
        long steps = Math.min(chunk, Math.ceilDiv(rowsPerEpoch - now.position(), batch));
        schedule(now.step(), steps);
        long start = System.nanoTime();
        replay.run(steps);
        Snapshot after = read();
        long nanos = Math.max(1, System.nanoTime() - start);
        epochSeconds += nanos / 1e9;
        chunk = Math.clamp(steps * lookNanos / nanos, 1, SCHEDULE_STEPS);
        Progress progress = new Progress(
                (int) now.epoch() + 1,
                config.epochs(),
                after.step(),
                after.rows(),
                rowsPerEpoch,
                Losses.of(after, vae.config().beta()),
                epochSeconds);
        listeners.forEach(listener -> listener.onProgress(progress));
    }

    private void finishEpoch(Snapshot sums) throws IOException {
        Losses train = Losses.of(sums, vae.config().beta());
        long start = System.nanoTime();
        Losses test = evaluator == null ? null : evaluator.evaluate().losses();
        double testSeconds = (System.nanoTime() - start) / 1e9;
        EpochReport report = new EpochReport(history.size() + 1, train, test, epochSeconds, testSeconds);
        history.add(report);
        state.resetMetrics();
        epochSeconds = 0;
        save(state.read());
        listeners.forEach(listener -> listener.onEpoch(report));
    }

    private void save(Snapshot now) throws IOException {
        if (folder == null || now.step() == savedStep) {
            return;
        }
        requireFiniteWeights(now);
        folder.save(vae, config, now, history, epochSeconds);
        savedStep = now.step();
        RunFolder saved = folder;
        listeners.forEach(listener -> listener.onCheckpoint(saved.path(), now.step()));
    }

    /** An update may overflow in the last step before a save, where no later step would notice. */
    private void requireFiniteWeights(Snapshot now) {
        Parameters parameters = vae.parameters();
        double[] values = parameters.values().downloadDoubles();
        for (Parameters.Spec spec : parameters.specs()) {
            int start = (int) parameters.value(spec.name()).offset();
            for (int i = 0; i < spec.size(); i++) {
                if (!Double.isFinite(values[start + i])) {
                    throw NonFiniteException.updated(now.step() - 1, spec.name(), i);
                }
            }
        }
    }

    private Snapshot read() {
        Snapshot snapshot = state.read();
        if (snapshot.halt() != null) {
            throw NonFiniteException.found(snapshot.halt(), config.batch());
        }
        return snapshot;
    }

    private void schedule(long step, long steps) {
        if (step >= scheduledFrom && step + steps <= scheduledTo) {
            return;
        }
        double[] table = new double[SCHEDULE_STEPS * SLOTS.size()];
        for (int i = 0; i < SCHEDULE_STEPS; i++) {
            double t = step + i + 1;
            int row = i * SLOTS.size();
            table[row + SLOTS.indexOf(LEARNING_RATE)] = config.optimizer().learningRate();
            if (config.optimizer() instanceof Optimizer.Adam adam) {
                table[row + SLOTS.indexOf(CORRECTION_1)] = 1 - StrictMath.pow(adam.beta1(), t);
                table[row + SLOTS.indexOf(CORRECTION_2)] = 1 - StrictMath.pow(adam.beta2(), t);
            }
            table[row + SLOTS.indexOf(KL_WEIGHT)] = vae.config().beta();
        }
        state.schedule(step, table);
        scheduledFrom = step;
        scheduledTo = step + SCHEDULE_STEPS;
    }

    @Override
    public void close() {
        try {
            workspace.close();
        } finally {
            if (evaluator != null) {
                evaluator.close();
            }
        }
    }
}
