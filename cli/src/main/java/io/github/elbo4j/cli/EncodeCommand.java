package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.HostRows;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.model.VaeConfig;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code encode}: the latent codes of data. */
@Command(
        name = "encode",
        description = {
            "Compute the latent codes of images.",
            "A line of a table begins with the row's number, and its label where the data has labels: row,label,mu_0,..."
                    + " An array is [rows, dimensions], with --what both [rows, 2 dimensions]: first the means, then the"
                    + " log-variances."
        },
        customSynopsis = "elbo4j encode MODEL --out FILE [--data SPEC] [--part PART] [--what WHAT] [OPTIONS]",
        footer = {
            "elbo4j encode runs/mnist --what mu --out codes.npy",
            "elbo4j encode runs/mnist --part train --out - | gzip > train.csv.gz"
        },
        sortOptions = false)
final class EncodeCommand extends ModelCommand {
    @Mixin
    private final DataOptions data = new DataOptions();

    @Option(
            names = "--what",
            paramLabel = "WHAT",
            defaultValue = "both",
            description = "mu (means), logvar (log-variances), both, or sample (one draw of z an image)"
                    + " (default: ${DEFAULT-VALUE}).")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private What what;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Key of the draws of z, which are those of an evaluation (default: the run's, or 1).")
    private @Nullable Long seed;

    @Mixin
    private final OutFile out = new OutFile();

    /** Numbers of a posterior. */
    enum What {
        MU,
        LOGVAR,
        BOTH,
        SAMPLE;

        /** {@return names of the numbers, in their order} */
        List<String> columns() {
            return switch (this) {
                case MU -> List.of("mu");
                case LOGVAR -> List.of("logvar");
                case BOTH -> List.of("mu", "logvar");
                case SAMPLE -> List.of("z");
            };
        }

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    EncodeCommand(Streams streams) {
        super(streams);
    }

    @Override
    public Integer call() throws IOException {
        out.require(false, json);
        model.require();
        long key = what == What.SAMPLE ? model.seed(seed) : 0;
        DataOptions.Chosen chosen = data.openFor(model);
        try (Backend backend = backends.open();
                FrozenModel frozen = model.freeze(backend)) {
            write(frozen, chosen, key);
        }
        long n = chosen.rows().rows();
        if (json) {
            streams.json(event("encode", n, out));
        } else if (!out.isStandardOutput()) {
            streams.out().println("codes (" + what + ") of " + n + " " + chosen.name() + ": " + out.name());
        }
        return Failures.OK;
    }

    private void write(FrozenModel frozen, DataOptions.Chosen chosen, long key) throws IOException {
        VaeConfig config = frozen.config();
        long n = chosen.rows().rows();
        int chunk = chunk(config, n);
        int latent = config.latent();
        // Means and log-variances lie side by side, as they are written.
        int columns = 2 * latent;
        float[] codes = new float[chunk * columns];
        HostRows mu = HostRows.of(codes, 0, columns);
        HostRows logVar = HostRows.of(codes, latent, columns);
        OutFile.Table table = OutFile.Table.of(
                n, new CsvRows.Columns(what.columns(), latent), chosen.rows().hasLabels());
        try (InferenceSession session = frozen.session(chunk)) {
            out.write(streams, table, sink -> {
                for (long first = 0; first < n; first += chunk) {
                    int count = (int) Math.min(chunk, n - first);
                    if (what == What.SAMPLE) {
                        session.sample(chosen.from(first), count, key, first, mu);
                    } else {
                        session.encode(chosen.from(first), count, mu, logVar);
                    }
                    for (int i = 0; i < count; i++) {
                        int offset = i * columns + (what == What.LOGVAR ? latent : 0);
                        sink.add(first + i, chosen.label(first + i), codes, offset);
                    }
                }
            });
        }
    }
}
