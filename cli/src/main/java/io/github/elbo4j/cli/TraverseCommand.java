package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.LatentCodes;
import io.github.elbo4j.model.VaeConfig;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code traverse}: what single latent dimensions do. */
@Command(
        name = "traverse",
        description = {
            "Decode a walk along one latent dimension, or a grid over two.",
            "All other dimensions keep their values: those of a row's mean, or without --row the prior's mean, which is"
                    + " 0. The values of the walk are equally spaced. A grid has the first dimension down and the second"
                    + " one across."
        },
        customSynopsis =
                "elbo4j traverse MODEL --dims I[,J] --out FILE [--range LO,HI] [--steps N] [--row R] [OPTIONS]",
        footer = {
            "elbo4j traverse runs/mnist --dims 0 --steps 20 --out walk.png",
            "elbo4j traverse runs/mnist --dims 0,1 --range -2,2 --row 7 --out grid.png"
        },
        sortOptions = false)
final class TraverseCommand extends DecodeCommand {
    /** Most images of a way. */
    static final int MAX_STEPS = 1000;

    @Option(
            names = "--dims",
            paramLabel = "I[,J]",
            required = true,
            description = "One latent dimension, or two for a grid, from 0.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private String dims;

    @Option(
            names = "--range",
            paramLabel = "LO,HI",
            defaultValue = "-3,3",
            description = "First and last value, in standard deviations of the prior (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private String range;

    @Option(
            names = "--steps",
            paramLabel = "N",
            defaultValue = "10",
            description =
                    "Values of each dimension, with both ends, 2 to " + MAX_STEPS + " (default: ${DEFAULT-VALUE}).")
    private int steps;

    @Option(
            names = "--row",
            paramLabel = "R",
            description = "Row of the data whose mean is the origin, from 0 (default: the prior's mean).")
    private @Nullable Long row;

    @Mixin
    private final DataOptions data = new DataOptions();

    TraverseCommand(Streams streams) {
        super(streams);
    }

    @Override
    public Integer call() throws IOException {
        List<Long> dimensions = indices("--dims", dims, 1, 2, "--dims 0 or --dims 0,1");
        List<Double> ends = numbers("--range", range, 2, 2, "--range -3,3");
        requireRange("--steps", steps, 2, MAX_STEPS);
        Long origin = row;
        if (ends.get(0).equals(ends.get(1))) {
            throw new InputException("--range " + range + " has no extent; give two different values");
        }
        if (origin == null && data.given()) {
            throw new InputException("--data without --row; name the row whose mean is the origin, such as --row 0");
        }
        if (dimensions.size() == 2 && dimensions.get(0).equals(dimensions.get(1))) {
            throw new InputException("--dims " + dims + " names one dimension twice; give one, or two different ones");
        }
        out.require(true, json);
        VaeConfig config = model.config();
        for (long dimension : dimensions) {
            if (dimension >= config.latent()) {
                throw new InputException("--dims " + dims + ": the model has " + config.latent()
                        + " latent dimensions; give numbers from 0 to " + (config.latent() - 1));
            }
        }
        boolean grid = dimensions.size() == 2;
        long n = grid ? (long) steps * steps : steps;
        out.require(
                grid ? new PictureRows.Layout(config.input(), n, steps, 1) : PictureRows.Layout.of(config.input(), n));
        DataOptions.Chosen chosen = origin == null ? null : data.openFor(model);
        if (chosen != null && origin != null) {
            chosen.requireRow("--row", origin);
        }
        int first = dimensions.get(0).intValue();
        float low = ends.get(0).floatValue();
        float high = ends.get(1).floatValue();
        try (Backend backend = backends.open();
                FrozenModel frozen = model.freeze(backend)) {
            float[] at = chosen == null || origin == null ? new float[config.latent()] : chosen.mean(frozen, origin);
            float[] codes = grid
                    ? LatentCodes.traverse(at, first, dimensions.get(1).intValue(), low, high, steps)
                    : LatentCodes.traverse(at, first, low, high, steps);
            decode(frozen, n, Codes.of(codes, config.latent()));
        }
        report(
                "traverse",
                n,
                n + " images with " + (grid ? "dimensions " : "dimension ") + dims + " from " + ends.get(0) + " to "
                        + ends.get(1) + " around "
                        + (chosen == null ? "the prior's mean" : "row " + origin + " of the " + chosen.name()));
        return Failures.OK;
    }
}
