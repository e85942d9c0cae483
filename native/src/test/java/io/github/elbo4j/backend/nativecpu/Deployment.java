package io.github.elbo4j.backend.nativecpu;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Backends;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels.Order;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.Replay;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeConfig;
import io.github.elbo4j.model.VaeGraph;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/** An application in a class loader of its own, known to others by types of the JDK only. Training is worth two threads. */
public final class Deployment implements Callable<String>, AutoCloseable {
    private static final int ROWS = 128;
    private static final ImageShape SHAPE = new ImageShape(28, 28, 1);

    private final Backend backend = Backends.open("native", Map.of("threads", "2"));

    /** Opens the backend, which runs every kernel once, in its self-test. */
    public Deployment() {}

    /** {@return the backend's name and the steps that were trained} */
    @Override
    public String call() {
        VaeConfig config =
                VaeConfig.builder().input(SHAPE).hidden(400).latent(20).build();
        try (Vae vae = Vae.create(backend, config, 1);
                Workspace work = backend.workspace("training")) {
            Tensor data = work.tensor("data", DType.U8, ROWS, SHAPE.size());
            StepState state = work.stepState(1, List.of(), 0, List.of(VaeGraph.LOG_LIKELIHOOD, VaeGraph.KL));
            try (Replay replay = work.record(state, Rows.of(ROWS), step -> {
                vae.graph()
                        .gradients(
                                step,
                                state,
                                data,
                                Order.shuffled(ROWS),
                                Pixels.BERNOULLI,
                                Scalar.of(1),
                                Reduction.MEAN);
                step.optimizer().checkGradients(vae.parameters(), VaeGraph.GROUP, state);
                step.optimizer().sgd(vae.parameters(), VaeGraph.GROUP, state, Scalar.of(1e-3));
                step.optimizer().advance(state);
            })) {
                replay.run(1);
                replay.await();
            }
            return backend.info().name() + " " + state.read().step();
        }
    }

    @Override
    public void close() {
        backend.close();
    }
}
