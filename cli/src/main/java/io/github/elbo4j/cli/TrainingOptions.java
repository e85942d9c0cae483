package io.github.elbo4j.cli;

import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.training.Optimizer;
import io.github.elbo4j.training.TrainingConfig;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How to train; everything is null unless it was given. */
final class TrainingOptions {
    private static final double LEARNING_RATE = 1e-3;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "Passes over the training data (default: 10); with --resume, the new total.")
    private @Nullable Integer epochs;

    @Option(names = "--batch", paramLabel = "N", description = "Images of a step (default: 128).")
    private @Nullable Integer batch;

    @Option(
            names = "--optimizer",
            paramLabel = "OPTIMIZER",
            completionCandidates = Candidates.Optimizers.class,
            description = "adam or sgd (default: adam).")
    private @Nullable String optimizer;

    @Option(names = "--lr", paramLabel = "X", description = "Learning rate (default: 1e-3).")
    private @Nullable Double learningRate;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Key of all random numbers; equal seeds give equal weights (default: 1).")
    private @Nullable Long seed;

    @Option(
            names = "--binarize",
            negatable = true,
            description = "Draw each pixel as 0 or 1 anew at every access, with its intensity as probability.")
    private @Nullable Boolean binarize;

    /**
     * {@return the configuration}
     *
     * @throws IllegalArgumentException if something is unknown or out of range
     */
    TrainingConfig config() {
        TrainingConfig.Builder builder = TrainingConfig.builder();
        Integer passes = epochs;
        if (passes != null) {
            builder.epochs(passes);
        }
        Integer rows = batch;
        if (rows != null) {
            builder.batch(rows);
        }
        Long key = seed;
        if (key != null) {
            builder.seed(key);
        }
        Double rate = learningRate;
        builder.optimizer(rule(rate == null ? LEARNING_RATE : rate));
        Boolean drawn = binarize;
        builder.pixels(drawn != null && drawn ? Pixels.BERNOULLI : Pixels.UNIT);
        return builder.build();
    }

    /**
     * {@return the configuration of a run to be resumed, with more epochs if they were asked for}
     *
     * @throws InputException if an option contradicts it
     */
    TrainingConfig resumed(TrainingConfig run) {
        GivenOptions.requireSame("--batch", batch, run.batch());
        String name = optimizer;
        GivenOptions.requireSame(
                "--optimizer",
                name == null ? null : name.toLowerCase(Locale.ROOT),
                run.optimizer() instanceof Optimizer.Adam ? "adam" : "sgd");
        GivenOptions.requireSame("--lr", learningRate, run.optimizer().learningRate());
        GivenOptions.requireSame("--seed", seed, run.seed());
        Boolean drawn = binarize;
        GivenOptions.requireSame(
                "--binarize",
                drawn == null ? null : drawn ? "on" : "off",
                run.pixels() == Pixels.BERNOULLI ? "on" : "off");
        Integer passes = epochs;
        if (passes == null) {
            return run;
        }
        if (passes < run.epochs()) {
            throw new InputException("--epochs " + passes + " contradicts the run, which has " + run.epochs()
                    + "; a resumed run can only be given more epochs");
        }
        return run.withEpochs(passes);
    }

    private Optimizer rule(double rate) {
        String name = optimizer;
        return switch (name == null ? "adam" : name.toLowerCase(Locale.ROOT)) {
            case "adam" -> new Optimizer.Adam(rate);
            case "sgd" -> new Optimizer.Sgd(rate);
            default -> throw new IllegalArgumentException("unknown optimizer '" + name + "'; known are adam, sgd");
        };
    }
}
