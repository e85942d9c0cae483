package io.github.elbo4j.model;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.backend.DataKernels.Order;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.backend.LatentKernels.Reduction;
import io.github.elbo4j.backend.Noise;
import io.github.elbo4j.backend.Operand;
import io.github.elbo4j.backend.Parameters;
import io.github.elbo4j.backend.Recording;
import io.github.elbo4j.backend.Rows;
import io.github.elbo4j.backend.Scalar;
import io.github.elbo4j.backend.Scratch;
import io.github.elbo4j.backend.StepState;
import io.github.elbo4j.backend.Tensor;
import io.github.elbo4j.backend.Workspace;
import io.github.elbo4j.model.DenseStack.Layer;
import java.util.ArrayList;
import java.util.List;

/**
 * A variational autoencoder of dense layers on a backend: its weights, and the steps it records.
 *
 * <p>Owns its parameters and frees them with {@link #close}; trainers and evaluators made for it must be closed first.
 * Used by one thread at a time.
 */
public final class Vae implements AutoCloseable {
    /** The one group of parameters. */
    public static final String GROUP = "vae";

    /** Metric: the sum over rows of the reconstruction log-likelihood, in nats. */
    public static final String LOG_LIKELIHOOD = "logLikelihood";

    /** Metric: the sum over rows of the KL divergence, in nats. */
    public static final String KL = "kl";

    /** Moments kept for each parameter: two, as Adam needs. */
    private static final int MOMENTS = 2;

    private final Backend backend;
    private final VaeConfig config;
    private final Workspace workspace;
    private final Parameters parameters;
    private final DenseStack encoder;
    private final DenseStack decoder;

    private Vae(Backend backend, VaeConfig config) {
        this.backend = backend;
        this.config = config;
        this.encoder = encoder(config);
        this.decoder = decoder(config);
        this.workspace = backend.workspace("model " + config.summary());
        try {
            this.parameters = workspace.parameters(specs(config), MOMENTS);
        } catch (RuntimeException | Error e) {
            workspace.close();
            throw e;
        }
    }

    /**
     * {@return a model with weights drawn from a seed}
     *
     * @param backend where it lives
     * @param config architecture and objective
     * @param seed key of the initial weights
     */
    public static Vae create(Backend backend, VaeConfig config, long seed) {
        Vae vae = new Vae(backend, config);
        try {
            vae.initialize(seed);
            return vae;
        } catch (RuntimeException | Error e) {
            vae.close();
            throw e;
        }
    }

    /** {@return a model with all weights zero, to be filled} */
    static Vae blank(Backend backend, VaeConfig config) {
        return new Vae(backend, config);
    }

    /** {@return the parameters of an architecture, in the order of the arena} */
    static List<Parameters.Spec> specs(VaeConfig config) {
        List<Parameters.Spec> specs = new ArrayList<>();
        encoder(config).layers().forEach(layer -> specs.addAll(layer.specs(GROUP)));
        decoder(config).layers().forEach(layer -> specs.addAll(layer.specs(GROUP)));
        return specs;
    }

    private static DenseStack encoder(VaeConfig config) {
        List<Layer> layers = new ArrayList<>();
        int width = config.input().size();
        for (int i = 0; i < config.encoder().size(); i++) {
            layers.add(new Layer("encoder." + i, width, config.encoder().get(i), config.activation()));
            width = config.encoder().get(i);
        }
        // Both heads are one product: rows 0..d-1 give mu, rows d..2d-1 the log-variance.
        layers.add(new Layer("heads", width, 2 * config.latent(), Activation.IDENTITY));
        return new DenseStack(layers);
    }

    private static DenseStack decoder(VaeConfig config) {
        List<Layer> layers = new ArrayList<>();
        int width = config.latent();
        for (int i = 0; i < config.decoder().size(); i++) {
            layers.add(new Layer("decoder." + i, width, config.decoder().get(i), config.activation()));
            width = config.decoder().get(i);
        }
        layers.add(new Layer("logits", width, config.input().size(), Activation.IDENTITY));
        return new DenseStack(layers);
    }

    private void initialize(long seed) {
        double[] values = new double[Math.toIntExact(parameters.values().size())];
        List<Layer> layers = new ArrayList<>(encoder.layers());
        layers.addAll(decoder.layers());
        int tensor = 0;
        for (Layer layer : layers) {
            // Each head counts as a layer of its own, as it would if it stood alone.
            int fanOut = layer.name().equals("heads") ? layer.out() / 2 : layer.out();
            fill(
                    seed,
                    tensor++,
                    layer.name() + ".weight",
                    config.initialization().weightBound(layer.in(), fanOut),
                    values);
            fill(seed, tensor++, layer.name() + ".bias", config.initialization().biasBound(layer.in()), values);
        }
        parameters.values().uploadDoubles(values);
    }

    private void fill(long seed, int tensor, String name, double bound, double[] values) {
        int from = Math.toIntExact(parameters.value(name).offset());
        int to = from + Math.toIntExact(parameters.value(name).size());
        Initialization.uniform(seed, tensor, bound, values, from, to);
    }

    /** {@return the backend it lives on} */
    public Backend backend() {
        return backend;
    }

    /** {@return architecture and objective} */
    public VaeConfig config() {
        return config;
    }

    /** {@return the arena of weights, gradients and moments} */
    public Parameters parameters() {
        return parameters;
    }

    /** {@return the number of weights and biases} */
    public long parameterCount() {
        return parameters.specs().stream().mapToLong(Parameters.Spec::size).sum();
    }

    /**
     * Issues a training step up to the gradients: chosen rows, gathered inputs, forward pass, both metrics, and the
     * gradient of {@code -log p(x|z) + klWeight * KL} for every parameter.
     *
     * @param step the recording; its first call
     * @param state seed, counters and the metrics {@link #LOG_LIKELIHOOD} and {@link #KL}
     * @param data the data set, {@code [n, input size]}
     * @param order which rows, in which order
     * @param pixels conversion of the data
     * @param klWeight factor of the KL divergence
     * @param reduction of the gradients over the batch
     */
    public void gradients(
            Recording step,
            StepState state,
            Tensor data,
            Order order,
            Pixels pixels,
            Scalar klWeight,
            Reduction reduction) {
        Rows rows = step.rows();
        Scratch rowIds = step.scratch("rowIds", DType.I64, rows);
        Scratch x = step.scratch("x", rows, config.input().size());
        Noise binarize = pixels == Pixels.BERNOULLI ? Noise.training(Noise.Purpose.BINARIZE) : Noise.off();
        step.data().selectRows(rows, state, order, rowIds);
        step.data().gather(rows, rowIds, data, pixels, binarize, state, x);

        Noise epsilon = Noise.training(Noise.Purpose.EPSILON);
        Forward forward = forward(step, rows, state, x, epsilon);
        Scratch logLikelihood = step.scratch(LOG_LIKELIHOOD, rows);
        Scratch dLogits = step.scratch("dLogits", rows, config.input().size());
        step.loss()
                .bernoulliForwardBackward(
                        rows, forward.decoded.output(), x, Scalar.of(1), reduction, logLikelihood, dLogits);
        metrics(step, rows, state, logLikelihood, forward.kl);

        Scratch dz = step.scratch("dz", rows, config.latent());
        Scratch dMuLogVar = step.scratch("dMuLogVar", rows, 2L * config.latent());
        forward.decoded.backward(dLogits, dz);
        step.latent()
                .reparameterizeBackward(
                        rows,
                        forward.encoded.output(),
                        config.logVarClamp(),
                        epsilon,
                        state,
                        dz,
                        klWeight,
                        reduction,
                        dMuLogVar);
        forward.encoded.backward(dMuLogVar, null);
    }

    /**
     * Issues an evaluation step: rows in order, both metrics, nothing changed.
     *
     * @param step the recording; its first call
     * @param state seed, counters and the metrics {@link #LOG_LIKELIHOOD} and {@link #KL}
     * @param data the data set, {@code [n, input size]}
     * @param mode whether z is sampled or the mean
     * @param pixels conversion of the data
     */
    public void evaluation(Recording step, StepState state, Tensor data, LatentMode mode, Pixels pixels) {
        Rows rows = step.rows();
        Scratch rowIds = step.scratch("rowIds", DType.I64, rows);
        Scratch x = step.scratch("x", rows, config.input().size());
        Noise binarize = pixels == Pixels.BERNOULLI ? Noise.evaluation(Noise.Purpose.BINARIZE, rowIds) : Noise.off();
        step.data().selectRows(rows, state, Order.sequential(data.rows()), rowIds);
        step.data().gather(rows, rowIds, data, pixels, binarize, state, x);
        Noise epsilon = mode == LatentMode.SAMPLED ? Noise.evaluation(Noise.Purpose.EPSILON, rowIds) : Noise.off();
        Forward forward = forward(step, rows, state, x, epsilon);
        Scratch logLikelihood = step.scratch(LOG_LIKELIHOOD, rows);
        step.loss().bernoulliForward(rows, forward.decoded.output(), x, logLikelihood);
        metrics(step, rows, state, logLikelihood, forward.kl);
        step.optimizer().advance(state);
    }

    /**
     * {@return the pixel probabilities of reconstructions through z = mu, {@code [n, input size]}}
     *
     * @param x inputs in [0, 1], {@code [n, input size]}
     */
    public float[] reconstruct(float[] x) {
        return run(x, config.input().size(), (step, state, input, output) -> {
            Operand muLogVar =
                    encoder.forward(step, parameters, step.rows(), input, null).output();
            Scratch z = step.scratch("z", step.rows(), config.latent());
            step.latent().reparameterizeForward(step.rows(), muLogVar, config.logVarClamp(), Noise.off(), state, z);
            means(step, z, output);
        });
    }

    /**
     * {@return the pixel probabilities of latent codes, {@code [n, input size]}}
     *
     * @param z latent codes, {@code [n, latent]}
     */
    public float[] decode(float[] z) {
        return run(z, config.latent(), (step, state, input, output) -> means(step, input, output));
    }

    private void means(Recording step, Operand z, Operand means) {
        List<Layer> layers = new ArrayList<>(decoder.layers());
        Layer logits = layers.removeLast();
        layers.add(new Layer(logits.name(), logits.in(), logits.out(), Activation.SIGMOID));
        new DenseStack(layers).forward(step, parameters, step.rows(), z, means);
    }

    /** Issues the kernels between an input tensor and the output pixels. */
    @FunctionalInterface
    private interface Graph {
        void issue(Recording step, StepState state, Tensor input, Tensor output);
    }

    private float[] run(float[] values, int columns, Graph graph) {
        if (values.length == 0 || values.length % columns != 0) {
            throw new IllegalArgumentException(values.length + " values are not one or more rows of " + columns);
        }
        int n = values.length / columns;
        try (Workspace work = backend.workspace("inference")) {
            Tensor input = work.tensor("input", backend.real(), n, columns);
            Tensor output =
                    work.tensor("output", backend.real(), n, config.input().size());
            StepState state = work.stepState(0, List.of(), 0, List.of());
            input.uploadFloats(values);
            work.record(state, Rows.of(n), step -> graph.issue(step, state, input, output))
                    .run(1);
            return output.downloadFloats();
        }
    }

    /** A forward pass from inputs to logits. */
    private record Forward(DenseStack.Pass encoded, DenseStack.Pass decoded, Scratch kl) {}

    private Forward forward(Recording step, Rows rows, StepState state, Operand x, Noise epsilon) {
        DenseStack.Pass encoded = encoder.forward(step, parameters, rows, x, null);
        Scratch z = step.scratch("z", rows, config.latent());
        Scratch kl = step.scratch(KL, rows);
        step.latent().reparameterizeForward(rows, encoded.output(), config.logVarClamp(), epsilon, state, z);
        step.latent().gaussianKlForward(rows, encoded.output(), config.logVarClamp(), kl);
        return new Forward(encoded, decoder.forward(step, parameters, rows, z, null), kl);
    }

    private static void metrics(Recording step, Rows rows, StepState state, Operand logLikelihood, Operand kl) {
        step.loss().accumulate(rows, state, LOG_LIKELIHOOD, logLikelihood);
        step.loss().accumulate(rows, state, KL, kl);
    }

    /**
     * Frees the weights; closing twice does nothing.
     *
     * @throws IllegalStateException while a trainer or an evaluator of this model is open; nothing is freed then
     */
    @Override
    public void close() {
        workspace.close();
    }

    /** {@return architecture, parameters and backend in one line} */
    @Override
    public String toString() {
        return "VAE " + config.summary() + ", " + parameterCount() + " parameters on "
                + backend.info().numericProfile();
    }
}
