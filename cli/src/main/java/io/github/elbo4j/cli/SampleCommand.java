package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.Philox;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.LatentCodes;
import io.github.elbo4j.model.VaeConfig;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sample}: what a model makes of samples of the prior. */
@Command(
        name = "sample",
        description = {
            "Draw images from a trained model.",
            "Latent codes are drawn from the prior and decoded; the file holds pixel probabilities. An image depends"
                    + " on the model, the seed and its number only."
        },
        customSynopsis = "elbo4j sample MODEL --out FILE [--n N] [--seed N] [OPTIONS]",
        footer = {
            "elbo4j sample runs/mnist --out samples.png",
            "elbo4j sample runs/mnist --n 10000 --seed 7 --out s.npy"
        },
        sortOptions = false)
final class SampleCommand extends DecodeCommand {
    @Option(
            names = "--n",
            paramLabel = "N",
            defaultValue = "80",
            description = "Images to draw (default: ${DEFAULT-VALUE}).")
    private long n;

    @Option(names = "--seed", paramLabel = "N", description = "Key of the draws (default: the run's, or 1).")
    private @Nullable Long seed;

    SampleCommand(Streams streams) {
        super(streams);
    }

    @Override
    public Integer call() throws IOException {
        requireRange("--n", n, 1, Philox.MAX_ROWS);
        out.require(true, json);
        VaeConfig config = model.config();
        long key = model.seed(seed);
        out.require(PictureRows.Layout.of(config.input(), n));
        try (Backend backend = backends.open();
                FrozenModel frozen = model.freeze(backend)) {
            decode(frozen, n, (first, count) -> LatentCodes.prior(key, first, count, config.latent()));
        }
        report("sample", n, n + " images drawn from the prior with seed " + key);
        return Failures.OK;
    }
}
