package io.github.elbo4j.benchmarks.peers;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.core.Linear;
import ai.djl.training.GradientCollector;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import io.github.elbo4j.benchmarks.TrainingStep;
import io.github.elbo4j.benchmarks.cpu.OpenBlas;
import io.github.elbo4j.benchmarks.cpu.StepProcess;
import io.github.elbo4j.benchmarks.cpu.StepRunner;
import io.github.elbo4j.benchmarks.cpu.Workload;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The training step in DJL on libtorch; its rows lie there as floats, so that a batch costs nothing. */
public final class LibtorchDjlStep implements StepRunner {
    private static final float LEARNING_RATE = 1e-3f;

    private final Workload workload;
    private final Engine engine;
    private final NDManager manager;
    private final List<NDArray> weights = new ArrayList<>();
    private final List<NDArray> biases = new ArrayList<>();
    private final Optimizer adam = Optimizer.adam()
            .optLearningRateTracker(Tracker.fixed(LEARNING_RATE))
            .build();
    private final NDArray rows;
    private long position;

    private LibtorchDjlStep(StepProcess.Job job) throws IOException {
        System.setProperty("ai.djl.pytorch.num_threads", Integer.toString(job.threads()));
        workload = job.workload();
        engine = Engine.getEngine("PyTorch");
        engine.setRandomSeed((int) job.seed());
        manager = engine.newBaseManager(Device.cpu());
        for (String layer : workload.layers()) {
            float[] bias = job.weights(layer + ".bias");
            float[] weight = job.weights(layer + ".weight");
            weights.add(parameter(weight, bias.length, weight.length / bias.length));
            biases.add(parameter(bias, bias.length));
        }
        float[] shares = job.pixels();
        rows = manager.create(shares, new Shape(shares.length / TrainingStep.INPUT, TrainingStep.INPUT));
    }

    private NDArray parameter(float[] values, long... shape) {
        NDArray array = manager.create(values, new Shape(shape));
        array.setRequiresGradient(true);
        return array;
    }

    /** Measures one job. */
    public static void main(String[] args) throws IOException {
        StepProcess.main(args, LibtorchDjlStep::new);
    }

    @Override
    public Map<String, String> facts() {
        String blas = OpenBlas.coreType();
        return Map.of(
                "version",
                engine.getVersion() + " by DJL " + Engine.getDjlVersion(),
                "torch_threads",
                System.getProperty("ai.djl.pytorch.num_threads", ""),
                "blas",
                blas.equals("none") ? "MKL" : "OpenBLAS, core type " + blas);
    }

    @Override
    public double run(int steps) {
        double sum = 0;
        for (int i = 0; i < steps; i++) {
            sum += step();
        }
        return sum / steps;
    }

    private double step() {
        long end = position + workload.batch();
        try (NDManager temporaries = manager.newSubManager();
                // Clears the gradients of the step before.
                GradientCollector collector = engine.newGradientCollector()) {
            NDArray x = rows.get(new NDIndex("{}:{}", position, end));
            x.attach(temporaries);
            NDArray loss = loss(temporaries, x).div(workload.batch());
            collector.backward(loss);
            for (int i = 0; i < weights.size(); i++) {
                update("weight" + i, weights.get(i));
                update("bias" + i, biases.get(i));
            }
            position = end % rows.getShape().get(0);
            return loss.getFloat();
        }
    }

    private void update(String name, NDArray parameter) {
        try (NDArray gradient = parameter.getGradient()) {
            adam.update(name, parameter, gradient);
        }
    }

    private NDArray loss(NDManager temporaries, NDArray x) {
        int encoder = workload.hidden().size();
        int latent = workload.latent();
        NDArray hidden = x;
        for (int i = 0; i < encoder; i++) {
            hidden = Activation.relu(linear(hidden, i));
        }
        NDArray heads = linear(hidden, encoder);
        NDList halves = heads.split(new long[] {latent}, 1);
        NDArray mu = halves.get(0);
        NDArray logVar = halves.get(1);
        NDArray epsilon = temporaries.randomNormal(0, 1, mu.getShape(), DataType.FLOAT32);
        hidden = mu.add(logVar.mul(0.5f).exp().mul(epsilon));
        for (int i = encoder + 1; i < weights.size() - 1; i++) {
            hidden = Activation.relu(linear(hidden, i));
        }
        NDArray logits = linear(hidden, weights.size() - 1);
        // DJL has no binary cross-entropy from logits in one call; this is the same number.
        NDArray reconstruction = Activation.softPlus(logits).sub(logits.mul(x)).sum();
        NDArray kl = mu.square().add(logVar.exp()).sub(logVar).sub(1).sum().mul(0.5f);
        return reconstruction.add(kl);
    }

    private NDArray linear(NDArray x, int layer) {
        return Linear.linear(x, weights.get(layer), biases.get(layer)).singletonOrThrow();
    }

    @Override
    public void close() {
        manager.close();
    }
}
