package io.github.elbo4j.cli;

import io.github.elbo4j.data.DataSpec;
import io.github.elbo4j.data.DataSplit;
import io.github.elbo4j.data.Dataset;
import io.github.elbo4j.inference.FrozenModel;
import io.github.elbo4j.inference.HostRows;
import io.github.elbo4j.inference.InferenceSession;
import java.io.IOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which rows of which data a trained model meets. */
final class DataOptions {
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

    /** Rows of a data set. */
    enum Part {
        TEST,
        TRAIN;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * The chosen rows.
     *
     * @param rows the rows
     * @param name which they are, in words
     */
    record Chosen(Dataset rows, String name) {
        /** {@return the label of a row, or one that no row has} */
        int label(long row) {
            return rows.hasLabels() ? rows.label(row) : RowSink.NO_LABEL;
        }

        /** {@return the rows from one on, where they lie} */
        HostRows from(long row) {
            return HostRows.of(rows.values(), rows.type(), row * rows.columns(), 0);
        }

        /** {@return the mean of a row's posterior} */
        float[] mean(FrozenModel frozen, long row) {
            int latent = frozen.config().latent();
            float[] mu = new float[latent];
            try (InferenceSession session = frozen.session(1)) {
                session.encode(from(row), 1, HostRows.of(mu), HostRows.of(new float[latent]));
            }
            return mu;
        }

        /** Refuses the number of a row that is not there. */
        void requireRow(String option, long row) {
            if (row < 0 || row >= rows.rows()) {
                throw new InputException(option + ": there is no row " + row + " among the " + rows.rows() + " " + name
                        + "; give a number from 0 to " + (rows.rows() - 1));
            }
        }
    }

    /** {@return whether data was named} */
    boolean given() {
        return data != null;
    }

    /** {@return the rows, opened} */
    Chosen open(TrainedModel model) throws IOException {
        DataSplit split = model.data(data);
        return new Chosen(part == Part.TEST ? split.test() : split.train(), part + " images of " + split.spec());
    }

    /**
     * {@return the rows, opened, which a session can be given}
     *
     * @throws InputException if the model takes rows of another size, or one has a value outside of 0 to 1
     */
    Chosen openFor(TrainedModel model) throws IOException {
        int wanted = model.config().input().size();
        Chosen chosen = open(model);
        if (chosen.rows().columns() != wanted) {
            throw new InputException(
                    chosen.name() + ": a row has " + chosen.rows().columns() + " values, but the model takes " + wanted
                            + "; give data like the run's with --data");
        }
        try {
            chosen.rows().requireUnitRange("the Bernoulli likelihood");
        } catch (IllegalArgumentException e) {
            throw new InputException(chosen.name() + ": " + e.getMessage() + "; scale the data as for training", e);
        }
        return chosen;
    }
}
