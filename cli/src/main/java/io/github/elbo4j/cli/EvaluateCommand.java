package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DataKernels.Pixels;
import io.github.elbo4j.data.DataSpec;
import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.model.LatentMode;
import io.github.elbo4j.model.Losses;
import io.github.elbo4j.model.Vae;
import io.github.elbo4j.model.VaeFiles;
import io.github.elbo4j.training.Evaluation;
import io.github.elbo4j.training.Evaluator;
import io.github.elbo4j.training.RunFolder;
import io.github.elbo4j.training.TrainingConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code evaluate}: the losses of a trained model. */
@Command(
        name = "evaluate",
        description = "Compute the losses of a trained model on a data set.",
        sortOptions = false,
        abbreviateSynopsis = true)
final class EvaluateCommand extends Subcommand {
    private final Streams streams;

    @Parameters(paramLabel = "MODEL", description = "Folder of a run, or its model.safetensors.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path model;

    @Option(
            names = "--data",
            paramLabel = "SPEC",
            description = DataSpec.FORMS + " (default: what the run was trained on).")
    private @Nullable String data;

    @Option(
            names = "--part",
            paramLabel = "PART",
            defaultValue = "test",
            description = "Rows of the data: test or train (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Part part;

    @Option(
            names = "--z",
            paramLabel = "MODE",
            defaultValue = "sampled",
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

    @Mixin
    private final BackendOptions backends = new BackendOptions();

    @Option(names = "--json", description = "Print one JSON object instead of text.")
    private boolean json;

    /** Rows of a data set. */
    enum Part {
        TEST,
        TRAIN
    }

    EvaluateCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        LatentMode mode = LatentMode.of(z);
        if (batch < 1 || batch > TrainingConfig.MAX_BATCH) {
            throw new IllegalArgumentException(
                    "batch " + batch + " is not a number from 1 to " + TrainingConfig.MAX_BATCH);
        }
        requireModel();
        Optional<RunFolder.Resumable> run = run();
        DataSplit split = TrainCommand.open(dataSpec(run));
        Dataset rows = part == Part.TEST ? split.test() : split.train();
        long key = seed != null ? seed : run.map(of -> of.training().seed()).orElse(1L);
        boolean drawn = binarize != null
                ? binarize
                : run.map(of -> of.training().pixels() == Pixels.BERNOULLI).orElse(false);
        try (Backend backend = backends.open();
                Vae vae = VaeFiles.load(backend, model);
                Evaluator evaluator =
                        new Evaluator(vae, rows, mode, drawn ? Pixels.BERNOULLI : Pixels.UNIT, key, batch)) {
            print(evaluator.evaluate(), split.spec(), vae.config().beta());
        }
        return Failures.OK;
    }

    private void requireModel() {
        Path weights = Files.isDirectory(model) ? model.resolve(VaeFiles.WEIGHTS) : model;
        if (!Files.exists(weights)) {
            throw new InputException(weights + ": does not exist; name the folder of a run, or a " + VaeFiles.WEIGHTS);
        }
    }

    private Optional<RunFolder.Resumable> run() throws IOException {
        if (data != null && seed != null && binarize != null) {
            // Nothing is left to ask the run for, so that a damaged checkpoint is in nobody's way.
            return Optional.empty();
        }
        Path folder = Files.isDirectory(model) ? model : model.toAbsolutePath().getParent();
        return folder != null && Files.exists(folder.resolve(RunFolder.CHECKPOINT))
                ? Optional.of(RunFolder.open(folder))
                : Optional.empty();
    }

    private String dataSpec(Optional<RunFolder.Resumable> run) {
        String named = data;
        if (named != null) {
            return named;
        }
        return run.map(RunFolder.Resumable::dataSpec)
                .filter(spec -> !spec.isEmpty())
                .orElseThrow(() -> new InputException(
                        model + ": there is no checkpoint beside it that names its data; give it with --data"));
    }

    private void print(Evaluation evaluation, String spec, double beta) {
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
                        "loss %.4f nats = reconstruction %.4f + %sKL %.4f, with %s, over %,d %s images of %s",
                        losses.loss(),
                        losses.reconstruction(),
                        beta == 1 ? "" : beta + " * ",
                        losses.kl(),
                        evaluation.mode() == LatentMode.SAMPLED
                                ? "z sampled once for each image"
                                : "z = mu (the mean; no bound on the likelihood)",
                        evaluation.rows(),
                        part.name().toLowerCase(Locale.ROOT),
                        spec));
    }
}
