package io.github.elbo4j.training;

import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.StepState.Snapshot;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.model.LatentMode;
import io.github.elbo4j.model.Losses;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeGraph;
import java.util.List;
import java.util.Map;

/**
 * Evaluates a model on a data set that it keeps on the backend. The result depends on weights, data, mode and seed only:
 * random numbers are keyed by the data row, never by the batch. Used by one thread at a time, as the model is.
 */
public final class Evaluator implements AutoCloseable {
    private final Vae vae;
    private final LatentMode mode;
    private final Workspace workspace;
    private final StepState state;
    private final Replay replay;
    private final long rows;
    private final long steps;

    /**
     * Brings the data to the backend and records the evaluation.
     *
     * @param vae the model, which must stay open
     * @param data rows in [0, 1] or u8, as wide as the model's input
     * @param mode which z is decoded
     * @param pixels how the data becomes a Bernoulli target
     * @param seed key of epsilon and binarisation
     * @param batch rows of a step; no effect on the result
     * @throws IllegalArgumentException if the data does not fit the model, or an argument is out of range
     */
    public Evaluator(Vae vae, Dataset data, LatentMode mode, Pixels pixels, long seed, int batch) {
        ResidentData.requireFits(vae, data, "data to evaluate on");
        if (batch < 1) {
            throw new IllegalArgumentException("batch " + batch + " is not a number of rows, at least 1");
        }
        if (pixels == Pixels.AS_IS) {
            throw new IllegalArgumentException("pixels AS_IS are no target of a Bernoulli likelihood");
        }
        this.vae = vae;
        this.mode = mode;
        this.rows = data.rows();
        long capacity = Math.min(batch, rows);
        this.steps = Math.ceilDiv(rows, capacity);
        this.workspace = vae.backend().workspace("evaluation");
        try {
            Tensor resident = ResidentData.upload(workspace, data);
            this.state = workspace.stepState(seed, List.of(), 0, List.of(VaeGraph.LOG_LIKELIHOOD, VaeGraph.KL));
            this.replay = workspace.record(
                    state, Rows.of(capacity), step -> vae.graph().evaluation(step, state, resident, mode, pixels));
        } catch (RuntimeException | Error e) {
            workspace.close();
            throw e;
        }
    }

    /**
     * {@return the losses with the model's present weights}
     *
     * @throws NonFiniteException if a number is not finite
     */
    public Evaluation evaluate() {
        state.restore(new Snapshot(0, 0, 0, 0, Map.of(VaeGraph.LOG_LIKELIHOOD, 0.0, VaeGraph.KL, 0.0), null));
        replay.run(steps);
        Snapshot snapshot = state.read();
        if (snapshot.halt() != null) {
            throw NonFiniteException.evaluated(snapshot.halt());
        }
        return new Evaluation(mode, Losses.of(snapshot, vae.config().beta()), rows);
    }

    @Override
    public void close() {
        workspace.close();
    }
}
