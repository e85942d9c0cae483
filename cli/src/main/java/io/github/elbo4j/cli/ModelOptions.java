package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Activation;
import io.github.elbo4j.data.ImageShape;
import io.github.elbo4j.model.Initialization;
import io.github.elbo4j.model.VaeConfig;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Architecture and objective; everything is null unless it was given. */
final class ModelOptions {
    /** The presets are published for this input. */
    private static final int PRESET_INPUT = 28 * 28;

    @Option(
            names = "--preset",
            paramLabel = "PRESET",
            completionCandidates = Candidates.Presets.class,
            description = "A published architecture for 28x28 images: 784-400-20, 784-256-128-20, 784-256-64-20 or"
                    + " 784-256-128-32. Options below change it further.")
    private @Nullable String preset;

    @Option(
            names = "--hidden",
            paramLabel = "WIDTH[,WIDTH...]",
            description = "Widths of the encoder's hidden layers, first to last, such as 256,128 (default: 400).")
    private @Nullable String hidden;

    @Option(
            names = "--decoder",
            paramLabel = "WIDTH[,WIDTH...]",
            description = "Widths of the decoder's hidden layers (default: the encoder's, mirrored).")
    private @Nullable String decoder;

    @Option(names = "--latent", paramLabel = "N", description = "Latent dimensions (default: 20).")
    private @Nullable Integer latent;

    @Option(
            names = "--activation",
            paramLabel = "ACTIVATION",
            completionCandidates = Candidates.Activations.class,
            description = "relu, leaky-relu, elu, gelu, silu, tanh, sigmoid, softplus or identity (default: relu).")
    private @Nullable String activation;

    @Option(
            names = "--init",
            paramLabel = "INIT",
            completionCandidates = Candidates.Initializations.class,
            description = "How weights start: pytorch, glorot or he (default: pytorch).")
    private @Nullable String initialization;

    @Option(
            names = "--beta",
            paramLabel = "X",
            description = "Weight of the KL divergence; 1 is the ELBO (default: 1).")
    private @Nullable Double beta;

    /**
     * Checks everything that can be checked without data.
     *
     * @throws IllegalArgumentException if something is unknown or out of range
     */
    void check() {
        builder().build();
    }

    /**
     * {@return the configuration for inputs of a shape}
     *
     * @throws IllegalArgumentException if something is unknown or out of range
     */
    VaeConfig config(ImageShape input) {
        String name = preset;
        if (name != null && input.size() != PRESET_INPUT) {
            throw new InputException("--preset " + name + " is for 28x28 images, but the data has " + input.height()
                    + "x" + input.width() + "x" + input.channels() + "; give --hidden and --latent instead");
        }
        return builder().input(input).build();
    }

    /** Refuses what differs from the model of the run to be resumed. */
    void requireSame(VaeConfig run) {
        String name = preset;
        if (name != null) {
            VaeConfig published = VaeConfig.preset(name).build();
            boolean same = published.encoder().equals(run.encoder())
                    && published.latent() == run.latent()
                    && published.decoder().equals(run.decoder());
            GivenOptions.requireSame("--preset", name, same ? name : run.summary());
        }
        GivenOptions.requireSame("--hidden", list("--hidden", hidden), run.encoder());
        GivenOptions.requireSame("--decoder", list("--decoder", decoder), run.decoder());
        GivenOptions.requireSame("--latent", latent, run.latent());
        String f = activation;
        GivenOptions.requireSame(
                "--activation",
                f == null ? null : Activation.of(f).label(),
                run.activation().label());
        String start = initialization;
        GivenOptions.requireSame(
                "--init",
                start == null ? null : Initialization.of(start).label(),
                run.initialization().label());
        GivenOptions.requireSame("--beta", beta, run.beta());
    }

    private VaeConfig.Builder builder() {
        String name = preset;
        VaeConfig.Builder builder = name == null ? VaeConfig.builder() : VaeConfig.preset(name);
        int[] encoderWidths = widths("--hidden", hidden);
        if (encoderWidths != null) {
            builder.hidden(encoderWidths);
        }
        int[] decoderWidths = widths("--decoder", decoder);
        if (decoderWidths != null) {
            builder.decoder(decoderWidths);
        }
        Integer dimensions = latent;
        if (dimensions != null) {
            builder.latent(dimensions);
        }
        String f = activation;
        if (f != null) {
            builder.activation(Activation.of(f));
        }
        String start = initialization;
        if (start != null) {
            builder.initialization(Initialization.of(start));
        }
        Double weight = beta;
        if (weight != null) {
            builder.beta(weight);
        }
        return builder;
    }

    private static @Nullable List<Integer> list(String option, @Nullable String given) {
        int[] widths = widths(option, given);
        return widths == null ? null : Arrays.stream(widths).boxed().toList();
    }

    private static int @Nullable [] widths(String option, @Nullable String given) {
        if (given == null) {
            return null;
        }
        try {
            return Arrays.stream(given.split(",", -1))
                    .mapToInt(Integer::parseInt)
                    .toArray();
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    option + " '" + given + "' is no list of widths such as 256,128, each from 1 to "
                            + VaeConfig.MAX_WIDTH,
                    e);
        }
    }
}
