package io.github.elbo4j.model;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.backend.LatentKernels.Clamp;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.files.FormatException;
import io.github.elbo4j.files.JsonObject;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * The architecture and objective of a variational autoencoder of dense layers (Kingma and Welling 2014): encoder, heads
 * for mu and the log-variance, decoder to Bernoulli logits, and {@code loss = reconstruction + beta * KL}.
 *
 * @param input extents of one input; a row has {@code input.size()} values
 * @param encoder widths of the encoder's hidden layers, first to last; at least one
 * @param latent latent dimensions
 * @param decoder widths of the decoder's hidden layers, first to last; at least one
 * @param activation of every hidden layer
 * @param initialization of weights and biases
 * @param beta weight of the KL divergence, at least 0; 1 is the ELBO (other values: Higgins et al. 2017)
 * @param logVarClamp range of the log-variance
 */
public record VaeConfig(
        ImageShape input,
        List<Integer> encoder,
        int latent,
        List<Integer> decoder,
        Activation activation,
        Initialization initialization,
        double beta,
        Clamp logVarClamp) {

    /** Widest layer and largest latent that are accepted. */
    public static final int MAX_WIDTH = 1 << 20;

    /** Most hidden layers on either side. */
    public static final int MAX_LAYERS = 64;

    private static final int FORMAT = 1;

    /** The literature's architectures for 28x28 images, by name; all mirrored, with ReLU. */
    private static final Map<String, int[]> PRESETS = new LinkedHashMap<>();

    static {
        PRESETS.put("784-400-20", new int[] {400, 20});
        PRESETS.put("784-256-128-20", new int[] {256, 128, 20});
        PRESETS.put("784-256-64-20", new int[] {256, 64, 20});
        PRESETS.put("784-256-128-32", new int[] {256, 128, 32});
    }

    /** Checks every range. */
    public VaeConfig {
        encoder = List.copyOf(encoder);
        decoder = List.copyOf(decoder);
        requireWidths("encoder", encoder);
        requireWidths("decoder", decoder);
        requireWidths("latent", List.of(latent));
        if (!(beta >= 0 && beta < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("beta " + beta + " must be a number of at least 0");
        }
    }

    /** {@return a builder with the defaults: 784-400-20, ReLU, PyTorch's initialization, beta 1} */
    public static Builder builder() {
        return new Builder();
    }

    /** {@return the names that {@link #preset} knows} */
    public static Set<String> presets() {
        return Set.copyOf(PRESETS.keySet());
    }

    /**
     * {@return a published architecture for 28x28 images, ready to be changed further}
     *
     * @param name input, hidden widths and latent size, such as {@code 784-400-20}
     * @throws IllegalArgumentException if there is none; the message lists the names
     */
    public static Builder preset(String name) {
        int[] widths = PRESETS.get(name);
        if (widths == null) {
            throw new IllegalArgumentException(
                    "unknown preset '" + name + "'; known are " + String.join(", ", PRESETS.keySet()));
        }
        int latent = widths[widths.length - 1];
        return builder()
                .hidden(java.util.Arrays.copyOf(widths, widths.length - 1))
                .latent(latent);
    }

    /** {@return the architecture in one line, such as {@code 784-400-20-400-784 relu}} */
    public String summary() {
        List<String> widths = new ArrayList<>();
        widths.add(Integer.toString(input.size()));
        encoder.forEach(width -> widths.add(width.toString()));
        widths.add(Integer.toString(latent));
        decoder.forEach(width -> widths.add(width.toString()));
        widths.add(Integer.toString(input.size()));
        return String.join("-", widths) + " " + activation.label();
    }

    /** {@return the configuration as the tree of {@code config.json}} */
    public Map<String, Object> toJson() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("format", (long) FORMAT);
        json.put("model", "mlp-vae");
        json.put("input", List.of((long) input.height(), (long) input.width(), (long) input.channels()));
        json.put("encoder", encoder.stream().map(Integer::longValue).toList());
        json.put("latent", (long) latent);
        json.put("decoder", decoder.stream().map(Integer::longValue).toList());
        json.put("activation", activation.label());
        json.put("initialization", initialization.label());
        json.put("likelihood", "bernoulli");
        json.put("beta", beta);
        json.put("log_variance_range", List.of(logVarClamp.low(), logVarClamp.high()));
        return json;
    }

    /**
     * {@return the configuration of a {@code config.json}}
     *
     * @throws FormatException if a key is missing, unknown or out of range
     */
    public static VaeConfig fromJson(JsonObject json) throws FormatException {
        json.rejectUnknown(Set.of(
                "format",
                "model",
                "input",
                "encoder",
                "latent",
                "decoder",
                "activation",
                "initialization",
                "likelihood",
                "beta",
                "log_variance_range"));
        json.integer("format", FORMAT, FORMAT);
        requireText(json, "model", "mlp-vae");
        requireText(json, "likelihood", "bernoulli");
        long[] input = json.integers("input", 1, MAX_WIDTH);
        List<Object> range = new ArrayList<>(json.list("log_variance_range"));
        if (input.length != 3
                || range.size() != 2
                || !(range.get(0) instanceof Number low)
                || !(range.get(1) instanceof Number high)) {
            throw new FormatException(
                    json.source(),
                    "'input' must be [height, width, channels] and 'log_variance_range' [low, high]",
                    "correct the file, or take it from the folder of the run again");
        }
        try {
            return new VaeConfig(
                    new ImageShape((int) input[0], (int) input[1], (int) input[2]),
                    widths(json, "encoder"),
                    (int) json.integer("latent", 1, MAX_WIDTH),
                    widths(json, "decoder"),
                    Activation.of(json.string("activation")),
                    Initialization.of(json.string("initialization")),
                    json.number("beta"),
                    new Clamp(low.doubleValue(), high.doubleValue()));
        } catch (IllegalArgumentException e) {
            throw new FormatException(json.source(), String.valueOf(e.getMessage()), "correct the file", e);
        }
    }

    private static List<Integer> widths(JsonObject json, String key) throws FormatException {
        return LongStream.of(json.integers(key, 1, MAX_WIDTH))
                .mapToObj(width -> (int) width)
                .toList();
    }

    private static void requireText(JsonObject json, String key, String expected) throws FormatException {
        String found = json.string(key);
        if (!found.equals(expected)) {
            throw new FormatException(
                    json.source(), "'" + key + "' is '" + found + "'", "this version reads '" + expected + "'");
        }
    }

    private static void requireWidths(String what, List<Integer> widths) {
        if (widths.isEmpty() || widths.size() > MAX_LAYERS) {
            throw new IllegalArgumentException(
                    what + ": " + widths.size() + " layers; give 1 to " + MAX_LAYERS + " widths");
        }
        for (int width : widths) {
            if (width < 1 || width > MAX_WIDTH) {
                throw new IllegalArgumentException(
                        what + ": width " + width + " is not a number from 1 to " + MAX_WIDTH);
            }
        }
    }

    /** Collects a configuration; not safe for several threads. */
    public static final class Builder {
        private ImageShape input = new ImageShape(28, 28, 1);
        private List<Integer> encoder = List.of(400);
        private int latent = 20;
        private List<Integer> decoder = List.of();
        private Activation activation = Activation.RELU;
        private Initialization initialization = Initialization.PYTORCH;
        private double beta = 1;
        private Clamp logVarClamp = Clamp.DEFAULT;

        private Builder() {}

        /** Sets the extents of one input. */
        public Builder input(ImageShape shape) {
            input = shape;
            return this;
        }

        /** Sets the encoder's hidden widths; the decoder mirrors them unless {@link #decoder} says otherwise. */
        public Builder hidden(int... widths) {
            encoder = java.util.Arrays.stream(widths).boxed().toList();
            return this;
        }

        /** Sets the decoder's hidden widths, first to last. */
        public Builder decoder(int... widths) {
            decoder = java.util.Arrays.stream(widths).boxed().toList();
            return this;
        }

        /** Sets the number of latent dimensions. */
        public Builder latent(int dimensions) {
            latent = dimensions;
            return this;
        }

        /** Sets the activation of every hidden layer. */
        public Builder activation(Activation f) {
            activation = f;
            return this;
        }

        /** Sets how weights and biases start. */
        public Builder initialization(Initialization start) {
            initialization = start;
            return this;
        }

        /** Sets the weight of the KL divergence. */
        public Builder beta(double weight) {
            beta = weight;
            return this;
        }

        /** Sets the range of the log-variance. */
        public Builder logVarClamp(Clamp range) {
            logVarClamp = range;
            return this;
        }

        /**
         * {@return the configuration}
         *
         * @throws IllegalArgumentException if something is out of range; the message says what
         */
        public VaeConfig build() {
            List<Integer> mirrored = decoder.isEmpty() ? encoder.reversed() : decoder;
            return new VaeConfig(input, encoder, latent, mirrored, activation, initialization, beta, logVarClamp);
        }
    }
}
