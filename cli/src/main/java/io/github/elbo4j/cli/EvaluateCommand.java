package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.model.LatentMode;
import io.github.elbo4j.model.Losses;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.training.Evaluation;
import io.github.elbo4j.training.Evaluator;
import io.github.elbo4j.training.TrainingConfig;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code evaluate}: the losses of a trained model. */
@Command(
        name = "evaluate",
        description = {
            "Compute the losses of a trained model on a data set.",
            "Prints reconstruction, KL divergence and their sum weighted by beta, as means over the images, in nats."
        },
        footer = {"elbo4j evaluate runs/mnist", "elbo4j evaluate runs/mnist --part train --z mean --json"},
        sortOptions = false,
        abbreviateSynopsis = true)
final class EvaluateCommand extends ModelCommand {
    @Mixin
    private final DataOptions data = new DataOptions();

    @Option(
            names = "--z",
            paramLabel = "MODE",
            defaultValue = "sampled",
            completionCandidates = Candidates.LatentModes.class,
            description = "Which z is decoded: sampled (one draw an image: an estimate of the negative ELBO) or mean"
                    + " (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private String z;

    @Option(names = "--seed", paramLabel = "N", description = "Key of the draws (default: the run's, or 1).")
    private @Nullable Long seed;

    @Option(
            names = "--binarize",
            negatable = true,
            description = "Draw each pixel as 0 or 1, with its intensity as probability (default: as the run did).")
    private @Nullable Boolean binarize;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "1000",
            description = "Images at a time; no effect on the result (default: ${DEFAULT-VALUE}).")
    private int batch;

    EvaluateCommand(Streams streams) {
        super(streams);
    }

    @Override
    public Integer call() throws IOException {
        LatentMode mode = LatentMode.of(z);
        if (batch < 1 || batch > TrainingConfig.MAX_BATCH) {
            throw new IllegalArgumentException(
                    "batch " + batch + " is not a number from 1 to " + TrainingConfig.MAX_BATCH);
        }
        model.require();
        DataOptions.Chosen chosen = data.open(model);
        long key = model.seed(seed);
        Pixels pixels = model.pixels(binarize);
        try (Backend backend = backends.open();
                Vae vae = model.load(backend);
                Evaluator evaluator = new Evaluator(vae, chosen.rows(), mode, pixels, key, batch)) {
            print(evaluator.evaluate(), chosen.name(), vae.config().beta());
        }
        return Failures.OK;
    }

    private void print(Evaluation evaluation, String images, double beta) {
        Losses losses = evaluation.losses();
        if (json) {
            Map<String, @Nullable Object> event = new LinkedHashMap<>();
            event.put("event", "evaluation");
            event.put("z", evaluation.mode().label());
            event.putAll(JsonReport.losses(losses));
            event.put("n", evaluation.rows());
            streams.json(event);
            return;
        }
        streams.out()
                .println(String.format(
                        Locale.ROOT,
                        "loss %.4f nats = reconstruction %.4f + %sKL %.4f, with %s, over %,d %s",
                        losses.loss(),
                        losses.reconstruction(),
                        beta == 1 ? "" : beta + " * ",
                        losses.kl(),
                        evaluation.mode() == LatentMode.SAMPLED
                                ? "z sampled once for each image"
                                : "z = mu (the mean; no bound on the likelihood)",
                        evaluation.rows(),
                        images));
    }
}
