package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.LatentCodes;
import io.github.elbo4j.inference.LatentCodes.Interpolation;
import io.github.elbo4j.model.VaeConfig;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code interpolate}: the way from one image to another through the latent space. */
@Command(
        name = "interpolate",
        description = {
            "Decode the way between two latent codes.",
            "It leads from the mean of one row of the data to that of another, or without --rows between two samples of"
                    + " the prior; both ends are included."
        },
        customSynopsis =
                "elbo4j interpolate MODEL --out FILE [--data SPEC] [--rows A,B] [--steps N] [--path PATH] [OPTIONS]",
        footer = {
            "elbo4j interpolate runs/mnist --rows 0,7 --steps 20 --out way.png",
            "elbo4j interpolate runs/mnist --seed 3 --path spherical --out way.npy"
        },
        sortOptions = false)
final class InterpolateCommand extends DecodeCommand {
    @Mixin
    private final DataOptions data = new DataOptions();

    @Option(
            names = "--rows",
            paramLabel = "A,B",
            description = "Rows of the data between whose means it leads, from 0 (default: samples of the prior).")
    private @Nullable String rows;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Key of the samples of the prior, which are the first two of `elbo4j sample` (default: the"
                    + " run's, or 1).")
    private @Nullable Long seed;

    @Option(
            names = "--steps",
            paramLabel = "N",
            defaultValue = "10",
            description = "Images with both ends, 2 to " + TraverseCommand.MAX_STEPS + " (default: ${DEFAULT-VALUE}).")
    private int steps;

    @Option(
            names = "--path",
            paramLabel = "PATH",
            defaultValue = "linear",
            description = "linear (the line) or spherical (the arc, slerp) (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Way path;

    /** An {@link Interpolation} by its name on the command line. */
    enum Way {
        LINEAR(Interpolation.LINEAR),
        SPHERICAL(Interpolation.SPHERICAL);

        private final Interpolation interpolation;

        Way(Interpolation interpolation) {
            this.interpolation = interpolation;
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    InterpolateCommand(Streams streams) {
        super(streams);
    }

    @Override
    public Integer call() throws IOException {
        requireRange("--steps", steps, 2, TraverseCommand.MAX_STEPS);
        String between = rows;
        if (between == null && data.given()) {
            throw new InputException("--data without --rows; name two of its rows, such as --rows 0,1");
        }
        if (between != null && seed != null) {
            throw new InputException("--rows and --seed name two ways; leave out one of them");
        }
        List<Long> ends = between == null ? List.of() : indices("--rows", between, 2, 2, "--rows 0,7");
        out.require(true, json);
        VaeConfig config = model.config();
        out.require(PictureRows.Layout.of(config.input(), steps));
        int latent = config.latent();
        DataOptions.Chosen chosen = between == null ? null : data.openFor(model);
        if (chosen != null) {
            for (long end : ends) {
                chosen.requireRow("--rows", end);
            }
        }
        long key = chosen == null ? model.seed(seed) : 0;
        try (Backend backend = backends.open();
                FrozenModel frozen = model.freeze(backend)) {
            float[] a;
            float[] b;
            if (chosen == null) {
                float[] both = LatentCodes.prior(key, 0, 2, latent);
                a = Arrays.copyOf(both, latent);
                b = Arrays.copyOfRange(both, latent, 2 * latent);
            } else {
                a = chosen.mean(frozen, ends.get(0));
                b = chosen.mean(frozen, ends.get(1));
            }
            decode(frozen, steps, Codes.of(LatentCodes.interpolate(a, b, steps, path.interpolation), latent));
        }
        report(
                "interpolate",
                steps,
                steps + " images on the " + path + " way between "
                        + (chosen == null
                                ? "two samples of the prior with seed " + key
                                : "rows " + ends.get(0) + " and " + ends.get(1) + " of the " + chosen.name()));
        return Failures.OK;
    }
}
