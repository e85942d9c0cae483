package io.github.elbo4j.model;

import io.github.elbo4j.backend.Activation;
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
import io.github.elbo4j.model.DenseStack.Layer;
import java.util.ArrayList;
import java.util.List;

/**
 * The layers of a variational autoencoder over one arena of parameters: issues its parts, and whole steps made of them,
 * to a recording. Holds no memory of its own.
 *
 * <p>Immutable and safe for any number of threads, as far as the recordings and parameters allow.
 */
public final class VaeGraph {
    /** The one group of parameters. */
    public static final String GROUP = "vae";

    /** Metric: the sum over rows of the reconstruction log-likelihood, in nats. */
    public static final String LOG_LIKELIHOOD = "logLikelihood";

    /** Metric: the sum over rows of the KL divergence, in nats. */
    public static final String KL = "kl";

    private final VaeConfig config;
    private final Parameters parameters;
    private final DenseStack encoder;
    private final DenseStack decoder;

    /**
     * The layers of an architecture.
     *
     * @param config architecture and objective
     * @param parameters an arena of {@link #specs}, or of {@link #frozenSpecs} when no gradients are issued
     */
    public VaeGraph(VaeConfig config, Parameters parameters) {
        this.config = config;
        this.parameters = parameters;
        this.encoder = encoder(config);
        this.decoder = decoder(config);
    }

    /** {@return the parameters of an architecture, in the order of the arena} */
    public static List<Parameters.Spec> specs(VaeConfig config) {
        return layers(config).stream()
                .flatMap(layer -> layer.specs(GROUP).stream())
                .toList();
    }

    /** {@return the same parameters, none of which is trained} */
    public static List<Parameters.Spec> frozenSpecs(VaeConfig config) {
        return specs(config).stream().map(Parameters.Spec::untrained).toList();
    }

    /** {@return all layers in the order of the arena} */
    static List<Layer> layers(VaeConfig config) {
        List<Layer> layers = new ArrayList<>(encoder(config).layers());
        layers.addAll(decoder(config).layers());
        return layers;
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

    /**
     * {@return the posterior of inputs: {@code [rows, 2 d]}, means, then log-variances as the layer gives them}
     *
     * @param step the recording
     * @param x inputs, {@code [rows, input size]}
     */
    public Operand encode(Recording step, Operand x) {
        return encoder.forward(step, parameters, step.rows(), x).output();
    }

    /**
     * {@return latent codes drawn from posteriors, {@code [rows, d]}}
     *
     * @param step the recording
     * @param rows rows of the codes; folded for several draws from each posterior
     * @param state seed and step of the noise
     * @param muLogVar what {@link #encode} gave
     * @param epsilon the noise; {@link Noise#off()} for the means
     */
    public Operand sample(Recording step, Rows rows, StepState state, Operand muLogVar, Noise epsilon) {
        Scratch z = step.scratch("z", rows, config.latent());
        step.latent().reparameterizeForward(rows, muLogVar, config.logVarClamp(), epsilon, state, z);
        return z;
    }

    /**
     * {@return the KL divergence of each posterior from the prior, {@code [rows]}, in nats}
     *
     * @param step the recording
     * @param muLogVar what {@link #encode} gave
     */
    public Operand kl(Recording step, Operand muLogVar) {
        Scratch kl = step.scratch(KL, step.rows());
        step.latent().gaussianKlForward(step.rows(), muLogVar, config.logVarClamp(), kl);
        return kl;
    }

    /**
     * {@return the logits of latent codes, {@code [rows, input size]}}
     *
     * @param step the recording
     * @param rows rows of the codes
     * @param z latent codes, {@code [rows, d]}
     */
    public Operand decode(Recording step, Rows rows, Operand z) {
        return decoder.forward(step, parameters, rows, z).output();
    }

    /**
     * {@return the means of the likelihood given latent codes, {@code [rows, input size]}: pixel probabilities}
     *
     * @param step the recording
     * @param rows rows of the codes
     * @param z latent codes, {@code [rows, d]}
     */
    public Operand decodeMeans(Recording step, Rows rows, Operand z) {
        List<Layer> layers = new ArrayList<>(decoder.layers());
        Layer logits = layers.removeLast();
        layers.add(new Layer(logits.name(), logits.in(), logits.out(), Activation.SIGMOID));
        return new DenseStack(layers).forward(step, parameters, rows, z).output();
    }

    /**
     * {@return the reconstruction log-likelihood of each row of logits, {@code [rows]}, in nats}
     *
     * @param step the recording
     * @param rows rows of the logits
     * @param logits what {@link #decode} gave
     * @param x inputs in [0, 1], {@code [rows before folding, input size]}
     */
    public Operand logLikelihood(Recording step, Rows rows, Operand logits, Operand x) {
        Scratch logLikelihood = step.scratch(LOG_LIKELIHOOD, rows);
        step.loss().bernoulliForward(rows, logits, x, logLikelihood);
        return logLikelihood;
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
        DenseStack.Pass encoded = encoder.forward(step, parameters, rows, x);
        Operand z = sample(step, rows, state, encoded.output(), epsilon);
        Operand kl = kl(step, encoded.output());
        DenseStack.Pass decoded = decoder.forward(step, parameters, rows, z);
        Scratch logLikelihood = step.scratch(LOG_LIKELIHOOD, rows);
        Scratch dLogits = step.scratch("dLogits", rows, config.input().size());
        step.loss()
                .bernoulliForwardBackward(rows, decoded.output(), x, Scalar.of(1), reduction, logLikelihood, dLogits);
        metrics(step, rows, state, logLikelihood, kl);

        Scratch dz = step.scratch("dz", rows, config.latent());
        Scratch dMuLogVar = step.scratch("dMuLogVar", rows, 2L * config.latent());
        decoded.backward(dLogits, dz);
        step.latent()
                .reparameterizeBackward(
                        rows,
                        encoded.output(),
                        config.logVarClamp(),
                        epsilon,
                        state,
                        dz,
                        klWeight,
                        reduction,
                        dMuLogVar);
        encoded.backward(dMuLogVar, null);
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
        Operand muLogVar = encode(step, x);
        Operand z = sample(step, rows, state, muLogVar, epsilon);
        Operand kl = kl(step, muLogVar);
        Operand logLikelihood = logLikelihood(step, rows, decode(step, rows, z), x);
        metrics(step, rows, state, logLikelihood, kl);
        step.optimizer().advance(state);
    }

    private static void metrics(Recording step, Rows rows, StepState state, Operand logLikelihood, Operand kl) {
        step.loss().accumulate(rows, state, LOG_LIKELIHOOD, logLikelihood);
        step.loss().accumulate(rows, state, KL, kl);
    }
}
