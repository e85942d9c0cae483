package io.github.elbo4j.benchmarks.peers;

import io.github.elbo4j.benchmarks.TrainingStep;
import io.github.elbo4j.benchmarks.cpu.OpenBlas;
import io.github.elbo4j.benchmarks.cpu.StepProcess;
import io.github.elbo4j.benchmarks.cpu.StepRunner;
import io.github.elbo4j.benchmarks.cpu.Workload;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.variational.BernoulliReconstructionDistribution;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/**
 * The training step of Deeplearning4j's layer: the same widths, likelihood, optimizer, weights and rows. Its noise comes
 * from its own generator, and its likelihood takes probabilities, which it computes from the logits and clips.
 */
public final class Deeplearning4jStep implements StepRunner {
    private static final double LEARNING_RATE = 1e-3;

    private final Workload workload;
    private final MultiLayerNetwork network;
    private final Layer layer;
    private final INDArray[] batches;
    private int next;

    private Deeplearning4jStep(StepProcess.Job job) throws IOException {
        // Collections that it asks for would only stand in its way.
        Nd4j.getMemoryManager().togglePeriodicGc(false);
        workload = job.workload();
        int[] encoder = workload.hidden().stream().mapToInt(Integer::intValue).toArray();
        int[] decoder = workload.hidden().reversed().stream()
                .mapToInt(Integer::intValue)
                .toArray();
        network = new MultiLayerNetwork(new NeuralNetConfiguration.Builder()
                .seed(job.seed())
                .updater(new Adam(LEARNING_RATE))
                .list()
                .layer(new VariationalAutoencoder.Builder()
                        .nIn(TrainingStep.INPUT)
                        .nOut(workload.latent())
                        .encoderLayerSizes(encoder)
                        .decoderLayerSizes(decoder)
                        .activation(Activation.RELU)
                        .pzxActivationFunction(Activation.IDENTITY)
                        .reconstructionDistribution(new BernoulliReconstructionDistribution(Activation.SIGMOID))
                        .build())
                .build());
        network.init();
        layer = network.getLayer(0);
        weights(job, encoder.length);
        batches = batches(job.pixels());
    }

    private void weights(StepProcess.Job job, int depth) throws IOException {
        int latent = workload.latent();
        for (int i = 0; i < depth; i++) {
            set(job, "encoder." + i, 0, 1, "e" + i);
            set(job, "decoder." + i, 0, 1, "d" + i);
        }
        set(job, "heads", 0, 2, "pZXMean");
        set(job, "heads", latent, 2, "pZXLogStd2");
        set(job, "logits", 0, 1, "pXZ");
    }

    /** Copies outputs of a layer of ours, from the first on and as many as a share of them, to one of the peer's. */
    private void set(StepProcess.Job job, String ours, int first, int shares, String peers) throws IOException {
        float[] bias = job.weights(ours + ".bias");
        float[] weight = job.weights(ours + ".weight");
        int inputs = weight.length / bias.length;
        int outputs = bias.length / shares;
        float[] some = Arrays.copyOfRange(weight, first * inputs, (first + outputs) * inputs);
        // The peer stores weights as [in, out].
        layer.getParam(peers + "W")
                .assign(Nd4j.create(some, new int[] {outputs, inputs}).transpose());
        layer.getParam(peers + "b")
                .assign(Nd4j.create(Arrays.copyOfRange(bias, first, first + outputs), new int[] {1, outputs}));
    }

    private INDArray[] batches(float[] shares) {
        int size = workload.batch() * TrainingStep.INPUT;
        INDArray[] all = new INDArray[shares.length / size];
        for (int i = 0; i < all.length; i++) {
            all[i] = Nd4j.create(
                    Arrays.copyOfRange(shares, i * size, (i + 1) * size),
                    new int[] {workload.batch(), TrainingStep.INPUT});
        }
        return all;
    }

    /** Measures one job. */
    public static void main(String[] args) throws IOException {
        StepProcess.main(args, Deeplearning4jStep::new);
    }

    @Override
    public Map<String, String> facts() {
        return Map.of(
                "version",
                version(),
                "blas",
                Nd4j.factory().blas().getClass().getSimpleName() + ", OpenBLAS core type " + OpenBlas.coreType(),
                "same_work_note",
                "its likelihood takes clipped probabilities instead of logits: the nearest equal work");
    }

    /** Its jars say their version in their names only. */
    private static String version() {
        String jar = String.valueOf(
                MultiLayerNetwork.class.getProtectionDomain().getCodeSource().getLocation());
        return jar.substring(jar.lastIndexOf('/') + 1).replace(".jar", "");
    }

    @Override
    public double run(int steps) {
        double sum = 0;
        for (int i = 0; i < steps; i++) {
            network.pretrainLayer(0, batches[next]);
            sum += layer.score();
            next = (next + 1) % batches.length;
        }
        return sum / steps;
    }

    @Override
    public void close() {
        network.close();
    }
}
