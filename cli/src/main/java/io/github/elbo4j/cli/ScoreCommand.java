package io.github.elbo4j.cli;

import io.github.elbo4j.backend.Backend;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.HostRows;
import io.github.elbo4j.inference.InferenceSession;
import io.github.elbo4j.inference.Score;
import io.github.elbo4j.model.VaeConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code score}: how well a model explains each row. */
@Command(
        name = "score",
        description = {
            "Compute how well a trained model explains each image.",
            "For each row: reconstruction log-likelihood, KL divergence, and their difference, the evidence lower bound"
                    + " (ELBO), in nats. Pixels are taken as they are, never binarized, and beta does not enter. All rows"
                    + " meet the same draws of z, so that their scores compare; with few draws the mean over the rows"
                    + " is therefore less exact than that of `elbo4j evaluate`."
        },
        customSynopsis =
                "elbo4j score MODEL [--data SPEC] [--part PART] [--samples L] [--worst K] [--out FILE] [OPTIONS]",
        footer = {
            "elbo4j score runs/mnist --samples 64 --worst 10",
            "elbo4j score runs/mnist --part train --out scores.csv"
        },
        sortOptions = false)
final class ScoreCommand extends ModelCommand {
    private static final List<String> COLUMNS = List.of("log_likelihood", "kl", "elbo");

    private static final int MAX_WORST = 1000;

    @Mixin
    private final DataOptions data = new DataOptions();

    @Option(
            names = "--samples",
            paramLabel = "L",
            defaultValue = "16",
            description = "Draws of z for each row, whose log-likelihoods are averaged (default: ${DEFAULT-VALUE}).")
    private int samples;

    @Option(names = "--seed", paramLabel = "N", description = "Key of the draws (default: the run's, or 1).")
    private @Nullable Long seed;

    @Option(
            names = "--worst",
            paramLabel = "K",
            defaultValue = "5",
            description = "Rows with the lowest ELBO to name, 0 to " + MAX_WORST + " (default: ${DEFAULT-VALUE}).")
    private int worst;

    @Mixin
    private final OutFile out = new OutFile();

    /** A row's score. */
    private record Scored(long row, int label, float logLikelihood, float kl, float elbo) {
        /** The worst last, and of equals the later. */
        static final Comparator<Scored> BEST_FIRST = Comparator.comparingDouble(Scored::rank)
                .thenComparingLong(Scored::row)
                .reversed();

        /** What is no number is the worst of all. */
        private double rank() {
            return Double.isNaN(elbo) ? Double.NEGATIVE_INFINITY : elbo;
        }
    }

    ScoreCommand(Streams streams) {
        super(streams);
    }

    @Override
    public Integer call() throws IOException {
        requireRange("--samples", samples, 1, InferenceSession.MAX_SAMPLES);
        requireRange("--worst", worst, 0, MAX_WORST);
        if (out.given()) {
            out.require(false, json);
        }
        model.require();
        long key = model.seed(seed);
        DataOptions.Chosen chosen = data.openFor(model);
        Totals totals = new Totals(worst);
        try (Backend backend = backends.open();
                FrozenModel frozen = model.freeze(backend)) {
            if (out.given()) {
                OutFile.Table table = OutFile.Table.of(
                        chosen.rows().rows(),
                        new CsvRows.Columns(COLUMNS, 0),
                        chosen.rows().hasLabels());
                out.write(streams, table, sink -> score(frozen, chosen, key, totals, sink));
            } else {
                score(frozen, chosen, key, totals, (row, label, values, offset) -> {});
            }
        }
        if (json) {
            print(totals);
        } else if (!out.given() || !out.isStandardOutput()) {
            print(totals, chosen);
        }
        return Failures.OK;
    }

    private void score(FrozenModel frozen, DataOptions.Chosen chosen, long key, Totals totals, RowSink sink)
            throws IOException {
        VaeConfig config = frozen.config();
        long n = chosen.rows().rows();
        int chunk = chunk(config, n);
        float[] scores = new float[chunk * Score.COLUMNS];
        HostRows target = HostRows.of(scores);
        try (InferenceSession session = frozen.session(chunk, samples)) {
            for (long first = 0; first < n; first += chunk) {
                int count = (int) Math.min(chunk, n - first);
                session.score(chosen.from(first), count, key, target);
                for (int i = 0; i < count; i++) {
                    int at = i * Score.COLUMNS;
                    int label = chosen.label(first + i);
                    totals.add(new Scored(first + i, label, scores[at], scores[at + 1], scores[at + 2]));
                    sink.add(first + i, label, scores, at);
                }
            }
        }
    }

    /** Means over all rows, and the worst of them. */
    private static final class Totals {
        private final int worst;
        private final PriorityQueue<Scored> queue = new PriorityQueue<>(Scored.BEST_FIRST);
        private long n;
        private double logLikelihood;
        private double kl;
        private double elbo;

        Totals(int worst) {
            this.worst = worst;
        }

        void add(Scored row) {
            n++;
            logLikelihood += row.logLikelihood();
            kl += row.kl();
            elbo += row.elbo();
            queue.add(row);
            if (queue.size() > worst) {
                queue.remove();
            }
        }

        /** {@return the worst rows, the worst first} */
        List<Scored> worst() {
            List<Scored> rows = new ArrayList<>(queue);
            rows.sort(Scored.BEST_FIRST.reversed());
            return rows;
        }
    }

    private void print(Totals totals) {
        Map<String, @Nullable Object> event = event("score", totals.n, out.given() ? out : null);
        event.put("samples", samples);
        event.put("log_likelihood", totals.logLikelihood / totals.n);
        event.put("kl", totals.kl / totals.n);
        event.put("elbo", totals.elbo / totals.n);
        List<@Nullable Object> rows = new ArrayList<>();
        for (Scored each : totals.worst()) {
            Map<String, @Nullable Object> row = new LinkedHashMap<>();
            row.put("row", each.row());
            row.put("label", each.label() == RowSink.NO_LABEL ? null : each.label());
            row.put("log_likelihood", each.logLikelihood());
            row.put("kl", each.kl());
            row.put("elbo", each.elbo());
            rows.add(row);
        }
        event.put("worst", rows);
        streams.json(event);
    }

    private void print(Totals totals, DataOptions.Chosen chosen) {
        line(
                "ELBO %.4f nats = log-likelihood %.4f - KL %.4f, with z sampled %s, mean over %,d %s",
                totals.elbo / totals.n,
                totals.logLikelihood / totals.n,
                totals.kl / totals.n,
                samples == 1 ? "once" : samples + " times",
                totals.n,
                chosen.name());
        boolean labelled = chosen.rows().hasLabels();
        List<Scored> rows = totals.worst();
        if (!rows.isEmpty()) {
            line("%10s %s %12s %15s %10s", "worst row", labelled ? "label" : "", "ELBO", "log-likelihood", "KL");
        }
        for (Scored each : rows) {
            line(
                    "%10d %s %12.4f %15.4f %10.4f",
                    each.row(),
                    labelled ? String.format(Locale.ROOT, "%5d", each.label()) : "",
                    each.elbo(),
                    each.logLikelihood(),
                    each.kl());
        }
        if (out.given()) {
            line("scores of every row: %s", out.name());
        }
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation would be a dependency
    private void line(String format, Object... values) {
        streams.out().println(String.format(Locale.ROOT, format, values));
    }
}
