package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.backend.DType;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.HostRows;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.model.LatentMode;
import io.github.elbo4j.model.VaeConfig;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code reconstruct}: what a model makes of its inputs. */
@Command(
        name = "reconstruct",
        description = {
            "Encode images and decode them again.",
            "A picture shows inputs above their reconstructions; .npy and .csv hold the reconstructions alone, as pixel"
                    + " probabilities."
        },
        customSynopsis = "elbo4j reconstruct MODEL --out FILE [--data SPEC] [--part PART] [--n N] [--z MODE] [OPTIONS]",
        footer = {
            "elbo4j reconstruct runs/mnist --out pairs.png",
            "elbo4j reconstruct runs/mnist --part train --z sampled --out train.npy"
        },
        sortOptions = false)
final class ReconstructCommand extends ModelCommand {
    /** Pairs in a picture, where nothing else is asked for. */
    private static final long PICTURE_ROWS = 30;

    @Mixin
    private final DataOptions data = new DataOptions();

    @Option(
            names = "--n",
            paramLabel = "N",
            description = "Images, from the first on (default: 30 in a picture, otherwise all).")
    private @Nullable Long n;

    @Option(
            names = "--z",
            paramLabel = "MODE",
            defaultValue = "mean",
            completionCandidates = Candidates.LatentModes.class,
            description = "Which z is decoded: mean or sampled (one draw an image) (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private String z;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Key of the draws of z, which are those of an evaluation (default: the run's, or 1).")
    private @Nullable Long seed;

    @Mixin
    private final OutFile out = new OutFile();

    ReconstructCommand(Streams streams) {
        super(streams);
    }

    @Override
    public Integer call() throws IOException {
        LatentMode mode = LatentMode.of(z);
        Long wanted = n;
        if (wanted != null) {
            requireRange("--n", wanted, 1, Long.MAX_VALUE);
        }
        out.require(true, json);
        VaeConfig config = model.config();
        long key = mode == LatentMode.SAMPLED ? model.seed(seed) : 0;
        DataOptions.Chosen chosen = data.openFor(model);
        long available = chosen.rows().rows();
        if (wanted != null && wanted > available) {
            throw new InputException(
                    "--n " + wanted + ": there are only " + available + " " + chosen.name() + "; take fewer");
        }
        long rows = wanted != null ? wanted : out.isPicture() ? Math.min(PICTURE_ROWS, available) : available;
        out.require(new PictureRows.Layout(config.input(), rows, PictureRows.COLUMNS, 2));
        try (Backend backend = backends.open();
                FrozenModel frozen = model.freeze(backend)) {
            write(frozen, chosen, rows, mode, key);
        }
        if (json) {
            streams.json(event("reconstruct", rows, out));
        } else if (!out.isStandardOutput()) {
            streams.out()
                    .println(rows + " reconstructions with z "
                            + (mode == LatentMode.MEAN ? "= mu" : "sampled once for each") + ": " + out.name());
        }
        return Failures.OK;
    }

    private void write(FrozenModel frozen, DataOptions.Chosen chosen, long n, LatentMode mode, long key)
            throws IOException {
        VaeConfig config = frozen.config();
        int chunk = chunk(config, n);
        int size = config.input().size();
        float[] images = new float[chunk * size];
        float[] codes = new float[chunk * config.latent()];
        float[] input = new float[size];
        Dataset rows = chosen.rows();
        OutFile.Table table = OutFile.Table.ofImages(n, config.input(), rows.hasLabels());
        try (InferenceSession session = frozen.session(chunk)) {
            out.write(streams, table, sink -> {
                for (long first = 0; first < n; first += chunk) {
                    int count = (int) Math.min(chunk, n - first);
                    HostRows x = chosen.from(first);
                    if (mode == LatentMode.MEAN) {
                        session.reconstruct(x, count, HostRows.of(images));
                    } else {
                        session.sample(x, count, key, first, HostRows.of(codes));
                        session.decode(HostRows.of(codes), count, HostRows.of(images));
                    }
                    for (int i = 0; i < count; i++) {
                        int label = chosen.label(first + i);
                        if (out.isPicture()) {
                            copy(rows, first + i, input);
                            sink.add(first + i, label, input, 0);
                        }
                        sink.add(first + i, label, images, i * size);
                    }
                }
            });
        }
    }

    private static void copy(Dataset rows, long row, float[] values) {
        for (int i = 0; i < values.length; i++) {
            long at = row * values.length + i;
            values[i] = rows.type() == DType.U8
                    ? (rows.values().get(ValueLayout.JAVA_BYTE, at) & 0xff) / 255f
                    : rows.values().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
        }
    }
}
